"""When a mean has risen: the test of Page and Hinkley."""

from __future__ import annotations

from typing import Any

from detectors.base import SnapshotError


class PageHinkley:
    """Says when the mean of a series has risen for good, or by much at once.

    It adds up by how much values exceed their mean so far and an allowance; where the sum is more
    than ``limit`` above its lowest point, the mean has risen, and it begins anew (Page, Biometrika,
    1954). A fall is none of its business. The state is a pure function of the values.

    Args:
        allowance: a rise that counts for nothing. ``limit``: what it takes beyond that, in all.
    """

    def __init__(self, allowance: float, limit: float) -> None:
        self._allowance, self._limit = allowance, limit
        self._begin()

    def _begin(self) -> None:
        self._count, self._mean, self._sum, self._lowest = 0, 0.0, 0.0, 0.0

    def add(self, value: float) -> bool:
        """Take the next value; return whether the mean has risen by now."""
        self._count += 1
        self._mean += (value - self._mean) / self._count
        self._sum += value - self._mean - self._allowance
        self._lowest = min(self._lowest, self._sum)
        risen = self._sum - self._lowest > self._limit
        if risen:
            self._begin()
        return risen

    def state(self) -> list[float]:
        """Return the state for a snapshot's meta."""
        return [self._count, self._mean, self._sum, self._lowest]

    def load(self, state: Any) -> None:
        """Replace the state."""
        try:
            count, self._mean, self._sum, self._lowest = map(float, state)
        except (TypeError, ValueError) as error:
            raise SnapshotError(f"the snapshot of a test for drift is damaged: {error}") from error
        self._count = int(count)
