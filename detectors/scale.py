"""Putting scores of any detector on one scale."""

from __future__ import annotations

import math

import numpy as np

from detectors.arrays import Vector
from detectors.base import Snapshot, SnapshotError

_FLOOR = 1e-9  # below this, scores don't differ


def shrinkage(distance: Vector, shrunk: Vector) -> Vector:
    """Return by what parts that add up to ``distance`` are multiplied to add up to ``shrunk``."""
    factor: Vector = np.divide(
        shrunk, distance, out=np.ones(len(distance)), where=np.abs(distance) > _FLOOR
    )
    return factor


class ScoreScale:
    """Running mean and deviation of scores, forgetting a share with every block.

    ``standardise`` says how many standard deviations a score lies above the usual. Before any
    block, and while all scores are alike, every score is 0.

    Args:
        half_life: rows after which a score counts half; the mean is over about 1.4 times as many.
    """

    def __init__(self, half_life: float = 20_000.0) -> None:
        if half_life <= 0:
            raise ValueError(f"half_life must be positive, not {half_life}")
        self.half_life = half_life
        self._weight = 0.0
        self._mean = 0.0
        self._square = 0.0  # sum of weighted squared distances to the mean

    def __repr__(self) -> str:
        return f"ScoreScale(mean={self.mean:.4g}, deviation={self.deviation:.4g})"

    @property
    def mean(self) -> float:
        """The usual score."""
        return self._mean

    @property
    def deviation(self) -> float:
        """The standard deviation of scores, 0 before there are two."""
        return math.sqrt(self._square / self._weight) if self._weight > 0 else 0.0

    @property
    def gain(self) -> float:
        """What one unit of score is worth in standard deviations, 0 while all scores are alike."""
        return 1.0 / self.deviation if self.deviation >= _FLOOR else 0.0

    def learn(self, scores: Vector) -> None:
        """Take in the scores of one block; earlier blocks lose weight by its length."""
        rows = len(scores)
        if rows == 0:
            return
        keep = 0.5 ** (rows / self.half_life)
        mean = float(scores.mean())
        square = float(np.square(scores - mean).sum())
        old = self._weight * keep
        weight = old + rows
        step = mean - self._mean
        self._square = self._square * keep + square + step * step * old * rows / weight
        self._mean += step * rows / weight
        self._weight = weight

    def standardise(self, scores: Vector) -> Vector:
        """Return (score - mean) / deviation, all 0 while all scores are alike."""
        result: Vector = (scores - self._mean) * self.gain
        return result

    def snapshot(self) -> Snapshot:
        """Return the whole state."""
        state = np.array([self._weight, self._mean, self._square])
        return Snapshot({"half_life": self.half_life}, {"state": state})

    def restore(self, snapshot: Snapshot) -> None:
        """Replace the state. Raises ``SnapshotError`` if it is of another scale."""
        state = snapshot.arrays.get("state")
        if state is None or state.shape != (3,):
            raise SnapshotError("not the snapshot of a score scale")
        if snapshot.meta.get("half_life") != self.half_life:
            raise SnapshotError(
                f"the snapshot's half_life is {snapshot.meta.get('half_life')}, "
                f"this scale's {self.half_life}"
            )
        self._weight, self._mean, self._square = (float(value) for value in state)


class FixedScale:
    """A scale that is known beforehand: the same score means the same at any time."""

    def __init__(self, mean: float, deviation: float) -> None:
        self.mean = mean
        self.gain = 1.0 / deviation

    def learn(self, scores: Vector) -> None:
        """Change nothing."""

    def standardise(self, scores: Vector) -> Vector:
        """Return (score - mean) / deviation."""
        result: Vector = (scores - self.mean) * self.gain
        return result

    def snapshot(self) -> Snapshot:
        """Return nothing: there is no state."""
        return Snapshot({}, {})

    def restore(self, snapshot: Snapshot) -> None:
        """Take nothing over."""
