"""Fields of a stream that no longer come as they used to: missing, retyped, elsewhere, new.

Every eighth record is looked at, by its offset, before it is decoded, so that also those count that
can't be used. A field is compared with its own last windows; it has drifted when two windows in a
row say so. What drifts for so long that it is the usual becomes the usual.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

from detectors.base import Snapshot
from detectors.features.registry import build, fields_used
from streaming.config.model import StreamConfig
from streaming.drift_window import COLUMNS, HIGH, LOW, MEDIAN, TYPES, TYPES_FROM, Row, Window
from streaming.field_path import Placed, path_of
from streaming.records import Position, Record
from triage.drift import Drift
from triage.model import Candidate, Reason

SAMPLE = 8  # every so many offsets one is looked at
WINDOW = 128  # records that were looked at
REMEMBERED = 8  # windows; what is usual
KNOWN = 4  # windows before anything can drift
CONFIRM = 2  # windows in a row
FORGIVEN = 40  # windows after which a drift is the usual
MAX_BYTES = 64 * 1024  # of a record that is looked at

GONE, RARE = 0.5, 0.02  # shares of the records: a field that was there; one that is not
SHIFT = 0.25  # of the records more without a value
OTHER_TYPE = 0.2  # of the values of a type that they did not have
STEADY = 0.5  # of the usual range: so far may medians of windows lie apart

MISSING, NULLS, RETYPED, RANGE, NEW = "missing", "nulls", "retyped", "range", "new"
BROKEN = frozenset({MISSING, NULLS, RETYPED})
"""Kinds by which a field is no longer what detectors were taught. A shifted range may be an attack,
a new field concerns nobody yet."""

TOLD = BROKEN | {RANGE}
"""Kinds that come to the queue."""


@dataclass(frozen=True, slots=True)
class Turn:
    """From ``offset`` on these fields are in drift."""

    offset: Position
    open: tuple[Drift, ...]


class Explained:
    """Which candidates a broken field explains: their strongest reason is a feature of it."""

    def __init__(self, config: StreamConfig) -> None:
        self._fields = {
            build(params).name: frozenset(fields_used(params).values())
            for params in config.features
        }

    def others(
        self, candidates: Sequence[Candidate], before: tuple[Drift, ...], turns: Sequence[Turn]
    ) -> list[Candidate]:
        """Return the candidates that are left, given what was open before and changed since."""
        if not turns and not any(drift.kind in BROKEN for drift in before):
            return list(candidates)
        kept = []
        for candidate in candidates:
            now = before
            for turn in turns:
                now = turn.open if turn.offset <= candidate.offset else now
            broken = {drift.field for drift in now if drift.kind in BROKEN}
            first = candidate.reasons[0].feature if candidate.reasons else ""
            if not broken & self._fields.get(first, frozenset()):
                kept.append(candidate)
        return kept


def reasons_of(drifts: Sequence[Drift], margin: float) -> tuple[Reason, ...]:
    """Return a reason per field that has drifted."""
    return tuple(
        Reason(
            feature=f"{drift.kind} {drift.field}",
            label=drift.field,
            contribution=margin / len(drifts),
            value=None,
            text=f"{drift.kind}: {drift.detail}",
            usual="",
        )
        for drift in drifts
    )


class DriftWatch:
    """Watches one partition. Its state follows from the records alone, however they are handed in.

    ``declared``: fields of the config; of others only that they are new is told.
    """

    def __init__(self, declared: Mapping[str, Placed]) -> None:
        self._declared = tuple(declared)
        self._nested = {name: field.path for name, field in declared.items() if field.path}
        self._read = frozenset(path_of(name, field)[0] for name, field in declared.items())
        self._usual: deque[Seen] = deque(maxlen=REMEMBERED)
        self._window = self._new_window()
        self._suspects: dict[str, int] = {}  # "kind field" -> windows in a row
        self._open: dict[str, Drift] = {}
        self._ages: dict[str, int] = {}  # of what is open, in windows
        self._untold: list[Drift] = []

    @property
    def open(self) -> tuple[Drift, ...]:
        """What has drifted and has neither come back nor become the usual."""
        return tuple(self._open[key] for key in sorted(self._open))

    def add(self, records: Sequence[Record]) -> Sequence[Turn]:
        """Look at records; return where what is in drift changed."""
        turns = []
        looked_at = _sample(records)
        while looked_at:
            taken, looked_at = looked_at[: self._window.left], looked_at[self._window.left :]
            self._window.add([record.value for record in taken])
            if self._window.left:
                break
            before, offset = self._open.keys() | set(), taken[-1].offset
            self._close(offset)
            if self._open.keys() != before:
                opened = tuple(d for key, d in self._open.items() if key not in before)
                turns.append(Turn(offset, self.open))
                self._untold += [drift for drift in opened if drift.kind in TOLD]
        return turns

    def tell(self, offset: Position) -> Sequence[Drift]:
        """Return, once, what has to be told with the record at ``offset``, an accepted one."""
        due = [drift for drift in self._untold if drift.since <= offset]
        self._untold = [drift for drift in self._untold if drift.since > offset]
        return due

    @property
    def untold(self) -> Position | None:
        """From this offset on something has to be told."""
        return min((drift.since for drift in self._untold), default=None)

    def snapshot(self) -> Snapshot:
        """Return the whole state."""
        meta = {
            "usual": [window.rows for window in self._usual],
            "window": self._window.state(),
            "suspects": self._suspects,
            "open": {k: [d.field, d.kind, d.detail, d.since] for k, d in self._open.items()},
            "ages": self._ages,
            "untold": [[d.field, d.kind, d.detail, d.since] for d in self._untold],
        }
        return Snapshot(meta, {})

    def restore(self, snapshot: Snapshot) -> None:
        """Replace the state."""
        meta = snapshot.meta
        self._usual = deque(
            (self._seen({name: list(row) for name, row in one.items()}) for one in meta["usual"]),
            maxlen=REMEMBERED,
        )
        self._window = self._new_window(meta["window"])
        self._suspects = dict(meta["suspects"])
        self._open = {key: Drift(*row) for key, row in meta["open"].items()}
        self._ages = dict(meta["ages"])
        self._untold = [Drift(*row) for row in meta["untold"]]

    def _close(self, offset: Position) -> None:
        """Judge a full window, then let it be part of what is usual."""
        now = self._seen(self._window.profile())
        self._window = self._new_window()
        found = dict(self._found(now)) if len(self._usual) >= KNOWN else {}
        self._suspects = {key: self._suspects.get(key, 0) + 1 for key in found}
        for key in list(self._open):
            self._ages[key] += 1
            if key not in found or self._ages[key] > FORGIVEN:
                if self._ages[key] > FORGIVEN:
                    self._usual.clear()
                del self._open[key], self._ages[key]
        for key, (field, kind, detail) in found.items():
            if self._suspects[key] >= CONFIRM and key not in self._open:
                self._open[key] = Drift(field, kind, detail, offset)
                self._ages[key] = 0
        strange = {field for field, kind, _ in found.values() if kind != NEW}
        if not strange:
            self._usual.append(now)
        elif len(self._usual) >= KNOWN:  # what is strange must not become usual unnoticed
            kept = {name: row for name, row in now.rows.items() if name not in strange}
            last = self._usual[-1].rows
            kept |= {name: last[name] for name in strange if name in last}
            self._usual.append(self._seen(kept))

    def _new_window(self, state: Mapping[str, Any] | None = None) -> Window:
        return Window(WINDOW, state, self._nested)

    def _seen(self, rows: Mapping[str, Row]) -> Seen:
        return Seen(rows, np.array([_filled(rows.get(name)) for name in self._declared]))

    def _found(self, now: Seen) -> Iterator[tuple[str, tuple[str, str, str]]]:
        """Yield what this window says: key -> field, kind, detail."""
        for field in sorted(self._doubtful(now)):
            before = [window.rows[field] for window in self._usual if field in window.rows]
            for kind, detail in self._judge(field, before, now.rows.get(field)):
                yield f"{kind} {field}", (field, kind, detail)

    def _doubtful(self, now: Seen) -> Collection[str]:
        """Return the fields that have to be judged one by one."""
        names = set(now.rows).union(*(window.rows for window in self._usual))
        as_ever = _as_ever(np.stack([window.table for window in self._usual]), now.table)
        return names - {name for name, same in zip(self._declared, as_ever, strict=True) if same}

    def _judge(
        self, field: str, before: Sequence[Row], now: Row | None
    ) -> Iterator[tuple[str, str]]:
        windows = len(self._usual)
        was = sum(row[0] for row in before) / windows
        share = now[0] if now else 0.0
        if field not in self._declared:
            new = windows - sum(row[0] > RARE for row in before) >= KNOWN
            if new and share > GONE and field not in self._read:
                yield NEW, f"in {share:.0%} of the records; no field of the config"
            return
        if share < RARE and was > GONE:
            yield MISSING, f"in {share:.0%} of the records, was in {was:.0%}"
        elif was - share > SHIFT:
            yield NULLS, f"without a value in {1 - share:.0%} of the records, was {1 - was:.0%}"
        if now is None or share < RARE or not before:
            return
        yield from _retyped(before, now)
        yield from _shifted(before, now, windows)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen in a window: a row per field, and those of the declared ones as a table."""

    rows: Mapping[str, Row]
    table: npt.NDArray[np.float64]


_NO_NUMBERS = [-np.inf, np.nan, np.inf]  # they limit no median, and none lies outside of them
_NO_VALUE = [0.0, *[1.0] * len(TYPES), *_NO_NUMBERS]


def _filled(row: Row | None) -> Sequence[float]:
    if row is None:
        return _NO_VALUE
    return row if len(row) == COLUMNS else [*row, *_NO_NUMBERS]


def _as_ever(
    before: npt.NDArray[np.float64], now: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_]:
    """Return of which fields ``_judge`` would surely say nothing: at most times, of all.

    All at once, since ``_judge`` takes longer for the fields of a stream than all else here.
    """
    types = slice(TYPES_FROM, LOW)
    there = now[:, 0] >= 1.0 - SHIFT
    of_old_types = (now[:, types] <= OTHER_TYPE) | (before[:, :, types].min(axis=0) >= OTHER_TYPE)
    below = now[:, MEDIAN] < before[:, :, LOW].max(axis=0)
    above = now[:, MEDIAN] > before[:, :, HIGH].min(axis=0)
    plain: npt.NDArray[np.bool_] = there & of_old_types.all(axis=1) & ~(below | above)
    return plain


def _sample(records: Sequence[Record]) -> Sequence[Record]:
    """Return the records that are looked at: by their offsets, however they are handed in."""
    if records and records[-1].offset - records[0].offset == len(records) - 1:
        chosen = records[-records[0].offset % SAMPLE :: SAMPLE]  # there are no gaps
    else:
        chosen = [record for record in records if not record.offset % SAMPLE]
    return [record for record in chosen if len(record.value) <= MAX_BYTES]


def _retyped(before: Sequence[Row], now: Row) -> Iterator[tuple[str, str]]:
    shares = [sum(row[TYPES_FROM + i] for row in before) / len(before) for i in range(len(TYPES))]
    new = [i for i in range(len(TYPES)) if now[TYPES_FROM + i] > OTHER_TYPE and shares[i] < RARE]
    if new:
        usual = TYPES[shares.index(max(shares))]
        yield RETYPED, f"{now[TYPES_FROM + new[0]]:.0%} are {TYPES[new[0]]}, was {usual}"


def _shifted(before: Sequence[Row], now: Row, windows: int) -> Iterator[tuple[str, str]]:
    """A median outside the usual range of values, where medians used to stay within it."""
    rows = [row for row in before if len(row) > LOW]
    if len(now) <= LOW or len(rows) < min(KNOWN, windows):
        return
    low, medians, high = ([row[LOW + i] for row in rows] for i in range(3))
    bottom, top = median(low), median(high)
    width = top - bottom
    if not width or max(medians) - min(medians) > STEADY * width:
        return
    half = now[MEDIAN]
    if half < bottom or half > top:
        yield RANGE, f"half are below {half:.4g}, was {median(medians):.4g}"
