"""Events as candidates tell of them: their own, and the ordinary ones kept beside."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import sqlalchemy as sa

from triage.masking import MASK
from triage.model import Candidate
from triage.queries import EntityEvent
from triage.store import tables as t
from triage.store.codec import canonical, loads
from triage.truth import MISSED, may_be_one


def named_event(candidate: Candidate, cluster_id: str | None) -> EntityEvent:
    """Return the event that a candidate is."""
    return EntityEvent(
        time=candidate.event_time,
        fields=candidate.record,
        candidate_id=candidate.candidate_id,
        cluster_id=cluster_id,
        stream=candidate.stream,
        entities=candidate.entities,
    )


def ordinary_events(candidate: Candidate) -> Iterator[EntityEvent]:
    """Yield the events of the candidate's context, oldest first.

    A context is of the stream's key, which its fields leave out. What the board may not show of an
    entity is none of its names.
    """
    for kept in candidate.context:
        fields = kept["fields"]
        known = {name: str(fields[name]) for name in candidate.entities if name in fields}
        left_out = [
            name
            for name, value in candidate.entities.items()
            if name not in fields and value == candidate.entity
        ]
        if len(left_out) == 1:  # else nobody knows which of them is the key
            known[left_out[0]] = candidate.entity
        yield EntityEvent(
            time=kept["time"],
            fields=fields,
            candidate_id=None,
            cluster_id=None,
            stream=candidate.stream,
            beside=candidate.candidate_id,
            entities={name: value for name, value in known.items() if value not in ("", MASK)},
        )


def same_event(event: EntityEvent) -> tuple[float, str, bytes]:
    """Return what two sightings of one event have in common."""
    return event.time, event.stream, canonical(event.fields)


def each_once(events: Sequence[EntityEvent]) -> Sequence[EntityEvent]:
    """Return the events without the ordinary ones that are a candidate among them.

    What was a candidate lies in the contexts of those that came later, with some of its fields.
    """
    named: dict[tuple[str, float], list[EntityEvent]] = {}
    for event in events:
        if event.candidate_id is not None:
            named.setdefault((event.stream, event.time), []).append(event)
    return [
        event
        for event in events
        if event.candidate_id is not None
        or not any(
            event.fields.items() <= one.fields.items()
            for one in named.get((event.stream, event.time), ())
        )
    ]


def with_reports(
    connection: sa.Connection, events: Sequence[EntityEvent], only_of: str | None
) -> Sequence[EntityEvent]:
    """Return the events, those that somebody reports as missed with that person's name.

    ``only_of``: whose reports are told; None: everybody's.
    """
    ordinary = [event for event in events if event.candidate_id is None]
    if not ordinary:
        return events
    w, times = t.truths.c, [event.time for event in ordinary]
    reports = connection.execute(
        sa.select(w.stream, w.time, w.entities, w.actor).where(
            w.stream.in_({event.stream for event in ordinary}),
            w.source == MISSED,
            w.entities.is_not(None),
            sa.text(t.WAITING),
            w.time.between(min(times), max(times)),
            *([] if only_of is None else [w.actor == only_of]),
        )
    ).all()
    told: dict[tuple[str, float], list[tuple[Mapping[str, str], str]]] = {}
    for row in reports:
        told.setdefault((row.stream, row.time), []).append((loads(row.entities), row.actor))

    def by(event: EntityEvent) -> str | None:
        here = [] if event.candidate_id else told.get((event.stream, event.time), [])
        return next((actor for of, actor in here if may_be_one(of, event.entities)), None)

    return [dataclasses.replace(event, missed_by=by(event)) for event in events]
