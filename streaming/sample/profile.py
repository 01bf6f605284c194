"""What the fields of a sample hold: types, gaps, cardinality, ranges, rhythm."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from streaming.decode import MAX_TEXT_LENGTH
from streaming.event_time import END_OF_TIME, YEAR_2000, is_within_time, seconds_of
from streaming.sample.draw import Sample
from streaming.sources._values import boolean, number, time

Kind = Literal["number", "string", "boolean", "time", "unusable"]
Floats = npt.NDArray[np.float64]

SHORTENED = 300  # characters of a text that are compared
RHYTHM = 3.0  # times the usual rate in the busiest hour: activity follows the day
RHYTHM_DAYS = 3.0  # below that a day can't be told from chance
RHYTHM_GAP = 3_600.0  # seconds; a longer pause says nothing about the rate of its hour

_TIME_WORDS = frozenset({"time", "timestamp", "ts", "date", "datetime", "at", "when"})
_PARTS = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z])(?=[A-Z])")

_CODE = re.compile(r"0[0-9]+")


@dataclass(frozen=True, slots=True)
class FieldProfile:
    """One field of the sample.

    Attributes:
        kind: the type to declare; ``unusable`` with the reason in ``why``.
        whole: every value is a whole number, as a number or as text.
        missing: share of the events without a value.
        distinct: different values. ``rising``: no value is smaller than the one before.
        low, middle, high, tail: quantiles 0, 0.5, 1 and 0.99 of a number (times in seconds).
        common: most frequent values with their share, of texts.
        longest: characters of the longest text.
        values: of numbers and times, in the order of the sample, NaN where missing.
        texts: of texts, in the order of the sample.
    """

    name: str
    kind: Kind
    why: str
    whole: bool
    missing: float
    count: int
    distinct: int
    rising: bool
    low: float
    middle: float
    high: float
    tail: float
    common: Sequence[tuple[str, float]]
    longest: int
    values: Floats
    texts: Sequence[str | None]

    @property
    def per_value(self) -> float:
        """Return how many events share a value, on average."""
        return self.count / max(1, self.distinct)


@dataclass(frozen=True, slots=True)
class Profile:
    """A sample's fields in the order in which they first appear."""

    fields: Mapping[str, FieldProfile]
    events: int


def profile_of(sample: Sample) -> Profile:
    """Look at every field of the sample."""
    events = sample.events()
    names = dict.fromkeys(name for event in events for name in event)
    profiles = {name: _field(name, [e.get(name) for e in events], sample.cells) for name in names}
    return Profile(profiles, len(events))


def rhythm(sample: Sample, times: Floats) -> tuple[float, int]:
    """Return how many times its usual rate the busiest hour of day has, and that hour.

    The rate is taken between neighbours of a stretch, so that what lies between stretches doesn't
    count. (0, 0) where the sample covers too little of a day, or too few days.
    """
    seconds, counts = np.zeros(24), np.zeros(24)
    start = 0
    for stretch in sample.stretches:
        own = times[start : start + len(stretch)]
        own = np.sort(own[np.isfinite(own)])
        start += len(stretch)
        gaps = np.diff(own)
        near = gaps < RHYTHM_GAP
        hours = (own[1:][near] // 3_600 % 24).astype(np.int64)
        seconds += np.bincount(hours, gaps[near], minlength=24)
        counts += np.bincount(hours, minlength=24)
    known = np.isfinite(times)
    days = (times[known].max() - times[known].min()) / 86_400 if known.any() else 0.0
    seen = seconds > 0
    if days < RHYTHM_DAYS or seen.sum() < 12:
        return 0.0, 0
    rate = np.where(seen, counts / np.where(seen, seconds, 1.0), 0.0)
    return float(rate.max() / np.median(rate[seen])), int(rate.argmax())


def words_of(name: str) -> frozenset[str]:
    """Return the words of a name: ``srcPort`` and ``src_port`` have src and port."""
    return frozenset(word.lower() for word in _PARTS.split(name) if word)


def _field(name: str, values: Sequence[Any], cells: bool) -> FieldProfile:
    known: Sequence[Any] = [value for value in values if value is not None]
    if cells:
        values, known = _read_cells(values, known)
    kind, why = _kind(name, known)
    texts: Sequence[str | None] = ()
    if kind == "string":
        texts = [None if value is None else str(value) for value in values]
    numbers = _numbers(kind, values)
    finite = numbers[np.isfinite(numbers)]
    keys = Counter(
        value[:SHORTENED] if isinstance(value, str) else value
        for value in known
        if not isinstance(value, dict | list)
    )
    low, middle, tail, high = (
        np.quantile(finite, [0, 0.5, 0.99, 1]).tolist() if len(finite) else [math.nan] * 4
    )
    return FieldProfile(
        name=name,
        kind=kind,
        why=why,
        whole=bool(known) and all(_is_whole(value) for value in known),
        missing=1 - len(known) / len(values),
        count=len(known),
        distinct=len(keys),
        rising=len(finite) > 1 and bool(np.all(np.diff(finite) >= 0)),
        low=low,
        middle=middle,
        high=high,
        tail=tail,
        common=[(str(value), n / len(values)) for value, n in keys.most_common(3)],
        longest=max((len(value) for value in known if isinstance(value, str)), default=0),
        values=numbers,
        texts=texts,
    )


def _kind(name: str, known: Sequence[Any]) -> tuple[Kind, str]:
    """Return the type that holds every value, or why there is none."""
    types = {type(value) for value in known}
    if types == {bool}:
        return "boolean", ""
    if types and types <= {int, float}:
        return _kind_of_numbers(name, known)
    if why := _why_unusable(types, known):
        return "unusable", why
    return ("time" if all(map(_is_time, known)) else "string"), ""


def _why_unusable(types: Collection[type], known: Sequence[Any]) -> str:
    """Return why values of these types can't be declared; "" for texts and whole numbers."""
    if not known:
        return "is never filled"
    if dict in types or list in types:
        return "holds lists, or objects too deep"
    if bool in types or float in types:
        return "holds values of several types: none takes them all"
    if any(isinstance(value, str) and len(value) > MAX_TEXT_LENGTH for value in known):
        return f"holds texts of more than {MAX_TEXT_LENGTH:,} characters"
    return ""


def _kind_of_numbers(name: str, known: Sequence[float]) -> tuple[Kind, str]:
    try:
        low, high = float(min(known)), float(max(known))
    except OverflowError:
        return "unusable", "holds numbers that are too large"
    if not math.isfinite(low) or not math.isfinite(high):
        return "unusable", "holds numbers that are too large"
    if _TIME_WORDS & words_of(name):
        times = [seconds_of(low), seconds_of(high)]
        if all(time is not None and YEAR_2000 <= time < END_OF_TIME for time in times):
            return "time", ""
    return "number", ""


def _is_time(value: Any) -> bool:
    """Return whether the decoder would read the value as a time; whole numbers don't count."""
    if not isinstance(value, str):
        return False
    try:
        found = msgspec.convert(value, dt.datetime, strict=True)
        seconds = seconds_of(found)
        return seconds is not None and is_within_time(seconds)
    except (msgspec.ValidationError, OverflowError):
        return False


def _is_whole(value: Any) -> bool:
    if isinstance(value, str):
        return value.isdecimal()
    if isinstance(value, bool | dict | list):
        return False
    return isinstance(value, int) or float(value).is_integer()


def _numbers(kind: Kind, values: Sequence[Any]) -> Floats:
    if kind in {"string", "unusable"}:
        return np.empty(0)
    read = _as_seconds if kind == "time" else float
    return np.array([math.nan if value is None else read(value) for value in values], np.float64)


def _as_seconds(value: Any) -> float | None:
    return seconds_of(msgspec.convert(value, dt.datetime) if isinstance(value, str) else value)


def _read_cells(values: Sequence[Any], known: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
    """Read the cells of a column as what all of them look like; codes with leading zeros stay."""
    if any(isinstance(value, str) and _CODE.fullmatch(value) for value in known):
        return values, known
    for read in (number, boolean, time):
        told = [read(value) if isinstance(value, str) else value for value in values]
        found = [value for value in told if value is not None]
        if found and all(not isinstance(value, str) or _is_time(value) for value in found):
            return told, found
    return values, known
