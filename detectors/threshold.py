"""How anomalous is anomalous enough: a threshold that keeps to a budget of alerts."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from detectors.base import Matrix, Snapshot, SnapshotError, Vector
from detectors.ring import Ring

KEPT = 10_000
"""Latest rows that new labels move; walking them takes some milliseconds."""

_MOST_TIES = 5.0  # times the budget; equal margins beyond that many are a level, not a peak


class AlertBudget:
    """The margin that a given share of the last events reach.

    Deterministic: the threshold follows from the blocks learned and the shifts they were given. It
    moves with a block and with new labels only: ``rebase`` gives the rows that are still kept the
    margins that the labels would have given them, so that a threshold from before the labels
    doesn't hold back (or let through) what comes after them. When so many of the last margins are
    equal that alerting all of them would be over five times the budget, the threshold lies just
    above them.

    Args:
        features: columns of a row.
        share: of the events that may become candidates.
        window: latest margins that the share refers to.
    """

    def __init__(self, features: int, share: float, window: int = 10_000) -> None:
        if not 0.0 < share < 1.0:
            raise ValueError(f"share must lie between 0 and 1, not {share}")
        if window < 1:
            raise ValueError(f"window must be positive, not {window}")
        self._share = share
        self._margins = np.empty(window, np.float64)
        self._seen = 0
        self._ring = Ring(min(window, KEPT), features)
        self._priors = np.empty(min(window, KEPT), np.float64)
        self._threshold = math.inf
        self._top = np.empty(0)  # the margins that reach the share, largest first

    @property
    def threshold(self) -> float:
        """The margin that is needed; infinite before any block."""
        return self._threshold

    def stricter(self, part: float) -> float:
        """Return the margin that about this part of the share reaches, in (0, 1].

        Beyond the largest of the window it goes on as an exponential tail would.
        """
        if not len(self._top):
            return self._threshold
        rank = part * len(self._top)
        if rank >= 1.0:
            needed = float(self._top[math.ceil(rank) - 1])
        else:
            excess = float(np.mean(self._top - self._top[-1]))
            needed = float(self._top[0]) - excess * math.log(rank)
        return max(self._threshold, needed)

    def learn(self, X: Matrix, priors: Vector, margins: Vector) -> None:
        """Take in one block, in order: its rows, their margins without and with what labels say."""
        if not len(margins):
            return
        _put(self._priors, self._ring.seen, priors)
        self._ring.add(X)
        _put(self._margins, self._seen, margins)
        self._seen += len(margins)
        self._take_threshold(self._last())

    @property
    def rows(self) -> Matrix:
        """The latest rows whose margins are known without what labels say; see ``line``."""
        return self._ring.rows

    def line(self, shifts: Vector) -> float:
        """Return what the threshold would be if labels shifted ``rows`` so."""
        if not len(shifts):
            return self._threshold
        return self._cut(self._priors[: len(shifts)] + shifts)[0]

    @property
    def priors(self) -> Vector:
        """The margins of ``rows`` without what labels say, as they were when learned."""
        return self._priors[: len(self._ring)]

    def rebase(self, shift: Callable[[Matrix, Vector], Vector]) -> None:
        """Add ``shift(rows, priors)`` to the kept rows' margins; older ones are forgotten."""
        rows, seen = self._ring.rows, self._ring.seen
        if not len(rows):
            return
        margins = self.priors + shift(rows, self.priors)
        oldest = seen % len(rows) if seen > len(rows) else 0
        self._margins[: len(rows)] = np.roll(margins, -oldest)
        self._seen = len(rows)
        self._take_threshold(self._last())

    def remap(self, change: Callable[[Vector], Vector]) -> None:
        """Replace the margins without labels of the kept rows; ``rebase`` has to follow."""
        self.priors[:] = change(self.priors)

    def _last(self) -> Vector:
        return self._margins[: min(self._seen, len(self._margins))]

    def _take_threshold(self, margins: Vector) -> None:
        self._threshold, self._top = self._cut(margins)

    def _cut(self, margins: Vector) -> tuple[float, Vector]:
        """Return the margin that the share reaches, and those that do, largest first."""
        allowed = max(1, int(self._share * len(margins)))
        top = np.sort(np.partition(margins, -allowed)[-allowed:])[::-1]
        threshold = float(top[-1])
        reached = int(np.count_nonzero(margins >= threshold))
        if reached > _MOST_TIES * max(allowed, self._share * len(margins)):
            threshold = float(np.nextafter(threshold, math.inf))
        return threshold, top

    def snapshot(self) -> Snapshot:
        """Return the whole state."""
        return Snapshot(
            {
                "window": len(self._margins),
                "seen": self._seen,
                "rows_seen": self._ring.seen,
            },
            {
                "margins": self._last().copy(),
                "rows": self._ring.rows.copy(),
                "priors": self.priors.copy(),
            },
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Replace the state. Raises ``SnapshotError`` if it is of another window.

        The share may be another one: what is kept are margins, and the threshold follows from them.
        """
        meta, arrays = snapshot.meta, snapshot.arrays
        if meta.get("window") != len(self._margins):
            raise SnapshotError("the snapshot is of an alert budget with another window")
        try:
            seen, margins, priors = int(meta["seen"]), arrays["margins"], arrays["priors"]
            self._ring.load(arrays["rows"], int(meta["rows_seen"]))
            self._margins[: min(seen, len(self._margins))] = margins
            self._priors[: len(self._ring)] = priors
        except (KeyError, ValueError) as error:
            raise SnapshotError(f"the snapshot of the alert budget is damaged: {error}") from error
        self._seen, self._threshold, self._top = seen, math.inf, np.empty(0)
        if seen:
            self._take_threshold(margins)


def _put(buffer: Vector, seen: int, values: Vector) -> None:
    """Write values into a ring of which ``seen`` were ever written."""
    kept = values[-len(buffer) :]
    places = (seen + len(values) - len(kept) + np.arange(len(kept))) % len(buffer)
    buffer[places] = kept
