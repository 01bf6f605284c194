"""What is known of an entity's time axis, from candidates' records and their contexts."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from triage.queries import EntityEvent
from triage.store import tables as t
from triage.store.sql_events import each_once, named_event, ordinary_events, same_event
from triage.store.sql_members import shown_candidates
from triage.suppression import KEY_ENTITY

READ = 200  # candidates whose contexts are opened at most

_C, _E, _K = t.clusters.c, t.cluster_entities.c, t.candidates.c
_MAIN = (  # built once, see ``sql_shared``
    sa.select(_E.value)
    .where(_E.cluster_id == sa.bindparam("cluster_id"), _E.name == KEY_ENTITY)
    .order_by(_E.members.desc(), _E.value)
    .limit(1)
)
_UNTIL = sa.select(_C.stream, _C.last_time).where(_C.cluster_id == sa.bindparam("cluster_id"))
_SEEN = (
    sa.select(t.candidates, t.members.c.cluster_id)
    .join(t.members, t.members.c.candidate_id == _K.candidate_id)
    .where(
        _K.stream == sa.bindparam("stream"),
        _K.entity == sa.bindparam("entity"),
        _K.event_time <= sa.bindparam("last_time"),
    )
    .order_by(_K.event_time.desc(), _K.seq.desc())
    .limit(READ)
)


def entity_events(connection: sa.Connection, cluster_id: str, limit: int) -> Sequence[EntityEvent]:
    """Return the newest ``limit`` kept events of the cluster's main entity, oldest first.

    The main entity is the value of the stream's key that most members share. What happened to it
    until the cluster's last event counts, candidates of other clusters included.
    """
    main = _main_entity(connection, cluster_id)
    if main is None:
        return []
    events: dict[tuple[float, str, bytes], EntityEvent] = {}
    newest: list[float] = []  # a heap of the times of the newest ``limit``
    rows = _candidates(connection, cluster_id, main)
    for row, candidate in shown_candidates(connection, rows):
        # Newest first, and a context lies before its event: older ones can't displace these.
        if len(newest) == limit and newest[0] > candidate.event_time:
            break
        named = named_event(candidate, row["cluster_id"])
        for event in (named, *ordinary_events(candidate)):
            if len(newest) == limit and event.time < newest[0]:
                continue
            this = same_event(event)
            if this not in events:
                _keep_newest(newest, event.time, limit)
            if this not in events or event is named:
                events[this] = event
    ordered = sorted(events.items(), key=lambda item: item[0])
    return each_once([event for _, event in ordered])[-limit:]


def _keep_newest(newest: list[float], time: float, limit: int) -> None:
    if len(newest) < limit:
        heapq.heappush(newest, time)
    else:
        heapq.heappushpop(newest, time)


def _main_entity(connection: sa.Connection, cluster_id: str) -> str | None:
    return connection.scalar(_MAIN, {"cluster_id": cluster_id})


def _candidates(connection: sa.Connection, cluster_id: str, entity: str) -> Iterator[sa.RowMapping]:
    until = connection.execute(_UNTIL, {"cluster_id": cluster_id}).mappings().one()
    yield from connection.execute(_SEEN, {**until, "entity": entity}).mappings()
