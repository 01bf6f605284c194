"""The directions of leaders, side by side, and the search for the nearest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from detectors.base import Vector
from detectors.jit import kernel

Sums = npt.NDArray[np.float64]

_FIRST_ROOM = 64  # leaders; doubled when full
_NOBODY = -1


@kernel
def _nearest(
    direction: Vector,
    time: float,
    sums: Sums,
    lengths: Vector,
    starts: Vector,
    ends: Vector,
    sizes: npt.NDArray[np.int64],
    needed: Vector,
    gap: float,
    max_size: int,
) -> int:
    """Return the leader that the direction exceeds its needed cosine with by most, -1 if none."""
    best, found = 0.0, _NOBODY
    for slot in range(len(sizes)):
        near = starts[slot] - gap <= time <= ends[slot] + gap
        if not near or sizes[slot] == 0 or sizes[slot] >= max_size:
            continue
        cosine = 0.0
        for column in range(len(direction)):
            cosine += sums[slot, column] * direction[column]
        if lengths[slot] > 0.0:
            cosine /= lengths[slot]
        margin = cosine - needed[slot]
        if margin > best or (margin == best and found == _NOBODY):
            best, found = margin, slot
    return found


class Leaders:
    """Rows of numbers, one per leader: the sum of its members' directions, their times and count.

    Args:
        features: length of a direction.
    """

    def __init__(self, features: int) -> None:
        self._sums: Sums = np.zeros((_FIRST_ROOM, features))
        self._lengths: Vector = np.zeros(_FIRST_ROOM)
        self._starts: Vector = np.zeros(_FIRST_ROOM)
        self._ends: Vector = np.zeros(_FIRST_ROOM)
        self._sizes = np.zeros(_FIRST_ROOM, np.int64)
        self._needed: Vector = np.zeros(_FIRST_ROOM)
        self._free = list(range(_FIRST_ROOM))[::-1]

    def new(self, contributions: Vector, time: float) -> int:
        """Make a leader of one member; return its slot."""
        if not self._free:
            self._double()
        slot = self._free.pop()
        self._sums[slot] = 0.0
        self._sizes[slot] = 0
        self._starts[slot] = self._ends[slot] = time
        self.add(slot, contributions, time)
        return slot

    def add(self, slot: int, contributions: Vector, time: float) -> None:
        """Count a member in."""
        self._sums[slot] += _unit(contributions)
        self._lengths[slot] = np.sqrt(np.dot(self._sums[slot], self._sums[slot]))
        self._starts[slot] = min(self._starts[slot], time)
        self._ends[slot] = max(self._ends[slot], time)
        self._sizes[slot] += 1

    def free(self, slot: int) -> None:
        """Let the leader go; its slot is used again."""
        self._sizes[slot] = 0
        self._free.append(slot)

    def takes(self, slot: int, time: float, gap: float, max_size: int) -> bool:
        """Say whether the leader is near in time and has room."""
        near = self._starts[slot] - gap <= time <= self._ends[slot] + gap
        return bool(near and self._sizes[slot] < max_size)

    def nearest(
        self,
        contributions: Vector,
        time: float,
        gap: float,
        max_size: int,
        needed: tuple[float, float],
        shared: Sequence[int],
    ) -> int | None:
        """Return the slot of the nearest leader that is near enough in time and direction.

        Args:
            contributions: their direction is compared.
            time: event time, at most ``gap`` from the leader's members.
            gap: seconds.
            max_size: members of a leader that has no more room.
            needed: least cosine, in general and with leaders that share an entity.
            shared: slots of the leaders that share one.
        """
        self._needed[:] = needed[0]
        self._needed[shared] = needed[1]
        found = _nearest(
            _unit(contributions),
            time,
            self._sums,
            self._lengths,
            self._starts,
            self._ends,
            self._sizes,
            self._needed,
            gap,
            max_size,
        )
        return None if found == _NOBODY else int(found)

    def _double(self) -> None:
        room = len(self._sizes)
        for name in ("_sums", "_lengths", "_starts", "_ends", "_sizes", "_needed"):
            old = getattr(self, name)
            setattr(self, name, np.concatenate([old, np.zeros_like(old)]))
        self._free = list(range(room, 2 * room))[::-1]


def _unit(contributions: Vector) -> Vector:
    length = float(np.sqrt(np.dot(contributions, contributions)))
    return contributions / length if length > 0.0 else np.zeros_like(contributions)
