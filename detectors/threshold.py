"""How anomalous is anomalous enough: a threshold that keeps to a budget of alerts."""

from __future__ import annotations

import math

import numpy as np

from detectors.base import Snapshot, SnapshotError, Vector

_MOST_TIES = 5.0  # times the budget; equal margins beyond that many are a level, not a peak


class AlertBudget:
    """The margin that a given share of the last events reach.

    Deterministic: the threshold follows from the blocks learned. It moves between blocks only. When
    so many of the last margins are equal that alerting all of them would be over five times the
    budget, the threshold lies just above them.

    Args:
        share: of the events that may become candidates.
        window: latest margins that the share refers to.
    """

    def __init__(self, share: float, window: int = 10_000) -> None:
        if not 0.0 < share < 1.0:
            raise ValueError(f"share must lie between 0 and 1, not {share}")
        if window < 1:
            raise ValueError(f"window must be positive, not {window}")
        self._share = share
        self._margins = np.empty(window, np.float64)
        self._seen = 0
        self._threshold = math.inf

    @property
    def threshold(self) -> float:
        """The margin that is needed; infinite before any block."""
        return self._threshold

    def learn(self, margins: Vector) -> None:
        """Take in the margins of one block, in order."""
        if not len(margins):
            return
        capacity = len(self._margins)
        kept = margins[-capacity:]
        places = (self._seen + len(margins) - len(kept) + np.arange(len(kept))) % capacity
        self._margins[places] = kept
        self._seen += len(margins)
        self._threshold = self._quantile(self._last())

    def _last(self) -> Vector:
        return self._margins[: min(self._seen, len(self._margins))]

    def _quantile(self, margins: Vector) -> float:
        allowed = max(1, int(self._share * len(margins)))
        threshold = float(np.partition(margins, -allowed)[-allowed])
        reached = int(np.count_nonzero(margins >= threshold))
        if reached <= _MOST_TIES * max(allowed, self._share * len(margins)):
            return threshold
        return float(np.nextafter(threshold, math.inf))

    def snapshot(self) -> Snapshot:
        """Return the whole state."""
        return Snapshot(
            {"share": self._share, "window": len(self._margins), "seen": self._seen},
            {"margins": self._last().copy()},
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Replace the state. Raises ``SnapshotError`` if it is of another budget."""
        meta, margins = snapshot.meta, snapshot.arrays.get("margins")
        if (meta.get("share"), meta.get("window")) != (self._share, len(self._margins)):
            raise SnapshotError("the snapshot is of another alert budget")
        seen = meta.get("seen")
        if margins is None or not isinstance(seen, int):
            raise SnapshotError("the snapshot of the alert budget is damaged")
        if margins.shape != (min(seen, len(self._margins)),):
            raise SnapshotError("the snapshot of the alert budget is damaged")
        self._margins[: len(margins)] = margins
        self._seen = seen
        self._threshold = self._quantile(margins) if seen else math.inf
