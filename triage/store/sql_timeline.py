"""What is known of an entity's time axis, from candidates' records and their contexts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from triage.queries import EntityEvent
from triage.store import tables as t
from triage.store.codec import dumps, load_candidate
from triage.store.sql_grouper import KEY_ENTITY

READ = 200  # candidates whose contexts are opened, newest first


def entity_events(connection: sa.Connection, cluster_id: str, limit: int) -> Sequence[EntityEvent]:
    """Return the newest ``limit`` kept events of the cluster's main entity, oldest first.

    The main entity is the value of the stream's key that most members share. Its candidates in
    other clusters count too.
    """
    e, c, m = t.cluster_entities.c, t.candidates.c, t.members.c
    main = connection.scalar(
        sa.select(e.value)
        .where(e.cluster_id == cluster_id, e.name == KEY_ENTITY)
        .order_by(e.members.desc(), e.value)
        .limit(1)
    )
    if main is None:
        return []
    cluster = t.clusters.c
    row = connection.execute(
        sa.select(cluster.stream, cluster.last_time).where(cluster.cluster_id == cluster_id)
    ).one()
    rows = connection.execute(
        sa.select(t.candidates, m.cluster_id)
        .join(t.members, m.seq == c.seq)
        .where(c.stream == row[0], c.entity == main)
        .order_by((m.cluster_id == cluster_id).desc(), c.event_time.desc(), c.seq.desc())
        .limit(READ)
    ).mappings()
    events: dict[tuple[float, str], EntityEvent] = {}
    for found in rows:
        candidate = load_candidate(found)
        _note(events, candidate.event_time, candidate.record, candidate.candidate_id, found)
        for event in candidate.context:
            _note(events, event["time"], event["fields"], None, found)
    ordered = sorted(events.items(), key=lambda item: item[0])
    return [event for _, event in ordered][-limit:]


def _note(
    events: dict[tuple[float, str], EntityEvent],
    time: float,
    fields: Any,
    candidate_id: str | None,
    row: sa.RowMapping,
) -> None:
    key = (time, dumps(dict(sorted(fields.items()))))
    if candidate_id is not None:
        events[key] = EntityEvent(time, fields, candidate_id, row["cluster_id"])
    elif key not in events:
        events[key] = EntityEvent(time, fields, None, None)
