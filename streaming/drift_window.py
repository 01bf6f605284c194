"""What is seen of the fields of a stream in a number of records: how often, of which types, where.

This is counted for every stream, all the time, so it has to cost next to nothing: records are
decoded together, and those of one form are counted a column at a time.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from streaming.decode import UNREADABLE, decode_together
from streaming.field_path import Path, value_at

MAX_FIELDS = 200
LONG = 200  # characters of a field's name

TYPES = ("number", "text", "yes or no", "nested")
_KINDS = {bool: "yes or no", int: "number", float: "number", str: "text"}
_ABSENT = object()
_ONLY_FLOATS = frozenset({float})

Row = list[float]
"""Of a field: share of the records that have it, share of each of ``TYPES``; then, if it had enough
numbers, their 5 % quantile, median and 95 % quantile."""

TYPES_FROM, LOW = 1, 1 + len(TYPES)
MEDIAN, HIGH = LOW + 1, LOW + 2
COLUMNS = HIGH + 1
"""Entries of a row with numbers."""


class Window:
    """What was seen of each field in the records so far, at most ``size`` of them.

    It follows from the records alone, however they are handed in. ``nested``: fields that lie
    within others, or under another name, by their path.
    """

    def __init__(
        self,
        size: int,
        state: Mapping[str, Any] | None = None,
        nested: Mapping[str, Path] | None = None,
    ) -> None:
        self._size = size
        self._nested = nested or {}
        self._records = 0
        self._types: dict[str, dict[str, int]] = {}
        self._numbers: dict[str, list[float]] = {}
        if state is not None:
            self._records = int(state["records"])
            self._types = {name: dict(row) for name, row in state["types"].items()}
            self._numbers = {name: list(row) for name, row in state["numbers"].items()}

    @property
    def left(self) -> int:
        """How many more records it takes."""
        return self._size - self._records

    def state(self) -> Mapping[str, Any]:
        """Return all that it knows, as JSON holds it."""
        return {
            "records": self._records,
            "types": {name: dict(row) for name, row in self._types.items()},
            "numbers": {name: list(row) for name, row in self._numbers.items()},
        }

    def add(self, values: Sequence[bytes]) -> None:
        """Look at records; what is no JSON object only counts as one."""
        self._records += len(values)
        events = _decoded(values)
        if self._nested:
            events = [self._unfolded(event) for event in events]
        forms = set(map(tuple, events))
        if len(forms) == 1 and self._has_room(form := forms.pop()):
            for name, column in zip(form, zip(*map(dict.values, events), strict=True), strict=True):
                self._count(name, column)
            return
        for event in events:
            for name, one in event.items():
                self._count(name, (one,))

    def _unfolded(self, event: dict[str, Any]) -> dict[str, Any]:
        """Return the event with the nested fields under their names, before all others."""
        found = {name: value_at(event, path, _ABSENT) for name, path in self._nested.items()}
        there = {name: value for name, value in found.items() if value is not _ABSENT}
        return there | {name: value for name, value in event.items() if name not in found}

    def profile(self) -> dict[str, Row]:
        """Return a row for each field."""
        return {name: self._row(name, types) for name, types in sorted(self._types.items())}

    def _has_room(self, names: Iterable[str]) -> bool:
        """Return whether all get counted, so that it is all the same in which order they come."""
        return len(self._types.keys() | names) <= MAX_FIELDS

    def _count(self, name: str, values: Sequence[Any]) -> None:
        kinds = set(map(type, values))
        if None.__class__ in kinds:
            values = [one for one in values if one is not None]
        counts = self._types.get(name)
        if counts is None:
            if not values or len(self._types) >= MAX_FIELDS or len(name) > LONG:
                return
            counts = self._types[name] = {}
        if kinds == _ONLY_FLOATS:  # those of JSON are finite
            counts["number"] = counts.get("number", 0) + len(values)
        else:
            for found, times in Counter(map(type, values)).items():
                kind = _KINDS.get(found, "nested")
                counts[kind] = counts.get(kind, 0) + times
            numbers = [one for one in values if _KINDS.get(type(one)) == "number"]
            values = [float(one) for one in numbers if abs(one) <= sys.float_info.max]
        if values:
            self._numbers.setdefault(name, []).extend(values)

    def _row(self, name: str, types: Mapping[str, int]) -> Row:
        total = sum(types.values())
        row = [total / self._records, *(types.get(kind, 0) / total for kind in TYPES)]
        numbers = self._numbers.get(name, ())
        if len(numbers) > self._size // 4:
            ordered = sorted(numbers)
            row += [_quantile(ordered, q) for q in (0.05, 0.5, 0.95)]
        return row


def _decoded(values: Sequence[bytes]) -> list[dict[str, Any]]:
    """Return the records that are JSON objects."""
    together = decode_together(_OBJECTS, values)
    if together is not None:
        return together
    events = []
    for value in values:
        try:
            events.append(_OBJECT.decode(value))
        except UNREADABLE:
            continue
    return events


_OBJECT = msgspec.json.Decoder(dict[str, Any])
_OBJECTS = msgspec.json.Decoder(list[dict[str, Any]])


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Return a quantile, between two neighbours in proportion.

    For so few numbers a twentieth of what numpy's takes, and this is done for every field.
    """
    at = share * (len(ordered) - 1)
    low = int(at)
    first, second = ordered[low], ordered[min(low + 1, len(ordered) - 1)]
    return first + (at - low) * (second - first)
