"""What analysts' tools do with a verdict today: three patterns, as far as their papers say.

None of the papers has a procedure that could be run as it is, so each class implements the pattern
in its simplest form on the isolation forest and its SHAP values, and says so.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans

from detectors.base import Matrix, Vector
from detectors.explain.methods import explainer
from streaming.evaluate.pool import whole_forest

TREES = 100
FIRST = 1e3  # above any score of the forest
REASONS = 3  # features of a rule


class _Explained:
    """The forest's scores of the items, and the parts that each column has in them."""

    def __init__(self, X: Matrix, seed: int) -> None:
        trees = whole_forest(X, seed, TREES)
        self._X = X
        self._parts = explainer("tree_shap", trees).explain(X, trees.values).values
        self._score = trees.scores(X)
        self._told: list[int] = []
        self._real: list[bool] = []

    def tell(self, item: int, real: bool) -> None:
        """See ``Learner``."""
        self._told.append(item)
        self._real.append(real)


class Hilad(_Explained):
    """Mark a cluster, apply to all that are alike.

    After Deng, Xuan, Ma, Kong: A Reliable Framework for Human-in-the-Loop Anomaly Detection in Time
    Series (arXiv 2405.03234): explanations are shown as clusters, and what the analyst says of one
    is applied to all of its members. Here: k-means on unit-length SHAP vectors, about 30 items to a
    cluster; *spurious* hides the rest of the cluster, *real* brings it up next.
    """

    def __init__(self, X: Matrix, seed: int) -> None:
        super().__init__(X, seed)
        length = np.linalg.norm(self._parts, axis=1, keepdims=True)
        groups = int(np.clip(len(X) // 30, 2, 200))
        model = KMeans(groups, n_init=1, max_iter=50, random_state=seed)
        self._cluster = model.fit_predict(self._parts / np.maximum(length, 1e-12))
        self._says: dict[int, bool] = {}

    def scores(self) -> Vector:
        """See ``Learner``."""
        scores = self._score.copy()
        for cluster, real in self._says.items():
            scores[self._cluster == cluster] += FIRST if real else -np.inf
        return scores

    def tell(self, item: int, real: bool) -> None:
        """See ``Learner``."""
        self._says[int(self._cluster[item])] = real


class Alarm(_Explained):
    """Verdicts become rules, the detector stays.

    After Ding, Seleznev, Kumar, Bruss, Akoglu: From Detection to Action (ICAIF 2023): the analyst
    makes a rule of what was verified. Here: a box on the three columns with the largest SHAP
    values, open away from the median, as wide as half of the item's distance from it; a rule that
    catches told items of the other kind is no rule. What a *real* rule catches comes first, what
    only *spurious* ones catch comes last.
    """

    def __init__(self, X: Matrix, seed: int) -> None:
        super().__init__(X, seed)
        self._middle = np.nanmedian(X, axis=0)
        self._boxes: list[npt.NDArray[np.bool_]] = []

    def tell(self, item: int, real: bool) -> None:
        """See ``Learner``."""
        super().tell(item, real)
        self._boxes.append(self._caught(item))

    def scores(self) -> Vector:
        """See ``Learner``."""
        real, spurious = np.zeros(len(self._X), bool), np.zeros(len(self._X), bool)
        told, answers = np.array(self._told, np.int64), np.array(self._real, bool)
        for caught, is_real in zip(self._boxes, self._real, strict=True):
            if not (answers[caught[told]] != is_real).any():
                (real if is_real else spurious)[caught] = True
        return self._score + FIRST * real - FIRST * (spurious & ~real)

    def _caught(self, item: int) -> npt.NDArray[np.bool_]:
        caught = np.ones(len(self._X), bool)
        for column in np.argsort(self._parts[item])[: -REASONS - 1 : -1].tolist():
            value, usual = self._X[item, column], self._middle[column]
            edge = (value + usual) / 2
            values = self._X[:, column]
            caught &= values >= edge if value >= usual else values <= edge
        return caught


class IfShap(_Explained):
    """Isolation forest, SHAP, thresholds.

    The pattern of many reports (no single paper): verified anomalies give thresholds on SHAP
    values. Here: per column the threshold that parts the told items best (share of real ones above
    it minus share of the others); an item is worth the sum of what the thresholds that it exceeds
    were worth, and among equals the forest's score decides.
    """

    def scores(self) -> Vector:
        """See ``Learner``."""
        answers = np.array(self._real, bool)
        if not len(answers) or answers.all() or not answers.any():
            return self._score
        told = self._parts[self._told]
        value = np.zeros(len(self._X))
        for column in range(told.shape[1]):
            cuts = told[answers, column]
            above = told[:, column] >= cuts[:, np.newaxis]
            worth = above[:, answers].mean(axis=1) - above[:, ~answers].mean(axis=1)
            best = int(np.argmax(worth))
            if worth[best] > 0:
                value += worth[best] * (self._parts[:, column] >= cuts[best])
        return self._score + FIRST * value
