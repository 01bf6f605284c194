"""What is known of closings: the bound, the audits behind it, and who may read one."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from triage.bound import Drawn
from triage.closing import Bound, Closings, bound_of
from triage.model import MemberState, VerdictKind
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
    answers = (
        sa.select(k.probability, a.wrong, _truth_on(a.candidate_id).label("told"))
        .join(t.audits, a.verdict_id == k.verdict_id)
        .where(*known)
        .subquery()
    )
    told = answers.c.told
    read = {
        row.probability: row
        for row in connection.execute(
            sa.select(
                answers.c.probability,
                sa.func.count().label("audits"),
                sa.func.sum(sa.func.coalesce(told, answers.c.wrong)).label("wrong"),
                sa.func.count(told).label("told"),
                sa.func.coalesce(sa.func.sum(told), 0).label("told_real"),
            ).group_by(answers.c.probability)
        )
    }
    members = connection.execute(
        sa.select(k.probability, sa.func.sum(k.members)).where(*known).group_by(k.probability)
    )
    closed = sa.select(sa.func.count()).where(
        m.stream == stream, m.state == sa.literal_column("'closed'")
    )
    drawn = []
    for probability, count in members:
        row = read.get(probability)
        found = (int(row.wrong), int(row.told_real)) if row else (0, 0)
        drawn.append(Drawn(probability, int(count), *found))
    return Closings(
        drawn=drawn,
        audits=sum(row.audits for row in read.values()),
        waiting=connection.scalar(sa.select(sa.func.count()).where(*waits)) or 0,
        closed=connection.scalar(closed) or 0,
        told=sum(row.told for row in read.values()),
        unread_real=_unread_real(connection, stream),
    )


def _truth_on(candidate_id: sa.ColumnElement[str]) -> sa.ScalarSelect[int]:
    """Return what the newest late truth in force says of a candidate: 1 real, 0 not, else null."""
    told = t.labels.alias("told")
    n, w = told.c, t.truths.c
    return (
        sa.select(w.real)
        .join_from(told, t.truths, sa.and_(w.stream == n.stream, w.truth_id == n.verdict_id))
        .where(n.candidate_id == candidate_id, w.gone.is_(None))
        .order_by(w.position.desc())
        .limit(1)
        .scalar_subquery()
    )


def _unread_real(connection: sa.Connection, stream: str) -> int:
    """Return how many closings, audits aside, are real by late truth: closed, or in a rest."""
    n, w, m, c = t.labels.c, t.truths.c, t.members.c, t.clusters.c
    counted = sa.select(t.closings.c.cluster_id)
    audited = sa.select(t.audits.c.candidate_id)
    told_real = (
        sa.select(m.candidate_id)
        .distinct()
        .join_from(t.truths, t.labels, sa.and_(n.stream == w.stream, n.verdict_id == w.truth_id))
        .join(t.members, m.candidate_id == n.candidate_id)
        .join(t.clusters, c.cluster_id == m.cluster_id)
        .where(
            w.stream == stream,
            w.gone.is_(None),
            w.joined > 0,
            w.real == 1,
            c.counted == 1,
            # what was read of the dismissed cluster itself was never closed unread
            sa.or_(m.state != str(MemberState.READ), m.cluster_id.not_in(counted)),
            m.candidate_id.not_in(audited),
        )
        .subquery()
    )
    newest = (
        sa.select(sa.func.count())
        .select_from(told_real)
        .where(_truth_on(told_real.c.candidate_id) == 1)
    )
    return connection.scalar(newest) or 0


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
            _truth_on(a.candidate_id),
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
            wrong=bool(wrong if truth is None else truth),
            kind=VerdictKind(kind),
            of=of,
            probability=share,
            actor=actor,
            at=at,
            truth=None if truth is None else bool(truth),
        )
        for cid, cluster_id, title, where, wrong, kind, of, share, actor, at, truth in rows
    ]


def alone(connection: sa.Connection, stream: str, actor: str) -> bool:
    """Return whether nobody else has ever given a verdict on the stream."""
    v = t.verdicts.c
    others = sa.select(v.verdict_id).where(v.stream == stream, v.actor != actor).limit(1)
    return connection.execute(others).first() is None
