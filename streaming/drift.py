"""Fields of a stream that no longer come as they used to: missing, retyped, elsewhere, new.

Every eighth record is looked at, by its offset, before it is decoded, so that also those count that
can't be used. A field is compared with its own last windows; it has drifted when two windows in a
row say so. What drifts for so long that it is the usual becomes the usual.
"""

from __future__ import annotations

import sys
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import msgspec

from detectors.base import Snapshot
from detectors.features.registry import build, fields_used
from streaming.config.model import StreamConfig
from streaming.records import Position, Record
from triage.drift import Drift
from triage.model import Candidate, Reason

SAMPLE = 8  # every so many offsets one is looked at
WINDOW = 128  # records that were looked at
REMEMBERED = 8  # windows; what is usual
KNOWN = 4  # windows before anything can drift
CONFIRM = 2  # windows in a row
FORGIVEN = 40  # windows after which a drift is the usual
MAX_FIELDS = 200
LONG = 200  # characters of a field's name
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

    ``declared``: field -> type in the config; of others only that they are new is told.
    """

    def __init__(self, declared: Mapping[str, str]) -> None:
        self._declared = dict(declared)
        self._usual: deque[dict[str, list[float]]] = deque(maxlen=REMEMBERED)
        self._window = _Window()
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
        for record in records:
            if record.offset % SAMPLE or len(record.value) > MAX_BYTES:
                continue
            self._window.add(record.value)
            if self._window.records == WINDOW:
                before = self._open.keys() | set()
                self._close(record.offset)
                if self._open.keys() != before:
                    opened = tuple(d for key, d in self._open.items() if key not in before)
                    turns.append(Turn(record.offset, self.open))
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
            "usual": list(self._usual),
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
            ({name: list(row) for name, row in one.items()} for one in meta["usual"]),
            maxlen=REMEMBERED,
        )
        self._window = _Window(meta["window"])
        self._suspects = dict(meta["suspects"])
        self._open = {key: Drift(*row) for key, row in meta["open"].items()}
        self._ages = dict(meta["ages"])
        self._untold = [Drift(*row) for row in meta["untold"]]

    def _close(self, offset: Position) -> None:
        """Judge a full window, then let it be part of what is usual."""
        now = self._window.profile()
        self._window = _Window()
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
            kept = {name: row for name, row in now.items() if name not in strange}
            last = self._usual[-1]
            self._usual.append(kept | {name: last[name] for name in strange if name in last})

    def _found(self, now: Mapping[str, list[float]]) -> Iterator[tuple[str, tuple[str, str, str]]]:
        """Yield what this window says: key -> field, kind, detail."""
        names = {name for window in self._usual for name in window}
        for field in sorted(names | now.keys()):
            before = [window[field] for window in self._usual if field in window]
            for kind, detail in self._judge(field, before, now.get(field)):
                yield f"{kind} {field}", (field, kind, detail)

    def _judge(
        self, field: str, before: Sequence[list[float]], now: list[float] | None
    ) -> Iterator[tuple[str, str]]:
        windows = len(self._usual)
        was = sum(row[0] for row in before) / windows
        share = now[0] if now else 0.0
        if field not in self._declared:
            if windows - sum(row[0] > RARE for row in before) >= KNOWN and share > GONE:
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


_TYPES = ("number", "text", "yes or no", "nested")
_ROW = 1 + len(_TYPES)  # then: low, median, high of the numbers


def _retyped(before: Sequence[list[float]], now: list[float]) -> Iterator[tuple[str, str]]:
    shares = [sum(row[1 + i] for row in before) / len(before) for i in range(len(_TYPES))]
    new = [i for i in range(len(_TYPES)) if now[1 + i] > OTHER_TYPE and shares[i] < RARE]
    if new:
        usual = _TYPES[shares.index(max(shares))]
        yield RETYPED, f"{now[1 + new[0]]:.0%} are {_TYPES[new[0]]}, was {usual}"


def _shifted(
    before: Sequence[list[float]], now: list[float], windows: int
) -> Iterator[tuple[str, str]]:
    """A median outside the usual range of values, where medians used to stay within it."""
    rows = [row for row in before if len(row) > _ROW]
    if len(now) <= _ROW or len(rows) < min(KNOWN, windows):
        return
    low, medians, high = ([row[_ROW + i] for row in rows] for i in range(3))
    bottom, top = median(low), median(high)
    width = top - bottom
    if not width or max(medians) - min(medians) > STEADY * width:
        return
    half = now[_ROW + 1]
    if half < bottom or half > top:
        yield RANGE, f"half are below {half:.4g}, was {median(medians):.4g}"


class _Window:
    """What was seen of each field in the records so far."""

    def __init__(self, state: Mapping[str, Any] | None = None) -> None:
        self.records = 0
        self._types: dict[str, dict[str, int]] = {}
        self._numbers: dict[str, list[float]] = {}
        self._uncounted: list[dict[str, Any]] = []
        if state is not None:
            self.records = int(state["records"])
            self._types = {name: dict(row) for name, row in state["types"].items()}
            self._numbers = {name: list(row) for name, row in state["numbers"].items()}

    def state(self) -> Mapping[str, Any]:
        self._count_all()
        return {
            "records": self.records,
            "types": {name: dict(row) for name, row in self._types.items()},
            "numbers": self._numbers,
        }

    def add(self, value: bytes) -> None:
        self.records += 1
        try:
            event = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        if isinstance(event, dict):
            self._uncounted.append(event)

    def _count_all(self) -> None:
        """Count what was added; events of one form field by field, in a third of the time."""
        events, self._uncounted = self._uncounted, []
        names = list(events[0]) if events else []
        if all(list(event) == names for event in events):
            for name in names:
                self._count(name, [event[name] for event in events])
            return
        for event in events:
            for name, one in event.items():
                self._count(name, [one])

    def _count(self, name: str, values: Sequence[Any]) -> None:
        values = [one for one in values if one is not None] if None in values else values
        counts = self._types.get(name)
        if counts is None:
            if not values or len(self._types) >= MAX_FIELDS or len(name) > LONG:
                return
            counts = self._types[name] = {}
        kinds = Counter(map(type, values))
        for found, times in kinds.items():
            kind = _KINDS.get(found, "nested")
            counts[kind] = counts.get(kind, 0) + times
        if kinds.keys() != {float}:  # those of JSON are finite
            numbers = [one for one in values if _KINDS.get(type(one)) == "number"]
            values = [float(one) for one in numbers if abs(one) <= sys.float_info.max]
        if values:
            self._numbers.setdefault(name, []).extend(values)

    def profile(self) -> dict[str, list[float]]:
        """Return for each field: share of the records, shares of types, and the numbers' range."""
        self._count_all()
        return {name: self._row(name, types) for name, types in sorted(self._types.items())}

    def _row(self, name: str, types: Mapping[str, int]) -> list[float]:
        total = sum(types.values())
        row = [total / self.records, *(types.get(kind, 0) / total for kind in _TYPES)]
        numbers = self._numbers.get(name, [])
        if len(numbers) > WINDOW // 4:
            ordered = sorted(numbers)
            row += [_quantile(ordered, q) for q in (0.05, 0.5, 0.95)]
        return row


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Return a quantile, between two neighbours in proportion.

    For so few numbers a twentieth of what numpy's takes, and this is done for every field.
    """
    at = share * (len(ordered) - 1)
    low = int(at)
    first, second = ordered[low], ordered[min(low + 1, len(ordered) - 1)]
    return first + (at - low) * (second - first)


_KINDS = {bool: "yes or no", int: "number", float: "number", str: "text"}
