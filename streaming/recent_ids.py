"""Duplicates, within a bounded horizon."""

from __future__ import annotations

import hashlib

import numpy as np

from detectors.base import Snapshot


class RecentIds:
    """Remembers the last ``horizon`` event ids, by a 64-bit digest.

    Two different ids share a digest with probability about 3e-10 at a horizon of 100,000.
    """

    def __init__(self, horizon: int) -> None:
        self._horizon = horizon
        self._seen: dict[int, None] = {}  # insertion-ordered: the first key is the oldest

    def is_new(self, event_id: str) -> bool:
        """Return whether the id is new, and remember it."""
        digest = _digest(event_id)
        if digest in self._seen:
            return False
        self._seen[digest] = None
        if len(self._seen) > self._horizon:
            del self._seen[next(iter(self._seen))]
        return True

    def snapshot(self) -> Snapshot:
        """Return the digests, oldest first."""
        return Snapshot({}, {"ids": np.fromiter(self._seen, dtype=np.int64, count=len(self._seen))})

    def restore(self, snapshot: Snapshot) -> None:
        """Replace what is remembered."""
        self._seen = dict.fromkeys(snapshot.arrays["ids"].tolist())


def _digest(event_id: str) -> int:
    data = hashlib.blake2b(event_id.encode(), digest_size=8).digest()
    return int.from_bytes(data, "little", signed=True)
