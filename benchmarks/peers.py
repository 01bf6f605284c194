"""The straightforward pipelines that one would write with river or scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import orjson
import shap
from river import anomaly, compose, preprocessing
from sklearn.ensemble import IsolationForest

BLOCK = 1024  # events between two fits, and between two looks at the threshold
WINDOW = 2048
REMEMBERED = 10_000  # scores that the threshold is taken of
BUDGET = 0.002  # share of the events that become candidates

Scores = npt.NDArray[np.float64]


class Threshold:
    """The score that the budgeted share of recent events reaches; nobody before the first block."""

    def __init__(self) -> None:
        self.value = np.inf
        self._scores: list[float] = []

    def learn(self, scores: Sequence[float]) -> None:
        """Take in the scores of one block."""
        self._scores = [*self._scores, *scores][-REMEMBERED:]
        self.value = float(np.quantile(self._scores, 1 - BUDGET))


def river(lines: Sequence[bytes], seed: int) -> tuple[Scores, int]:
    """Run orjson, min-max scaler and HalfSpaceTrees with river's defaults.

    Candidates are counted only: shap can't open these trees, so there is nothing to explain or to
    cluster by.
    """
    model = compose.Pipeline(preprocessing.MinMaxScaler(), anomaly.HalfSpaceTrees(seed=seed))
    threshold, scores, candidates = Threshold(), [], 0
    for line in lines:
        event = orjson.loads(line)
        score = model.score_one(event)
        model.learn_one(event)
        scores.append(score)
        candidates += score > threshold.value
        if len(scores) % BLOCK == 0:
            threshold.learn(scores[-BLOCK:])
    return np.array(scores, np.float64), candidates


def sklearn(lines: Sequence[bytes], seed: int) -> tuple[Scores, int]:
    """Run orjson and scikit-learn's IsolationForest, fitted anew on 2,048 events every 1,024.

    Candidates are explained by shap's TreeExplainer, built anew after each fit that is asked for an
    explanation, and clustered by their three largest signed features.
    """
    names = list(orjson.loads(lines[0]))
    threshold, found = Threshold(), []
    clusters: dict[tuple[int, ...], int] = {}
    model: IsolationForest | None = None
    window = np.empty((0, len(names)), np.float32)
    for start in range(0, len(lines), BLOCK):
        events = [orjson.loads(line) for line in lines[start : start + BLOCK]]
        X = np.array([[event[name] for name in names] for event in events], np.float32)
        scores = -model.score_samples(X) if model else np.zeros(len(X))
        alerts = X[scores > threshold.value]
        if model and len(alerts):
            values = shap.TreeExplainer(model).shap_values(alerts, check_additivity=False)
            for row in -values:
                top = np.argsort(-np.abs(row))[:3]
                key = tuple(int(i + 1) * (1 if row[i] > 0 else -1) for i in top)
                clusters[key] = clusters.get(key, 0) + 1
        if model:
            threshold.learn(scores.tolist())
        found.append(scores)
        window = np.concatenate([window, X])[-WINDOW:]
        samples = min(256, len(window))
        model = IsolationForest(n_estimators=100, max_samples=samples, random_state=seed + start)
        model.fit(window)
    return np.concatenate(found), sum(clusters.values())
