"""What is known of closings: the bound, the audits behind it, and who may read one."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from triage.bound import Drawn
from triage.closing import Bound, Closings, bound_of
from triage.model import VerdictKind
from triage.queries import AuditRow
from triage.store import tables as t
from triage.store.sql_shared import policy_of


def closings_of(connection: sa.Connection, stream: str) -> Closings:
    """Return what is known of the stream's closings, up to the oldest audit that waits."""
    k, a, m = t.closings.c, t.audits.c, t.members.c
    waits = (a.stream == stream, a.wrong.is_(None))
    first = connection.scalar(
        sa.select(sa.func.min(k.number)).join(t.audits, a.verdict_id == k.verdict_id).where(*waits)
    )
    known = [k.stream == stream] if first is None else [k.stream == stream, k.number < first]
    read = {
        probability: (audits, int(wrong or 0))
        for probability, audits, wrong in connection.execute(
            sa.select(k.probability, sa.func.count(), sa.func.sum(a.wrong))
            .join(t.audits, a.verdict_id == k.verdict_id)
            .where(*known)
            .group_by(k.probability)
        )
    }
    members = connection.execute(
        sa.select(k.probability, sa.func.sum(k.members)).where(*known).group_by(k.probability)
    )
    closed = sa.select(sa.func.count()).where(
        m.stream == stream, m.state == sa.literal_column("'closed'")
    )
    return Closings(
        drawn=[
            Drawn(probability, int(count), read.get(probability, (0, 0))[1])
            for probability, count in members
        ],
        audits=sum(audits for audits, _ in read.values()),
        waiting=connection.scalar(sa.select(sa.func.count()).where(*waits)) or 0,
        closed=connection.scalar(closed) or 0,
    )


def bounds(connection: sa.Connection) -> Sequence[Bound]:
    """Return the bound of each stream that has closings, by stream."""
    streams = connection.scalars(
        sa.select(t.closings.c.stream).distinct().order_by(t.closings.c.stream)
    ).all()
    return [bound(connection, stream) for stream in streams]


def bound(connection: sa.Connection, stream: str) -> Bound:
    """Return what the stream's audits say by now."""
    return bound_of(stream, closings_of(connection, stream), policy_of(connection, stream))


def audit_rows(connection: sa.Connection, stream: str | None, limit: int) -> Sequence[AuditRow]:
    """Return the newest audits that were answered, newest first. Those that wait stay blind."""
    a, k, c, v = t.audits.c, t.closings.c, t.clusters.c, t.verdicts.c
    conditions: list[sa.ColumnElement[bool]] = [a.wrong.is_not(None)]
    if stream is not None:
        conditions.append(a.stream == stream)
    rows = connection.execute(
        sa.select(
            a.candidate_id,
            a.cluster_id,
            c.title,
            a.stream,
            a.wrong,
            v.kind,
            k.cluster_id,
            k.probability,
            v.actor,
            k.at,
        )
        .join(t.closings, k.verdict_id == a.verdict_id)
        .join(t.verdicts, v.verdict_id == a.verdict_id)
        .join(t.clusters, c.cluster_id == a.cluster_id)
        .where(*conditions)
        .order_by(k.number.desc(), a.candidate_id)
        .limit(limit)
    )
    return [
        AuditRow(
            candidate_id=cid,
            cluster_id=cluster_id,
            title=title,
            stream=where,
            wrong=bool(wrong),
            kind=VerdictKind(kind),
            of=of,
            probability=share,
            actor=actor,
            at=at,
        )
        for cid, cluster_id, title, where, wrong, kind, of, share, actor, at in rows
    ]


def alone(connection: sa.Connection, stream: str, actor: str) -> bool:
    """Return whether nobody else has ever given a verdict on the stream."""
    v = t.verdicts.c
    others = sa.select(v.verdict_id).where(v.stream == stream, v.actor != actor).limit(1)
    return connection.execute(others).first() is None
