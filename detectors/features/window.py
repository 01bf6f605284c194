"""What an entity did lately."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from detectors.base import Matrix, Snapshot, SnapshotError, Vector
from detectors.duration import parse_duration
from detectors.features.base import (
    Accepts,
    Columns,
    Feature,
    FeatureParams,
    as_matrix,
    numbers,
)
from detectors.features.display import range_text, value_text, words
from detectors.features.entity_windows import Entity, EntityWindows, Keep
from detectors.features.keys import keys_of

Aggregate = Literal["count", "sum", "mean", "distinct", "ratio", "time_since_last"]

_EVENTS = re.compile(r"\s*(\d{1,5})\s+events\s*")
_MAX_RATIO = 10.0  # powers of two; beyond a factor of 1,024 more says no more
_KEEP: Mapping[Aggregate, Keep] = {
    "count": "times",
    "sum": "numbers",
    "mean": "numbers",
    "distinct": "texts",
    "ratio": "numbers",
    "time_since_last": "nothing",
}


def parse_over(text: str) -> tuple[float | None, int | None]:
    """Return (seconds, None) of ``"1h"`` or (None, events) of ``"100 events"``."""
    match = _EVENTS.fullmatch(text)
    if match is None:
        return parse_duration(text), None
    if not 1 <= int(match[1]) <= 10_000:
        raise ValueError(f"{text!r}: a window holds 1 to 10000 events")
    return None, int(match[1])


class Window(Feature):
    """An aggregate over the recent events of the event's entity.

    ``count``, ``sum`` and ``distinct`` take the event itself in; ``mean``, ``ratio`` (value against
    the mean of the window) and ``time_since_last`` compare it with earlier ones and are missing for
    an entity's first event. All but ``ratio`` (a power of two) come as log(1 + x). Works where
    entities come back; costs memory for each event in a window, up to a million of them.
    """

    kind = "window"
    accepts: ClassVar[Accepts] = {
        "entity": frozenset({"string", "number"}),
        "field": frozenset({"string", "number", "boolean"}),
    }

    class Params(FeatureParams):
        """Parameters of ``window``."""

        model_config = ConfigDict(
            json_schema_extra={
                "examples": [
                    {"kind": "window", "entity": "card", "aggregate": "count", "over": "1h"},
                    {
                        "kind": "window",
                        "entity": "card",
                        "aggregate": "sum",
                        "field": "amount",
                        "over": "1d",
                        "unit": "€",
                    },
                    {
                        "kind": "window",
                        "entity": "card",
                        "aggregate": "mean",
                        "field": "amount",
                        "over": "100 events",
                    },
                    {
                        "kind": "window",
                        "entity": "card",
                        "aggregate": "distinct",
                        "field": "country",
                        "over": "7d",
                        "max_entities": 2,
                    },
                    {
                        "kind": "window",
                        "entity": "card",
                        "aggregate": "ratio",
                        "field": "amount",
                        "over": "100 events",
                    },
                    {"kind": "window", "entity": "card", "aggregate": "time_since_last"},
                ]
            }
        )

        kind: Literal["window"]
        entity: str = Field(description="Field whose values are kept apart, like card or host.")
        aggregate: Aggregate = Field(description="What is told of the entity's recent events.")
        field: str | None = Field(
            default=None,
            description="What is summed, averaged or counted; not for count, time_since_last.",
        )
        over: str | None = Field(
            default=None, description="A duration like 1h or a number like 100 events."
        )
        unit: str = Field(
            default="", description="Unit for people; for count, what an event is called."
        )
        max_entities: int = Field(
            default=100_000, ge=1, le=10**7, description="Entities remembered at a time."
        )

        @field_validator("over")
        @classmethod
        def _over(cls, value: str | None) -> str | None:
            if value is not None:
                parse_over(value)
            return value

        @model_validator(mode="after")
        def _complete(self) -> Window.Params:
            wants_field = self.aggregate not in ("count", "time_since_last")
            if wants_field != (self.field is not None):
                does = "needs" if wants_field else "takes no"
                raise ValueError(f"aggregate {self.aggregate} {does} field")
            if (self.aggregate == "time_since_last") != (self.over is None):
                does = "takes no" if self.over else "needs"
                raise ValueError(f"aggregate {self.aggregate} {does} over")
            if self.aggregate == "count" and self.over and parse_over(self.over)[1]:
                raise ValueError("count over a number of events is that number: give a duration")
            return self

    def __init__(self, params: Params) -> None:
        self._params = params
        self._keep = _KEEP[params.aggregate]
        span, events = parse_over(params.over) if params.over else (None, None)
        self._windows = EntityWindows(self._keep, span, events, params.max_entities)
        self._measure = _MEASURES[params.aggregate]
        self._last_time = 0.0
        self._over = _spaced(params.over or "")
        self.entity = params.entity
        self.most_bytes = self._windows.most_bytes
        self.name = params.name or _name(params)
        self.names = (self.name,)
        self.label = params.label or _label(params, self._over)

    @classmethod
    def accepted(cls, params: FeatureParams) -> Accepts:
        """Return the types by parameter: what is added up must be a number."""
        if isinstance(params, Window.Params) and params.aggregate != "distinct":
            return {**cls.accepts, "field": frozenset({"number"})}
        return cls.accepts

    def extract(self, columns: Columns, times: Vector) -> Matrix:
        """Return the aggregate of each event's entity at its time."""
        keys = keys_of(columns[self._params.entity])
        values = self._values(columns, len(keys))
        visit, add, measure = self._windows.visit, self._windows.add, self._measure
        out = []
        for key, value, time in zip(keys, values, self._clock(times), strict=True):
            if key is None:
                out.append(math.nan)
                continue
            entity = visit(key, time)
            out.append(measure(entity, value))
            if value is not None or self._keep == "times":
                add(entity, value)
        return as_matrix(out)

    def _values(self, columns: Columns, rows: int) -> Sequence[float | str | None]:
        if self._params.field is None:
            return [None] * rows
        if self._keep == "texts":
            return keys_of(columns[self._params.field])
        column = numbers(columns, self._params.field).tolist()
        return [None if math.isnan(value) else value for value in column]

    def _clock(self, times: Vector) -> Sequence[float]:
        """Return finite times: an event without one happens at that of the event before."""
        out = []
        for time in times.tolist():
            if math.isfinite(time):
                self._last_time = time
            out.append(self._last_time)
        return out

    def show(self, values: Sequence[float], fields: Mapping[str, Any]) -> str:
        """Return the aggregate for people: ``9 payments in 1 h``, ``8.2× usual``."""
        value, unit = self.natural(values[0]), self._params.unit
        if value is None:
            return "no earlier event"
        match self._params.aggregate:
            case "count":
                return f"{value_text(round(value))} {unit or 'events'} in {self._over}"
            case "distinct":
                return f"{value_text(round(value))} {unit}".rstrip() + f" in {self._over}"
            case "sum":
                return f"{value_text(value, unit)} in {self._over}"
            case "ratio":
                return f"{range_text(value, value)}× usual"
        return value_text(value, "s" if self._params.aggregate == "time_since_last" else unit)

    def usual(self, low: Sequence[float], high: Sequence[float]) -> str:
        """Return the range of the aggregate."""
        first, last = self.natural(low[0]), self.natural(high[0])
        match self._params.aggregate:
            case "ratio":
                text = range_text(first, last)
                return f"{text}×" if text else ""
            case "time_since_last":
                return range_text(first, last, "s")
            case "sum" | "mean":
                return range_text(first, last, self._params.unit)
        return "" if first is None or last is None else range_text(round(first), round(last))

    def natural(self, value: float) -> float | None:
        """Return the aggregate that the column's value stands for."""
        if math.isnan(value):
            return None
        if self._params.aggregate == "ratio":
            return math.exp2(value)
        return math.copysign(math.expm1(abs(value)), value)

    def snapshot(self) -> Snapshot:
        """Return the windows."""
        windows = self._windows.snapshot()
        return Snapshot({**windows.meta, "last_time": self._last_time}, windows.arrays)

    def restore(self, snapshot: Snapshot) -> None:
        """Replace the windows."""
        if "last_time" not in snapshot.meta:
            raise SnapshotError(f"the snapshot of feature {self.name} is damaged")
        self._windows.restore(snapshot)
        self._last_time = snapshot.meta["last_time"]


def _log1p(value: float) -> float:
    return math.copysign(math.log1p(abs(value)), value)


def _count(entity: Entity, _: float | str | None) -> float:
    return _log1p(entity.size + 1)


def _sum(entity: Entity, value: float | str | None) -> float:
    return _log1p(entity.total + (value if isinstance(value, float) else 0.0))


def _mean(entity: Entity, _: float | str | None) -> float:
    return _log1p(entity.total / entity.size) if entity.size else math.nan


def _distinct(entity: Entity, value: float | str | None) -> float:
    is_new = isinstance(value, str) and value not in entity.counts
    return _log1p(len(entity.counts) + is_new)


def _ratio(entity: Entity, value: float | str | None) -> float:
    """Return log2 of the value's size against the mean's, held to a factor of 1,024."""
    if not entity.size or not isinstance(value, float):
        return math.nan
    mean, size = abs(entity.total / entity.size), abs(value)
    if size == mean:
        return 0.0
    if size == 0.0 or mean == 0.0:
        return math.copysign(_MAX_RATIO, size - mean)
    return max(-_MAX_RATIO, min(_MAX_RATIO, math.log2(size) - math.log2(mean)))


def _time_since_last(entity: Entity, _: float | str | None) -> float:
    return _log1p(entity.since)


_MEASURES: Mapping[Aggregate, Callable[[Entity, float | str | None], float]] = {
    "count": _count,
    "sum": _sum,
    "mean": _mean,
    "distinct": _distinct,
    "ratio": _ratio,
    "time_since_last": _time_since_last,
}


def _spaced(over: str) -> str:
    """Return ``1h`` as ``1 h``."""
    return re.sub(r"(\d)\s*([a-z])", r"\1 \2", over.strip())


def _name(params: Window.Params) -> str:
    over = (params.over or "").strip().replace(" ", "_")
    what = (params.aggregate, params.field, "by", params.entity, over)
    return "_".join(part for part in what if part)


def _label(params: Window.Params, over: str) -> str:
    entity, field = words(params.entity), words(params.field or "")
    match params.aggregate:
        case "count":
            return f"{params.unit or 'events'} of {entity} in {over}"
        case "ratio":
            return f"{field} against the usual of {entity}"
        case "time_since_last":
            return f"time since last of {entity}"
    return f"{params.aggregate} of {field} of {entity} in {over}"
