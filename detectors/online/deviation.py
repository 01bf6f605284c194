"""How far the strangest feature of a row lies from its usual value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pydantic import Field

from detectors import base
from detectors.arrays import Matrix, Vector

FARTHEST = 30.0
"""Deviations that count at most; also what a change of a constant column is worth."""

_FLOOR = 1e-9  # of the largest value seen: below this a column is constant


class Deviation(base.Detector):
    """Largest distance of a feature from its mean, in standard deviations of that feature.

    Mean and deviation of each feature forget: a row counts half after ``half_life`` rows. It finds
    what a forest is weak at, one far value among many usual ones, and costs next to nothing (about
    0.05 us per event for 10 features). It misses rare combinations of usual values, and behaviours
    between two usual ones. In an ensemble with an isolation forest it is a good second opinion.

    Missing values say nothing. The explanation is exact: the score is that of one feature.

    Example:
        >>> import numpy as np
        >>> deviation = Deviation(["x"])
        >>> deviation.learn_many(np.linspace(0, 1, 256, dtype=np.float32)[:, np.newaxis])
        >>> usual, odd = deviation.score_many(np.array([[0.5], [9.0]], np.float32))
        >>> bool(odd > usual)
        True
    """

    kind = "deviation"
    natural = (1.8, 1.0)

    class Params(base.Params):
        """Parameters of the baseline."""

        half_life: int = Field(
            default=10_000, ge=1, description="rows after which a row counts half in the usual"
        )

    params: Params

    @classmethod
    def examples(cls) -> Sequence[Params]:
        """Return one that forgets slowly and one that forgets fast."""
        return [cls.Params(), cls.Params(half_life=500)]

    def _begin(self, features: int) -> None:
        self._weight = np.zeros(features)
        self._mean = np.zeros(features)
        self._square = np.zeros(features)  # sum of weighted squared distances to the mean
        self._largest = np.zeros(features)

    def score_many(self, X: Matrix) -> Vector:
        """Return the largest deviation of each row, at most ``FARTHEST``."""
        largest: Vector = self._deviations(X).max(axis=1, initial=0.0)
        return largest

    def learn_many(self, X: Matrix) -> None:
        """Take the rows into the usual; earlier ones lose weight by their number."""
        rows = base.as_rows(X, len(self._mean)).astype(np.float64)
        if len(rows) == 0:
            return
        known = np.isfinite(rows)
        rows = np.where(known, rows, 0.0)
        count = known.sum(axis=0)
        mean = rows.sum(axis=0) / np.maximum(count, 1)
        square = (np.square(rows - mean) * known).sum(axis=0)
        keep = 0.5 ** (len(rows) / self.params.half_life)
        old = self._weight * keep
        weight = old + count
        share = count / np.maximum(weight, 1e-300)
        step = mean - self._mean
        self._square = self._square * keep + square + step * step * old * share
        self._mean = self._mean + step * share
        self._weight = weight
        self._largest = np.maximum(self._largest, np.abs(rows).max(axis=0))

    def explain_many(self, X: Matrix) -> base.Attribution:
        """Give the whole score to the feature that it comes from."""
        deviations = self._deviations(X)
        values = np.zeros(deviations.shape)
        rows = np.arange(len(deviations))
        strangest = deviations.argmax(axis=1)
        values[rows, strangest] = deviations[rows, strangest]
        return base.Attribution(values, np.zeros(len(values)), "deviation", additive=True)

    def _deviations(self, X: Matrix) -> npt.NDArray[np.float64]:
        distance = np.abs(base.as_rows(X, len(self._mean)).astype(np.float64) - self._mean)
        spread = np.sqrt(self._square / np.maximum(self._weight, 1e-300))
        floor = _FLOOR * np.maximum(self._largest, 1e-300)
        varies = spread > floor
        constant = np.where(distance > floor, FARTHEST, 0.0)
        deviations = np.where(varies, distance / np.where(varies, spread, 1.0), constant)
        deviations[:, self._weight == 0.0] = 0.0
        known: npt.NDArray[np.float64] = np.nan_to_num(deviations, nan=0.0, posinf=FARTHEST)
        return np.minimum(known, FARTHEST)

    def _dump(self) -> base.Snapshot:
        state = np.stack([self._weight, self._mean, self._square, self._largest])
        return base.Snapshot({"features": len(self._mean)}, {"state": state})

    def _load(self, snapshot: base.Snapshot) -> None:
        state = snapshot.arrays["state"]
        if snapshot.meta["features"] != len(self._mean) or state.shape != (4, len(self._mean)):
            raise ValueError("the state is of other features")
        self._weight, self._mean, self._square, self._largest = state.astype(np.float64).copy()
