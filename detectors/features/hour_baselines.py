"""What is usual at each hour, of everybody and of each entity; the past fades with event time."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from detectors.base import Snapshot, SnapshotError, Vector
from detectors.features.keys import pack_texts, unpack_texts
from detectors.jit import kernel

Cells = npt.NDArray[np.float64]
"""Rows x slots and one for all of them x (weight, sum, sum of squares, time of the last change)."""

_EVERYBODY = 0  # the row that all events count in
_PRIOR = 10.0  # events that an entity's own past is shrunk by, towards everybody's
_ENOUGH = 20.0  # events after which a value can be far off
_FAR = 4.0  # deviations; what is farther counts as that far, so that it moves nothing alone
_LARGEST = 30.0  # deviations shown
_STEP = 0.05  # half-lives that one event moves the clock at most: a wrong time wipes nothing out
_FIRST_ROWS = 64
_KEY_BYTES = 150  # an entry of a dict with a text as key


class HourBaselines:
    """Fading sums per slot of the day or week, for all events together and for each entity.

    Sequential: an event is compared with what came before it, then taken in (half in its slot, a
    quarter in each neighbour). Entities beyond ``max_entities`` are forgotten, the one not seen for
    longest first. ``most_bytes``: about what they take when full.
    """

    def __init__(self, slots: int, half_life: float, max_entities: int) -> None:
        self._slots, self._half_life, self._limit = slots, half_life, max_entities
        self._rows: dict[str, int] = {}  # by entity, the one not seen for longest first
        self._cells: Cells = np.zeros((min(_FIRST_ROWS, max_entities + 1), slots + 1, 4))
        self.most_bytes = max_entities * (self._cells[0].nbytes + _KEY_BYTES)
        self._clock = np.full(1, np.nan)

    def rarity(self, keys: list[str] | None, slots: npt.NDArray[np.int64], times: Vector) -> Vector:
        """Return how rare events are at their slot: -log of (share of the slot times slots).

        0 where events come evenly. ``keys``: entities, None = everybody together; slot -1: no time.
        """
        rows, fresh = self._places(keys, len(slots))
        out = np.empty(len(slots))
        _rarity(self._cells, self._clock, self._half_life, rows, fresh, slots, times, out)
        return out

    def deviations(
        self, keys: list[str] | None, slots: npt.NDArray[np.int64], times: Vector, values: Vector
    ) -> Vector:
        """Return by how many standard deviations values are off what is usual at their slot."""
        rows, fresh = self._places(keys, len(slots))
        out = np.empty(len(slots))
        _deviations(
            self._cells, self._clock, self._half_life, rows, fresh, slots, times, values, out
        )
        return out

    def snapshot(self) -> Snapshot:
        """Return the whole state."""
        used = len(self._rows) + 1
        return Snapshot(
            {},
            {
                **pack_texts("entities", self._rows),
                "rows": np.array(list(self._rows.values()), np.int64),
                "cells": self._cells[:used].copy(),
                "clock": self._clock.copy(),
            },
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Replace the state. Raises SnapshotError if it is damaged or has other slots."""
        entities = unpack_texts("entities", snapshot.arrays)
        try:
            rows, cells, clock = (snapshot.arrays[name] for name in ("rows", "cells", "clock"))
        except KeyError as error:
            raise SnapshotError(f"the snapshot of baselines has no {error}") from error
        used = len(entities) + 1
        fits = cells.shape == (used, self._slots + 1, 4) and clock.shape == (1,)
        if not fits or sorted(rows.tolist()) != list(range(1, used)) or used > self._limit + 1:
            raise SnapshotError("the snapshot of baselines is damaged or of other ones")
        self._rows = dict(zip(entities, rows.tolist(), strict=True))
        self._cells = np.zeros((max(used, self._cells.shape[0]), self._slots + 1, 4))
        self._cells[:used], self._clock = cells, clock.astype(np.float64)

    def _places(
        self, keys: list[str] | None, events: int
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Return each event's row, and whether it begins with this event."""
        rows, fresh = np.full(events, _EVERYBODY, np.int64), np.zeros(events, bool)
        for i, key in enumerate(keys or ()):
            row = self._rows.pop(key, None)
            if row is None:
                fresh[i] = True
                row = len(self._rows) + 1
                if row > self._limit:
                    row = self._rows.pop(next(iter(self._rows)))
            self._rows[key] = rows[i] = row
        if len(self._rows) >= len(self._cells):
            grown = np.zeros((min(2 * len(self._rows), self._limit) + 1, *self._cells.shape[1:]))
            grown[: len(self._cells)] = self._cells
            self._cells = grown
        return rows, fresh


@kernel
def _tick(clock: Vector, time: float, half_life: float) -> float:
    """Move the clock to the latest time so far, but not far at once."""
    if math.isnan(clock[0]):
        clock[0] = time
    elif time > clock[0]:
        clock[0] = min(time, clock[0] + _STEP * half_life)
    return float(clock[0])


@kernel
def _fade(cells: Cells, row: int, slot: int, now: float, half_life: float) -> float:
    """Bring a cell to the present; return its weight."""
    faded = 2.0 ** ((cells[row, slot, 3] - now) / half_life)
    for part in range(3):
        cells[row, slot, part] *= faded
    cells[row, slot, 3] = now
    return float(cells[row, slot, 0])


@kernel
def _add(
    cells: Cells, row: int, slot: int, now: float, half_life: float, off: float, all_off: float
) -> None:
    """Take an event in: ``off`` at its slot and half of it at the next ones, ``all_off`` in all."""
    slots = cells.shape[1] - 1
    for step, share in ((-1, 0.25), (0, 0.5), (1, 0.25)):
        near = (slot + step) % slots
        _fade(cells, row, near, now, half_life)
        cells[row, near, 0] += share
        cells[row, near, 1] += share * off
    _fade(cells, row, slots, now, half_life)
    cells[row, slots, 0] += 1.0
    cells[row, slots, 1] += all_off


@kernel
def _rarity(
    cells: Cells,
    clock: Vector,
    half_life: float,
    rows: npt.NDArray[np.int64],
    fresh: npt.NDArray[np.bool_],
    slots: npt.NDArray[np.int64],
    times: Vector,
    out: Vector,
) -> None:
    count = cells.shape[1] - 1
    for i in range(len(rows)):
        row, slot = rows[i], slots[i]
        if fresh[i]:
            cells[row] = 0.0
        if slot < 0:
            out[i] = np.nan
            continue
        now = _tick(clock, times[i], half_life)
        all_of = _fade(cells, _EVERYBODY, count, now, half_life)
        here = _fade(cells, _EVERYBODY, slot, now, half_life)
        share = (here + 1.0) / (all_of + count)
        if row != _EVERYBODY:
            own_all = _fade(cells, row, count, now, half_life)
            own = _fade(cells, row, slot, now, half_life)
            share = (own + _PRIOR * share) / (own_all + _PRIOR)
            _add(cells, row, slot, now, half_life, 0.0, 0.0)
        _add(cells, _EVERYBODY, slot, now, half_life, 0.0, 0.0)
        out[i] = -math.log(share * count)


@kernel
def _deviations(
    cells: Cells,
    clock: Vector,
    half_life: float,
    rows: npt.NDArray[np.int64],
    fresh: npt.NDArray[np.bool_],
    slots: npt.NDArray[np.int64],
    times: Vector,
    values: Vector,
    out: Vector,
) -> None:
    count = cells.shape[1] - 1
    for i in range(len(rows)):
        row, slot, value = rows[i], slots[i], values[i]
        if fresh[i]:
            cells[row] = 0.0
        if slot < 0 or math.isnan(value):
            out[i] = np.nan
            continue
        now = _tick(clock, times[i], half_life)
        all_of = _fade(cells, _EVERYBODY, count, now, half_life)
        here = _fade(cells, _EVERYBODY, slot, now, half_life)
        mean = cells[_EVERYBODY, count, 1] / all_of if all_of > 0.0 else value
        at_hour = mean + cells[_EVERYBODY, slot, 1] / (here + 1.0)
        square = cells[_EVERYBODY, count, 2] / all_of if all_of > 0.0 else 0.0
        usual = at_hour
        own_level = 0.0
        if row != _EVERYBODY:
            own_all = _fade(cells, row, count, now, half_life)
            own = _fade(cells, row, slot, now, half_life)
            own_level = cells[row, count, 1] / (own_all + _PRIOR)
            usual = at_hour + own_level + cells[row, slot, 1] / (own + _PRIOR)
            square = (cells[row, count, 2] + _PRIOR * square) / (own_all + _PRIOR)
        off = value - usual
        deviation = math.sqrt(square + 1e-12 * (1.0 + usual * usual))
        known = all_of >= 2.0
        out[i] = max(-_LARGEST, min(_LARGEST, off / deviation)) if known else 0.0
        if all_of >= _ENOUGH:
            off = max(-_FAR * deviation, min(_FAR * deviation, off))
        taken = usual + off
        if row != _EVERYBODY:
            _add(cells, row, slot, now, half_life, taken - at_hour - own_level, taken - at_hour)
            cells[row, count, 2] += off * off
        _add(cells, _EVERYBODY, slot, now, half_life, taken - mean, taken)
        cells[_EVERYBODY, count, 2] += off * off
