"""When: which number of an entity's events to draw, its usual band, and a sentence that says it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from triage.queries import EntityEvent
from triage_ui.text import count, number, span, visible

ENOUGH = 8
"""Ordinary events from which a usual band is worth drawing."""


@dataclass(frozen=True, slots=True)
class Point:
    """One event: ``value`` is None where the events have no number to draw."""

    time: float
    value: float | None
    member: bool
    elsewhere: bool
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Timeline:
    """What to draw.

    Attributes:
        field: name of the drawn number, None if the events have none.
        low, high: usual band: 5 % and 95 % of the ordinary events, None if they are too few.
        sentence: the same for who doesn't see the drawing.
    """

    points: Sequence[Point]
    field: str | None
    low: float | None
    high: float | None
    sentence: str


def timeline(events: Sequence[EntityEvent], cluster_id: str, features: Sequence[str]) -> Timeline:
    """Choose what to draw of an entity's events.

    Args:
        events: oldest first. ``features``: names of the cluster's reasons, strongest first.
    """
    field = _field(events, cluster_id, features)
    points = [_point(event, cluster_id, field) for event in events]
    ordinary = sorted(
        point.value
        for point in points
        if not point.member and not point.elsewhere and point.value is not None
    )
    low = high = None
    if len(ordinary) >= ENOUGH:
        low, high = ordinary[len(ordinary) // 20], ordinary[-1 - len(ordinary) // 20]
    return Timeline(points, field, low, high, _sentence(points, field, low, high))


def near_members(
    events: Sequence[EntityEvent], cluster_id: str, most: int
) -> Sequence[EntityEvent]:
    """Return at most ``most`` events, ending a little after the cluster's last member."""
    last = max(
        (i for i, event in enumerate(events) if event.cluster_id == cluster_id), default=len(events)
    )
    end = min(len(events), last + 1 + most // 10)
    return events[max(0, end - most) : end]


def _point(event: EntityEvent, cluster_id: str, field: str | None) -> Point:
    member = event.cluster_id == cluster_id and event.candidate_id is not None
    elsewhere = event.candidate_id is not None and not member
    value = None if field is None else as_number(event.fields.get(field))
    return Point(event.time, value, member, elsewhere, event.fields)


def as_number(value: object) -> float | None:
    """Return a finite number, None for anything else; a flag is no number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) else None


def _field(events: Sequence[EntityEvent], cluster_id: str, features: Sequence[str]) -> str | None:
    """Return the number that the strongest reason is about, else the one that stands out most."""
    names = {name for event in events for name in event.fields}
    columns = {name: [as_number(event.fields.get(name)) for event in events] for name in names}
    numeric = sorted(
        name
        for name, values in columns.items()
        if 2 * sum(value is not None for value in values) >= max(2, len(values))
    )
    for feature in features:
        named = [name for name in numeric if name in feature]
        if named:
            return max(named, key=len)
    member = [event.cluster_id == cluster_id for event in events]
    return max(numeric, key=lambda name: _stands_out(columns[name], member), default=None)


def _stands_out(values: Sequence[float | None], member: Sequence[bool]) -> float:
    inside = [v for v, is_member in zip(values, member, strict=True) if is_member and v is not None]
    outside = [
        v for v, is_member in zip(values, member, strict=True) if not is_member and v is not None
    ]
    if not inside or len(outside) < 2:
        return 0.0
    centre = median(outside)
    spread = median(abs(value - centre) for value in outside) or abs(centre) or 1.0
    return abs(median(inside) - centre) / spread


def _sentence(
    points: Sequence[Point], field: str | None, low: float | None, high: float | None
) -> str:
    if not points:
        return "No events of this entity are kept."
    members = [point for point in points if point.member]
    if not members:
        return f"{count(len(points), 'kept event')} of the entity, none of this cluster."
    length = span(max(0.0, points[-1].time - points[0].time))
    start = (
        f"{count(len(members), 'member')} among the last {count(len(points), 'event')}, {length}"
    )
    values = [point.value for point in members if point.value is not None]
    if field is None or not values:
        return f"{start}."
    name = visible(field, 60).replace("_", " ")
    seen = _interval(min(values), max(values))
    usual = "" if low is None or high is None else f", usually {_interval(low, high)}"
    return f"{start}; {name} {seen}{usual}."


def _interval(low: float, high: float) -> str:
    shown = number(low), number(high)
    return shown[0] if shown[0] == shown[1] else f"{shown[0]}–{shown[1]}"
