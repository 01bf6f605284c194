"""Detectors of PySAD and isotree, where these are installed (see ``README.md``).

They are no dependencies. PySAD's models take one event at a time and draw from numpy's global
generator.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.loop.peers import BLOCK, WINDOW, Scores
from detectors.base import Matrix, Vector

PYSAD = {
    "PySAD xStream": "xStream",
    "PySAD LODA": "LODA",
    "PySAD IForestASD": "IForestASD",
    "PySAD RRCF": "RobustRandomCutForest",
}
SLOW = ("PySAD IForestASD", "PySAD RRCF")
"""Less than a hundred events per second."""


def isotree_window(X: Matrix, seed: int) -> Vector:
    """Fit isotree's forest, 100 trees of 256, anew on the last 2,048 events after every 1,024."""
    isotree: Any = importlib.import_module("isotree")
    scores = np.zeros(len(X))
    rows = X.astype(np.float64)
    for start in range(BLOCK, len(X), BLOCK):
        forest = isotree.IsolationForest(
            ntrees=100, sample_size=256, ndim=1, nthreads=1, random_seed=seed + 1
        )
        forest.fit(rows[max(0, start - WINDOW) : start])
        scores[start : start + BLOCK] = forest.predict(rows[start : start + BLOCK])
    return scores


def pysad(model: str, X: Matrix, seed: int) -> Vector:
    """Run a model of PySAD with its defaults, event by event, behind a min-max scaler.

    The scaler is fitted to the first block: these models have no scaling of their own.
    """
    models: Any = importlib.import_module("pysad.models")
    np.random.seed(seed)  # its models have no seed of their own
    rows = np.nan_to_num(X).astype(np.float64)
    low, high = rows[:BLOCK].min(axis=0), rows[:BLOCK].max(axis=0)
    rows = (rows - low) / np.where(high > low, high - low, 1.0)
    detector = getattr(models, model)()
    scores = np.zeros(len(rows))
    for i, row in enumerate(rows):
        if i:
            scores[i] = float(np.asarray(detector.score_partial(row)).ravel()[0])
        detector.fit_partial(row)
    return np.nan_to_num(scores)


def installed() -> Mapping[str, Scores]:
    """Return those peers whose library is there."""
    found: dict[str, Scores] = {}
    if importlib.util.find_spec("isotree"):
        found["isotree, window"] = isotree_window
    if importlib.util.find_spec("pysad"):
        found |= {name: functools.partial(pysad, model) for name, model in PYSAD.items()}
    return found
