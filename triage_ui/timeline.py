"""When: which number of a cluster's events to draw, its usual band, and a sentence that says it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from triage.queries import ClusterReason, EntityEvent, MemberRow
from triage_ui.text import count, number, span, visible

ENOUGH = 8
"""Ordinary events from which a usual band is worth drawing."""


@dataclass(frozen=True, slots=True)
class Point:
    """One event.

    Attributes:
        value: the number to draw, None where the event has none.
        member: of this cluster. ``elsewhere``: a candidate that is in another cluster.
    """

    time: float
    value: float | None
    member: bool
    elsewhere: bool
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Timeline:
    """What to draw.

    Attributes:
        name: of the drawn number, for people; None if the events have none.
        low, high: usual band: the whiskers of a box plot of the ordinary events (the outermost
            values within 1.5 box heights of the box; Tukey, 1977), None if they are too few.
        sentence: the same for who doesn't see the drawing.
    """

    points: Sequence[Point]
    name: str | None
    low: float | None
    high: float | None
    sentence: str


def cluster_events(
    events: Sequence[EntityEvent], members: Sequence[MemberRow], cluster_id: str
) -> Sequence[EntityEvent]:
    """Return the main entity's kept events with all members among them, oldest first."""
    there = {event.candidate_id for event in events}
    more = [
        EntityEvent(
            member.candidate.event_time,
            member.candidate.record,
            member.candidate.candidate_id,
            cluster_id,
            member.candidate.stream,
            member.candidate.entities,
        )
        for member in members
        if member.candidate.candidate_id not in there
    ]
    return sorted([*events, *more], key=lambda event: event.time)


def near_members(
    events: Sequence[EntityEvent], cluster_id: str, most: int
) -> Sequence[EntityEvent]:
    """Return at most ``most`` events, ending a little after the cluster's last member."""
    last = max(
        (i for i, event in enumerate(events) if event.cluster_id == cluster_id), default=len(events)
    )
    end = min(len(events), last + 1 + most // 10)
    return events[max(0, end - most) : end]


def main_key(members: Sequence[MemberRow]) -> str:
    """Return the value of the stream's key that most members share."""
    keys = Counter(member.candidate.entity for member in members)
    return keys.most_common(1)[0][0] if keys else ""


def timeline(
    events: Sequence[EntityEvent], cluster_id: str, reasons: Sequence[ClusterReason], entity: str
) -> Timeline:
    """Choose what to draw.

    Args:
        events: oldest first. ``reasons``: the cluster's, strongest first.
        entity: whose ordinary events these are.
    """
    mine = [event.cluster_id == cluster_id for event in events]
    field = drawn_field(events, mine, [reason.feature for reason in reasons])
    points = [_point(event, cluster_id, field) for event in events]
    ordinary = [point for point in points if not point.member and not point.elsewhere]
    values = sorted(point.value for point in ordinary if point.value is not None)
    low, high = _band(values) if len(values) >= ENOUGH else (None, None)
    labels = {reason.feature: reason.label for reason in reasons}
    name = None if field is None else visible(labels.get(field, field.replace("_", " ")), 60)
    sentence = _sentence(points, len(ordinary), name, low, high, entity)
    return Timeline(points, name, low, high, sentence)


def _band(values: Sequence[float]) -> tuple[float, float]:
    """Return the whiskers of sorted values: one odd event among few must not widen it."""
    lower, upper = values[len(values) // 4], values[-1 - len(values) // 4]
    reach = 1.5 * (upper - lower)
    inside = [value for value in values if lower - reach <= value <= upper + reach]
    return inside[0], inside[-1]


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


def drawn_field(
    events: Sequence[EntityEvent], mine: Sequence[bool], features: Sequence[str] = ()
) -> str | None:
    """Return the number that the strongest reason is about, else the one that stands out most.

    ``mine``: whether each event is one of those that should stand out.
    """
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
    return max(numeric, key=lambda name: _stands_out(columns[name], mine), default=None)


def _stands_out(values: Sequence[float | None], member: Sequence[bool]) -> float:
    pairs = [(value, mine) for value, mine in zip(values, member, strict=True) if value is not None]
    inside = [value for value, mine in pairs if mine]
    outside = [value for value, mine in pairs if not mine]
    if not inside or len(outside) < 2:
        return 0.0
    centre = median(outside)
    spread = median(abs(value - centre) for value in outside) or abs(centre) or 1.0
    return abs(median(inside) - centre) / spread


def _sentence(
    points: Sequence[Point],
    ordinary: int,
    name: str | None,
    low: float | None,
    high: float | None,
    entity: str,
) -> str:
    if not points:
        return "No events of this entity are kept."
    others = count(ordinary, "ordinary event") + (f" of {visible(entity, 60)}" if entity else "")
    members = [point for point in points if point.member]
    if not members:
        return f"{others}, none of this cluster."
    within = members[-1].time - members[0].time
    start = count(len(members), "member") + (f" within {span(within)}" if within >= 1 else "")
    values = [point.value for point in members if point.value is not None]
    if name is None or not values:
        return f"{start}, beside {others}."
    seen = interval(min(values), max(values))
    usual = "" if low is None or high is None else f", usually {interval(low, high)}"
    return f"{start}: {name} {seen}{usual}; beside {others}."


def interval(low: float, high: float) -> str:
    """Return "20–55", or one number where both read the same."""
    shown = number(low), number(high)
    return shown[0] if shown[0] == shown[1] else f"{shown[0]}–{shown[1]}"
