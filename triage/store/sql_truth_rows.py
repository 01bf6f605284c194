"""Late truth as the board reads it."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from triage.model import VerdictKind
from triage.queries import TruthRow, TruthSource
from triage.store import tables as t
from triage.truth import MISSED, contradicts

SHOWN = 100  # truths of a cluster on its page

_M, _N, _W, _C, _E = (
    table.c for table in (t.members, t.labels, t.truths, t.clusters, t.candidates)
)
_TOLD = (  # built once, see ``sql_shared``
    sa.select(
        _W.source, _W.id, _W.real, _W.at, _N.candidate_id, _E.event_time, _M.state, _C.verdict
    )
    .join_from(t.members, t.labels, _N.candidate_id == _M.candidate_id)
    .join(t.truths, sa.and_(_W.truth_id == _N.verdict_id, _W.gone.is_(None)))
    .join(t.candidates, _E.candidate_id == _M.candidate_id)
    .join(t.clusters, _C.cluster_id == _M.cluster_id)
    .where(_M.cluster_id == sa.bindparam("cluster_id"))
    .order_by(_W.position.desc())
    .limit(SHOWN)
)


def truths_of(connection: sa.Connection, cluster_id: str) -> Sequence[TruthRow]:
    """Return what late truth says of the cluster's members, newest first."""
    rows = connection.execute(_TOLD, {"cluster_id": cluster_id}).mappings()
    return [
        TruthRow(
            source=row["source"],
            id=row["id"],
            candidate_id=row["candidate_id"],
            real=bool(row["real"]),
            at=row["at"],
            delay_s=row["at"] - row["event_time"],
            contradicts=contradicts(bool(row["real"]), _verdict(row["verdict"])),
        )
        for row in rows
    ]


def truth_sources(connection: sa.Connection) -> Sequence[TruthSource]:
    """Return how much each source has told, by stream and source."""
    w, n, m, c = t.truths.c, t.labels.c, t.members.c, t.clusters.c
    waiting = sa.func.sum(sa.case((w.joined == 0, 1), else_=0))
    counted = connection.execute(
        sa.select(w.stream, w.source, sa.func.count(), waiting, sa.func.max(w.at))
        .where(w.gone.is_(None), w.source != MISSED)
        .group_by(w.stream, w.source)
        .order_by(w.stream, w.source)
    ).all()
    against: dict[tuple[str, str], int] = {}
    decided = connection.execute(
        sa.select(w.stream, w.source, w.real, c.verdict, sa.func.count(sa.distinct(w.truth_id)))
        .join_from(t.truths, t.labels, sa.and_(n.stream == w.stream, n.verdict_id == w.truth_id))
        .join(t.members, m.candidate_id == n.candidate_id)
        .join(t.clusters, c.cluster_id == m.cluster_id)
        .where(w.gone.is_(None), w.joined > 0, c.verdict.is_not(None))
        .group_by(w.stream, w.source, w.real, c.verdict)
    )
    for stream, source, real, verdict, number in decided:
        if contradicts(bool(real), VerdictKind(verdict)):
            against[stream, source] = against.get((stream, source), 0) + number
    return [
        TruthSource(
            stream=stream,
            source=source,
            joined=number - int(unmatched),
            waiting=int(unmatched),
            contradicting=against.get((stream, source), 0),
            newest_at=newest_at,
        )
        for stream, source, number, unmatched, newest_at in counted
    ]


def _verdict(text: str | None) -> VerdictKind | None:
    return None if text is None else VerdictKind(text)
