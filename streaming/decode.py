"""From a record's bytes to typed columns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from operator import attrgetter, itemgetter
from typing import Annotated, Any, Protocol, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from streaming.event_time import is_within_time, seconds_of, seconds_of_numbers
from streaming.field_path import Path, folded, path_of
from streaming.records import TRUNCATED_FROM, Record

MAX_RECORD_BYTES = 256 * 1024
"""Larger records are dead-lettered unread: no event of this service needs them."""

MAX_TEXT_LENGTH = 8192
"""Characters of one text field; longer ones are dead-lettered."""

Column = npt.NDArray[np.float64] | list[str | None]
Columns = Mapping[str, Column]

_T = TypeVar("_T")


class FieldSpec(Protocol):
    """What the decoder needs to know of a declared field."""

    @property
    def type(self) -> str:
        """``number``, ``string``, ``boolean`` or ``time``."""

    @property
    def required(self) -> bool:
        """Whether a record without it, or with null, is bad."""

    @property
    def path(self) -> Path | None:
        """The keys that lead to it, None: it stands in the event under its own name."""


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that can't be used.

    Attributes:
        code: stable short name of the reason, e.g. ``wrong_type``.
        field: the field concerned, "" if the record as a whole.
        message: one line for people, without the value.
    """

    record: Record
    code: str
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """Good records in their order with their events, and the bad ones."""

    records: Sequence[Record]
    events: Sequence[Any]
    bad: Sequence[BadRecord]


_TYPES: Mapping[str, Any] = {
    "number": float,
    # An id may be a JSON integer; as a float64 it would not be told from its neighbours.
    "string": Annotated[str, msgspec.Meta(max_length=MAX_TEXT_LENGTH)] | int,
    "boolean": bool,
    "time": dt.datetime | float,
}


class Decoder:
    """Decodes JSON objects by the declared fields; undeclared ones are ignored.

    Numbers are JSON numbers and finite, texts are JSON strings or integers (``881`` is "881"),
    times are RFC 3339 texts (UTC where they name no zone) or numbers since 1970, from 1970 to 2199.
    A missing or null field is None unless it is required; so are all in an object that is missing.
    """

    def __init__(self, fields: Mapping[str, FieldSpec]) -> None:
        self._types = {name: spec.type for name, spec in fields.items()}
        paths = {name: path_of(name, spec) for name, spec in fields.items()}
        event, places = _shape_of(folded(fields, paths))
        self._getters = {name: _getter(places[path]) for name, path in paths.items()}
        required_first = sorted(fields, key=lambda name: not fields[name].required)
        self._names = {".".join(paths[name]): name for name in required_first}
        self._flat = all(len(place) == 1 for place in places.values())
        self._decoder = msgspec.json.Decoder(event)
        self._many = msgspec.json.Decoder(list[event])  # type: ignore[valid-type]  # made here
        self._all_numeric = self._flat and "string" not in self._types.values()
        times = [name for name, kind in self._types.items() if kind == "time"]
        self._times = [(name, self._getters[name]) for name in times]

    def decode(self, records: Sequence[Record]) -> Decoded:
        """Decode a batch; one bad record never touches its neighbours."""
        events = self._at_once([record.value for record in records])
        return self._one_by_one(records) if events is None else Decoded(records, events, ())

    def columns(self, events: Sequence[Any]) -> dict[str, Column]:
        """Return one column per field: texts, or float64 with NaN where missing."""
        if self._all_numeric and (matrix := self._matrix(events)) is not None:
            numbers = zip(self._types.items(), matrix, strict=True)
            return {
                name: seconds_of_numbers(column) if kind == "time" else column
                for (name, kind), column in numbers
            }
        values = msgspec.structs.astuple if self._flat else self._values
        by_field = list(zip(*map(values, events), strict=True))
        return {
            name: _column(kind, by_field[i] if by_field else ())
            for i, (name, kind) in enumerate(self._types.items())
        }

    def _values(self, event: Any) -> tuple[Any, ...]:
        return tuple(get(event) for get in self._getters.values())

    def _matrix(self, events: Sequence[Any]) -> npt.NDArray[np.float64] | None:
        """Return fields x events; None if a value is missing or a time is a text."""
        values = chain.from_iterable(map(msgspec.structs.astuple, events))
        size = len(self._types) * len(events)
        try:
            found = np.fromiter(values, np.float64, size)
        except TypeError:
            return None
        return np.ascontiguousarray(found.reshape(len(events), len(self._types)).T)

    def _at_once(self, values: Sequence[bytes]) -> list[Any] | None:
        if max(map(len, values), default=0) > MAX_RECORD_BYTES:
            return None
        events = decode_together(self._many, values)
        return None if events and self._times and any(map(self._far_time, events)) else events

    def _one_by_one(self, records: Sequence[Record]) -> Decoded:
        good: list[Record] = []
        events: list[Any] = []
        bad: list[BadRecord] = []
        decode = self._decoder.decode
        for record in records:
            if len(record.value) > MAX_RECORD_BYTES or _not_read(record):
                bad.append(_too_large(record))
                continue
            try:
                event = decode(record.value)
            except UNREADABLE as error:
                bad.append(_bad(record, error, self._names))
                continue
            if self._times and (far := self._far_time(event)):
                bad.append(BadRecord(record, "out_of_range", far, _FAR_TIME))
                continue
            good.append(record)
            events.append(event)
        return Decoded(good, events, bad)

    def fields(self, event: Any) -> dict[str, Any]:
        """Return an event's declared fields as plain JSON values; missing ones are left out."""
        plain: dict[str, Any] = {}
        for name, get in self._getters.items():
            value = get(event)
            if isinstance(value, dt.datetime):
                value = value.isoformat()
            elif self._types[name] == "time":
                value = seconds_of(value)
            elif type(value) is int:
                value = str(value)
            if value is not None:
                plain[name] = value
        return plain

    def _far_time(self, event: Any) -> str:
        """Return the first field whose time is before 1970 or after 2199, "" if there is none."""
        for name, get in self._times:
            seconds = seconds_of(get(event))
            if seconds is not None and not is_within_time(seconds):
                return name
        return ""


def _shape_of(tree: Mapping[str, Any]) -> tuple[Any, dict[Path, Path]]:
    """Return a struct for fields that lie so in an event, and by path what leads to each in it.

    Attributes are numbered, so that a key may have any name.
    """
    members: list[Any] = []
    places: dict[Path, Path] = {}
    for i, (key, below) in enumerate(tree.items()):
        attribute = f"f{i}"
        if isinstance(below, dict):
            kind, inner = _shape_of(below)
            needed = not all(_may_lack(one) for one in below.values())
            places |= {(key, *path): (attribute, *place) for path, place in inner.items()}
        else:
            kind, needed = _TYPES[below.type], below.required
            places[key,] = (attribute,)
        members.append((attribute, kind) if needed else (attribute, kind | None, None))
    rename = {f"f{i}": key for i, key in enumerate(tree)}
    return msgspec.defstruct("Event", members, kw_only=True, gc=False, rename=rename), places


def _may_lack(below: Any) -> bool:
    if isinstance(below, dict):
        return all(map(_may_lack, below.values()))
    return not below.required


def _getter(place: Path) -> Callable[[Any], Any]:
    """Return what finds the value to which attributes lead, None where there is none."""
    if len(place) == 1:
        return attrgetter(place[0])
    return partial(_at, place)


def _at(place: Path, event: Any) -> Any:
    for attribute in place:
        event = getattr(event, attribute)
        if event is None:
            return None
    return event


UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_BRACE = ord("}")
_last = itemgetter(-1)


def decode_together(
    decoder: msgspec.json.Decoder[list[_T]], values: Sequence[bytes]
) -> list[_T] | None:
    """Decode records as one JSON array of objects; None where they have to be taken one by one.

    An array of as many objects as there are records could still be cut elsewhere: two halves of an
    object in two records, two objects in a third. With as many objects as closing braces as
    records, and a brace at the end of each record, every object ends where its record ends.
    """
    if not values or not all(values):
        return None
    joined = b"[%b]" % b",".join(values)
    if joined.count(b"}") != len(values) or set(map(_last, values)) != {_BRACE}:
        return None
    try:
        events = decoder.decode(joined)
    except UNREADABLE:
        return None
    return events if len(events) == len(values) else None


_FAR_TIME = "out of the years 1970 to 2199, in seconds as in milli-, micro- or nanoseconds"


def _column(kind: str, values: Sequence[Any]) -> Column:
    if kind == "string":
        return [str(value) if type(value) is int else value for value in values]
    if kind == "time":
        values = [seconds_of(value) for value in values]
    return np.array(values, dtype=np.float64)


def _not_read(record: Record) -> bool:
    """Return whether the transport has kept nothing of it."""
    return not record.value and any(name == TRUNCATED_FROM for name, _ in record.headers)


def _too_large(record: Record) -> BadRecord:
    had = dict(record.headers).get(TRUNCATED_FROM, b"").decode(errors="replace")
    message = f"{had or len(record.value)} bytes, at most {MAX_RECORD_BYTES} are read"
    if had:
        kept = f"only the first {len(record.value)} are" if record.value else "none is"
        message += f"; {kept} kept"
    return BadRecord(record, "too_large", "", message)


def _bad(record: Record, error: Exception, names: Mapping[str, str]) -> BadRecord:
    """Name the reason without repeating the record's content, which may be secret or hostile."""
    if not isinstance(error, msgspec.ValidationError):
        return BadRecord(record, "not_json", "", "not a JSON object in UTF-8")
    message, _, path = str(error).partition(" - at `$.")
    place = path.removesuffix("`")
    if message.startswith("Object missing required field"):
        missing = message.split("`")[1]
        name = _declared(f"{place}.{missing}" if place else missing, names)
        return BadRecord(record, "missing_field", name, f"required field {name} is missing")
    field = _declared(place, names)
    if "length" in message:
        return BadRecord(record, "too_long", field, f"text of over {MAX_TEXT_LENGTH} characters")
    code = "out_of_range" if "out of range" in message else "wrong_type"
    return BadRecord(record, code, field, message.replace("`", ""))


def _declared(place: str, names: Mapping[str, str]) -> str:
    """Return the field that is declared there, else the first one below: a required one, if any."""
    if place in names:
        return names[place]
    return next((name for path, name in names.items() if path.startswith(f"{place}.")), place)
