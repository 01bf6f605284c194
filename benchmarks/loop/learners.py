"""The contract of what is compared, and who is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from benchmarks.loop.aad import AAD
from benchmarks.loop.omd import OMD
from benchmarks.loop.patterns import Alarm, Hilad, IfShap
from detectors.base import Matrix, Vector
from streaming.evaluate.pool import Pool, PoolSettings, whole_forest


class Learner(Protocol):
    """Ranks the items of a pool and learns from answers about them.

    Built with the items (rows x features) and a seed. It is asked for ``scores``, told whether the
    item with the highest of those not told yet is real, and so on.
    """

    def scores(self) -> Vector:
        """Return a score per item: the highest is looked at next, minus infinity never."""

    def tell(self, item: int, real: bool) -> None:
        """Take in the answer about an item."""


class Ours:
    """What ``triage evaluate --mode pool`` runs."""

    def __init__(self, X: Matrix, seed: int) -> None:
        self._pool = Pool(X, PoolSettings(seed=seed))

    def scores(self) -> Vector:
        """See ``Learner``."""
        scores: Vector = self._pool.before
        return scores

    def tell(self, item: int, real: bool) -> None:
        """See ``Learner``."""
        self._pool.tell(item, float(real))


class RandomLooks:
    """Looks at anything."""

    def __init__(self, X: Matrix, seed: int) -> None:
        self._scores = np.random.default_rng(seed).random(len(X))

    def scores(self) -> Vector:
        """See ``Learner``."""
        return self._scores

    def tell(self, item: int, real: bool) -> None:
        """Learn nothing."""


class NoFeedback:
    """The isolation forest's ranking as it is."""

    def __init__(self, X: Matrix, seed: int) -> None:
        trees = whole_forest(X, seed)
        self._scores = trees.scores(X)

    def scores(self) -> Vector:
        """See ``Learner``."""
        return self._scores

    def tell(self, item: int, real: bool) -> None:
        """Learn nothing."""


LEARNERS: Mapping[str, Callable[[Matrix, int], Learner]] = {
    "ours": Ours,
    "AAD": AAD,
    "OMD": OMD,
    "HILAD": Hilad,
    "ALARM": Alarm,
    "IF+SHAP": IfShap,
    "no feedback": NoFeedback,
    "random looks": RandomLooks,
}
