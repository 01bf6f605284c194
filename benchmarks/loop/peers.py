"""Detectors without labels, event by event or block by block: score first, then learn."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from river import anomaly, compose, preprocessing
from sklearn.ensemble import IsolationForest as SklearnForest

from detectors.base import Matrix, Vector
from detectors.online.isolation_forest import IsolationForest

BLOCK, WINDOW = 1024, 2048  # events

Scores = Callable[[Matrix, int], Vector]
"""Rows in order, seed -> the score that each had before anything was learned from it."""


def ours(X: Matrix, seed: int) -> Vector:
    """Run our forest with a stream's defaults."""
    forest = IsolationForest([str(column) for column in range(X.shape[1])], seed=seed)
    scores = np.zeros(len(X))
    for start in range(0, len(X), BLOCK):
        block = X[start : start + BLOCK]
        scores[start : start + BLOCK] = forest.score_many(block)
        forest.learn_many(block)
    return scores


def sklearn_window(X: Matrix, seed: int) -> Vector:
    """Fit scikit-learn's forest anew on the last 2,048 events after every 1,024."""
    scores = np.zeros(len(X))
    filled = np.nan_to_num(X)
    for start in range(BLOCK, len(X), BLOCK):
        forest = SklearnForest(random_state=seed).fit(filled[max(0, start - WINDOW) : start])
        scores[start : start + BLOCK] = -forest.score_samples(filled[start : start + BLOCK])
    return scores


def river_half_space_trees(X: Matrix, seed: int) -> Vector:
    """Run river's HalfSpaceTrees with its defaults behind a min-max scaler."""
    model = compose.Pipeline(preprocessing.MinMaxScaler(), anomaly.HalfSpaceTrees(seed=seed))
    scores = np.zeros(len(X))
    for i, row in enumerate(np.nan_to_num(X).tolist()):
        event = dict(enumerate(row))
        scores[i] = model.score_one(event)
        model.learn_one(event)
    return scores


PEERS: Mapping[str, Scores] = {
    "ours": ours,
    "scikit-learn, window": sklearn_window,
    "river HalfSpaceTrees": river_half_space_trees,
}
