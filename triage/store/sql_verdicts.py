"""Verdicts as the board shows them, with what they taught."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from triage.cases import Verdict
from triage.closing import DISMISSES
from triage.model import MemberState, VerdictKind, VerdictState
from triage.queries import VerdictRow
from triage.store import tables as t
from triage.store.codec import loads
from triage.store.sql_shared import STANDING


def verdict_row(connection: sa.Connection, verdict_id: str) -> VerdictRow | None:
    """Return one verdict."""
    found = connection.execute(_ONE, {"verdict_id": verdict_id}).mappings().first()
    return None if found is None else _row(found)


def verdicts_of(connection: sa.Connection, cluster_id: str) -> Sequence[VerdictRow]:
    """Return a cluster's verdicts, newest first."""
    return [_row(row) for row in connection.execute(_ON, {"cluster_id": cluster_id}).mappings()]


def verdict_rows(
    connection: sa.Connection, *where: sa.ColumnElement[bool], limit: int | None = None
) -> Sequence[VerdictRow]:
    """Return the verdicts, newest first."""
    these = _SHOWN.where(*where).limit(limit)
    return [_row(row) for row in connection.execute(these).mappings()]


def _shown() -> sa.Select[Any]:
    """Return the verdicts with what they taught and left unread, newest first."""
    v, p, n = t.verdicts.c, t.partitions.c, t.learnings.c
    last = t.partitions.alias("last").c
    present_topic = (
        sa.select(last.topic_id)
        .where(last.stream == v.stream, last.committed_at.is_not(None))
        .order_by(last.committed_at.desc())
        .limit(1)
        .correlate(t.verdicts)
        .scalar_subquery()
    )
    reached = (  # partitions of a topic that the stream no longer reads never learn
        sa.select(sa.func.min(p.label_position))
        .where(p.stream == v.stream, p.topic_id == present_topic)
        .correlate(t.verdicts)
        .scalar_subquery()
    )
    applied = (
        n.stream == v.stream,
        n.model_before < v.label_position,
        n.model_after >= v.label_position,
    )

    def taught(what: sa.ColumnElement[int]) -> sa.ScalarSelect[int]:
        return sa.select(what).where(*applied).correlate(t.verdicts).scalar_subquery()

    c, m, a = t.clusters.c, t.members.c, t.audits.c
    rest = (  # of an expression: else PostgreSQL walks all clusters in order of their ids for it
        sa.select(sa.func.min(c.cluster_id.concat("")))
        .where(c.origin == v.verdict_id, c.pull > 0)
        .correlate(t.verdicts)
        .scalar_subquery()
    )
    audited = (
        sa.select(sa.func.count())
        .where(a.verdict_id == v.verdict_id)
        .correlate(t.verdicts)
        .scalar_subquery()
    )
    closed = (
        sa.select(sa.func.count())
        .where(m.cluster_id == v.cluster_id, m.state == str(MemberState.CLOSED))
        .correlate(t.verdicts)
        .scalar_subquery()
    )
    closes = sa.and_(v.propagated > 0, v.kind.in_(DISMISSES), v.state.in_(STANDING))
    return sa.select(
        t.verdicts,
        rest.label("rest"),
        audited.label("audited"),
        sa.case((closes, closed), else_=0).label("closed"),
        reached.label("reached"),
        taught(sa.func.min(n.model_before)).label("model_before"),
        taught(sa.func.max(n.model_after)).label("model_after"),
        taught(sa.func.coalesce(sa.func.sum(n.rose), 0)).label("rose"),
        taught(sa.func.coalesce(sa.func.sum(n.fell), 0)).label("fell"),
    ).order_by(v.number.desc())


_SHOWN = _shown()
_ONE = _SHOWN.where(t.verdicts.c.verdict_id == sa.bindparam("verdict_id"))
_ON = _SHOWN.where(t.verdicts.c.cluster_id == sa.bindparam("cluster_id"))


def _row(row: sa.RowMapping) -> VerdictRow:
    position, reached = row["label_position"], row["reached"]
    learned = position is None or (reached is not None and reached >= position)
    return VerdictRow(
        verdict_id=row["verdict_id"],
        cluster_id=row["cluster_id"],
        kind=VerdictKind(row["kind"]),
        state=VerdictState(row["state"]),
        actor=row["actor"],
        at=row["at"],
        reason=row["reason"],
        scope=row["scope"],
        expires_at=row["expires_at"],
        read=row["read"],
        propagated=row["propagated"],
        grace_until=row["grace_until"],
        learned=learned,
        model_before=row["model_before"] if learned else None,
        model_after=row["model_after"] if learned else None,
        rose=int(row["rose"]),
        fell=int(row["fell"]),
        rest=row["rest"],
        audited=row["audited"],
        closed=row["closed"],
    )


_LOADED = sa.select(t.verdicts).order_by(t.verdicts.c.number)
_LOADED_ONE = _LOADED.where(t.verdicts.c.verdict_id == sa.bindparam("verdict_id"))
_STANDING_ON = _LOADED.where(
    t.verdicts.c.cluster_id == sa.bindparam("cluster_id"), t.verdicts.c.state.in_(STANDING)
)


def load_verdict(connection: sa.Connection, verdict_id: str) -> Verdict | None:
    """Return one verdict as a handler needs it."""
    row = connection.execute(_LOADED_ONE, {"verdict_id": verdict_id}).mappings().first()
    return None if row is None else _verdict(row)


def standing_on(connection: sa.Connection, cluster_id: str) -> Sequence[Verdict]:
    """Return the cluster's verdicts that have not been taken back, oldest first."""
    rows = connection.execute(_STANDING_ON, {"cluster_id": cluster_id}).mappings()
    return [_verdict(row) for row in rows]


def load_verdicts(
    connection: sa.Connection, *where: sa.ColumnElement[bool], limit: int | None = None
) -> Sequence[Verdict]:
    """Return the verdicts as a handler needs them, oldest first."""
    rows = connection.execute(_LOADED.where(*where).limit(limit)).mappings()
    return [_verdict(row) for row in rows]


def _verdict(row: sa.RowMapping) -> Verdict:
    return Verdict(
        verdict_id=row["verdict_id"],
        cluster_id=row["cluster_id"],
        stream=row["stream"],
        kind=VerdictKind(row["kind"]),
        state=VerdictState(row["state"]),
        actor=row["actor"],
        at=row["at"],
        reason=row["reason"],
        scope=row["scope"],
        expires_at=row["expires_at"],
        read_ids=tuple(loads(row["read_ids"])),
        propagated=row["propagated"],
        grace_until=row["grace_until"],
        label_position=row["label_position"],
        suggested=None if row["suggested"] is None else VerdictKind(row["suggested"]),
    )
