"""The latest rows of a stream."""

from __future__ import annotations

import numpy as np

from detectors.arrays import Matrix


class Ring:
    """The last ``capacity`` rows of all that were added. Adding never moves older rows.

    Attributes:
        seen: how many rows were ever added.
    """

    def __init__(self, capacity: int, features: int) -> None:
        self._buffer = np.empty((capacity, features), np.float32)
        self.seen = 0

    def __len__(self) -> int:
        return min(self.seen, len(self._buffer))

    def __repr__(self) -> str:
        return f"Ring({len(self)} of {len(self._buffer)} rows)"

    @property
    def rows(self) -> Matrix:
        """The rows; a view, in an order that depends on how many were ever added."""
        return self._buffer[: len(self)]

    def add(self, X: Matrix) -> None:
        """Take in rows, the oldest go."""
        capacity = len(self._buffer)
        kept = X[-capacity:]
        place = (self.seen + len(X) - len(kept)) % capacity
        tail = min(len(kept), capacity - place)
        self._buffer[place : place + tail] = kept[:tail]
        self._buffer[: len(kept) - tail] = kept[tail:]
        self.seen += len(X)

    def load(self, rows: Matrix, seen: int) -> None:
        """Take over the ``rows`` and ``seen`` of another ring of this capacity."""
        if rows.shape != (min(seen, len(self._buffer)), self._buffer.shape[1]):
            raise ValueError(f"{rows.shape} rows are no window after {seen} rows")
        self._buffer[: len(rows)] = rows
        self.seen = seen
