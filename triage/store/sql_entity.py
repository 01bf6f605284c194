"""What is known of one entity over all clusters: the cases that it is in, and its time axis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from triage.model import Candidate, ClusterStatus
from triage.queries import EntityDetail, EntityEvent
from triage.store import tables as t
from triage.store.sql_events import (
    each_once,
    named_event,
    ordinary_events,
    same_event,
    with_reports,
)
from triage.store.sql_members import shown_candidates
from triage.store.sql_queue import blinded, queue_row
from triage.store.sql_timeline import READ


def entity_detail(
    connection: sa.Connection, name: str, value: str, limit: int, viewer: str | None
) -> EntityDetail | None:
    """See ``queries.Queries.entity``."""
    c, e = t.clusters.c, t.cluster_entities.c
    this = (e.name == name, e.value == value)
    totals = connection.execute(
        sa.select(sa.func.count(), sa.func.sum(e.members)).where(*this)
    ).one()
    if not totals[0]:
        return None
    rows = connection.execute(
        sa.select(t.clusters, e.members)
        .join(t.cluster_entities, e.cluster_id == c.cluster_id)
        .where(*this)
        .order_by(c.last_time.desc(), c.cluster_id)
        .limit(limit)
    ).mappings()
    listed = list(rows)
    decided = connection.execute(
        sa.select(c.verdict, sa.func.count())
        .join(t.cluster_entities, e.cluster_id == c.cluster_id)
        .where(*this, c.verdict.is_not(None))
        .group_by(c.verdict)
    )
    return EntityDetail(
        name=name,
        value=value,
        clusters=blinded(connection, [queue_row(row) for row in listed], viewer),
        members={row["cluster_id"]: row["members"] for row in listed},
        clusters_total=totals[0],
        members_total=int(totals[1]),
        verdicts={row[0]: row[1] for row in decided},
        events=with_reports(
            connection,
            _events(connection, [row["cluster_id"] for row in listed], name, value),
            only_of=viewer if _is_read_blind(connection, name, value) else None,
        ),
    )


def _is_read_blind(connection: sa.Connection, name: str, value: str) -> bool:
    """Return whether a cluster of the entity waits for an audit or a second opinion."""
    c, e = t.clusters.c, t.cluster_entities.c
    audit = sa.and_(c.pull == 0, c.verdict.is_(None))
    return bool(
        connection.scalar(
            sa.select(
                sa.exists()
                .select_from(t.clusters)
                .where(e.cluster_id == c.cluster_id, e.name == name, e.value == value)
                .where(c.waiting == 1, sa.or_(c.status == ClusterStatus.SECOND_OPINION, audit))
            )
        )
    )


def _events(
    connection: sa.Connection, cluster_ids: Sequence[str], name: str, value: str
) -> Sequence[EntityEvent]:
    """Return the entity's newest candidates with the ordinary events kept beside them."""
    events: dict[tuple[float, str, bytes], EntityEvent] = {}
    for candidate, cluster_id in _candidates(connection, cluster_ids):
        if candidate.entities.get(name) != value:
            continue
        named = named_event(candidate, cluster_id)
        events[same_event(named)] = named
        for event in ordinary_events(candidate):
            if event.entities.get(name) == value:
                events.setdefault(same_event(event), event)
    return each_once([event for _, event in sorted(events.items(), key=lambda item: item[0])])


def _candidates(
    connection: sa.Connection, cluster_ids: Sequence[str]
) -> Iterator[tuple[Candidate, str]]:
    """Yield the newest members of the clusters, newest first."""
    m, c = t.members.c, t.candidates.c
    newest = connection.execute(  # narrow rows first: these are sorted, the bulky ones only read
        sa.select(m.seq, m.cluster_id)
        .join(t.candidates, c.seq == m.seq)
        .where(m.cluster_id.in_(cluster_ids))
        .order_by(c.event_time.desc(), m.seq.desc())
        .limit(READ)
    ).all()
    found = {
        row["seq"]: row
        for row in connection.execute(
            sa.select(t.candidates).where(c.seq.in_([seq for seq, _ in newest]))
        ).mappings()
    }
    rows = [found[seq] for seq, _ in newest]
    for (_, cluster_id), (_, candidate) in zip(
        newest, shown_candidates(connection, rows), strict=True
    ):
        yield candidate, cluster_id
