"""Closings, audits and rests in the unit of work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from triage.cases import Verdict
from triage.closing import DISMISSES, Closings
from triage.model import ClusterStatus, MemberState
from triage.store import tables as t
from triage.store.base import ClusterUpdate
from triage.store.base_closing import Audit, Closing, TakenOut
from triage.store.bulk import among
from triage.store.codec import loads
from triage.store.sql_bounds import alone, closings_of
from triage.store.sql_grow import COUNTED, grow
from triage.store.sql_labels import SqlLabelUnit, in_force_until
from triage.store.sql_rescore import update_posteriors
from triage.store.sql_shared import STANDING, add_to_mark, get_mark, set_mark
from triage.store.sql_verdicts import load_verdicts
from triage.titles import Noun

VERDICTS = "verdicts:"  # number of verdicts, by stream
CLOSINGS = "closings:"  # number of closings, by stream
CLOSES = "closes:"  # 1: members are closed unread, by stream


def _shift(table: sa.Table) -> sa.Update:
    """Return what adds the counts of one cluster, times ``sign``, to those of another."""
    e, o = table.c, table.alias("other").c
    same = (o.cluster_id == sa.bindparam("of"), o.name == e.name, o.value == e.value)
    theirs = sa.select(o.members).where(*same).scalar_subquery()
    return (
        table.update()
        .where(e.cluster_id == sa.bindparam("onto"), sa.exists().where(*same))
        .values(members=e.members + sa.bindparam("sign", type_=sa.Integer) * theirs)
    )


# built once, see ``sql_shared``
_SHIFTS = [_shift(table) for table, _ in COUNTED]
_OF = t.clusters.c.cluster_id == sa.bindparam("of")
_SCORES = {
    name: sa.select(of(t.candidates.c.score))
    .join(t.members, t.members.c.seq == t.candidates.c.seq)
    .where(t.members.c.cluster_id == sa.bindparam("of"))
    .scalar_subquery()
    for name, of in (("score", sa.func.max), ("weakest", sa.func.min))
}
_COUNT_SCORES = t.clusters.update().where(_OF).values(_SCORES)


class SqlClosingUnit(SqlLabelUnit):
    """See ``base_closing.ClosingUnit``."""

    def noun(self, stream: str) -> Noun:
        """Return what the stream's events are called."""
        kept = self._connection.scalar(
            sa.select(t.streams.c.noun).where(t.streams.c.stream == stream)
        )
        return Noun() if kept is None else Noun(**loads(kept))

    def verdicts_given(self, stream: str) -> int:
        """Return how many verdicts were ever given on the stream."""
        return get_mark(self._connection, VERDICTS + stream)

    def closings_made(self, stream: str) -> int:
        """Return how many closings were ever counted on the stream."""
        return get_mark(self._connection, CLOSINGS + stream)

    def closes(self, stream: str) -> bool:
        """Return whether members are closed unread at present."""
        return bool(get_mark(self._connection, CLOSES + stream))

    def set_closes(self, stream: str, closes: bool) -> None:
        """Let members be closed unread from now on, or no longer."""
        set_mark(self._db, self._connection, CLOSES + stream, int(closes))

    def closings(self, stream: str) -> Closings:
        """Return what is known of the stream's closings."""
        return closings_of(self._connection, stream)

    def add_closing(self, closing: Closing, audits: Mapping[str, str]) -> None:
        """Count a closing and its cluster's members."""
        v = t.verdicts.c
        number = sa.select(v.number).where(v.verdict_id == closing.verdict_id).scalar_subquery()
        self._connection.execute(
            t.closings.insert().values(
                verdict_id=closing.verdict_id,
                number=number,
                stream=closing.stream,
                cluster_id=closing.cluster_id,
                probability=closing.probability,
                members=closing.members,
                at=closing.at,
            )
        )
        if audits:
            self._connection.execute(
                t.audits.insert(),
                [
                    {
                        "candidate_id": candidate_id,
                        "verdict_id": closing.verdict_id,
                        "stream": closing.stream,
                        "cluster_id": cluster_id,
                        "wrong": None,
                    }
                    for candidate_id, cluster_id in audits.items()
                ],
            )
        self._count(closing.stream, closing.cluster_id, closing.members, counted=1)

    def has_closing(self, verdict_id: str) -> bool:
        """Return whether the verdict counts as a closing."""
        k = t.closings.c
        this = sa.select(k.verdict_id).where(k.verdict_id == verdict_id)
        return self._connection.execute(this).first() is not None

    def drop_closing(self, verdict_id: str) -> None:
        """Let a closing never have been."""
        k = t.closings.c
        row = self._connection.execute(
            sa.select(k.stream, k.cluster_id, k.members).where(k.verdict_id == verdict_id)
        ).one()
        self._connection.execute(t.closings.delete().where(k.verdict_id == verdict_id))
        self._count(row.stream, row.cluster_id, -row.members, counted=0)

    def _count(self, stream: str, cluster_id: str, members: int, counted: int) -> None:
        add_to_mark(self._db, self._connection, CLOSINGS + stream, members)
        this = t.clusters.c.cluster_id == cluster_id
        self._connection.execute(t.clusters.update().where(this).values(counted=counted))

    def audits(self, verdict_id: str) -> Sequence[Audit]:
        """Return the audits of a verdict, by candidate."""
        return self._audits(t.audits.c.verdict_id == verdict_id)

    def audit_of(self, cluster_id: str) -> Audit | None:
        """Return the audit that the cluster is made of."""
        found = self._audits(t.audits.c.cluster_id == cluster_id)
        return found[0] if found else None

    def _audits(self, where: sa.ColumnElement[bool]) -> Sequence[Audit]:
        a = t.audits.c
        rows = self._connection.execute(
            sa.select(a.candidate_id, a.verdict_id, a.cluster_id, a.wrong)
            .where(where)
            .order_by(a.candidate_id)
        )
        return [Audit(*row[:3], None if row.wrong is None else bool(row.wrong)) for row in rows]

    def answer_audit(self, candidate_id: str, wrong: bool | None) -> None:
        """Note what an audit found; None: it waits again."""
        self._connection.execute(
            t.audits.update()
            .where(t.audits.c.candidate_id == candidate_id)
            .values(wrong=None if wrong is None else int(wrong))
        )

    def alone(self, stream: str, actor: str) -> bool:
        """Return whether nobody else has ever given a verdict on the stream."""
        return alone(self._connection, stream, actor)

    def take_out(self, cluster_id: str, parts: Sequence[TakenOut], at: float) -> None:
        """Move open or closed members of a cluster into new, open ones that follow it."""
        c, m = t.clusters.c, t.members.c
        source = (
            self._connection.execute(sa.select(t.clusters).where(c.cluster_id == cluster_id))
            .mappings()
            .one()
        )
        ids = [candidate_id for part in parts for candidate_id in part.members]
        self._connection.execute(
            t.members.update()
            .where(among(self._connection, m.candidate_id, ids))
            .values(cluster_id=None, state=str(MemberState.OPEN))
        )
        self._let_in(ids)
        updates = [
            ClusterUpdate(
                cluster_id=part.cluster_id,
                stream=source["stream"],
                detector=source["detector"],
                key=source["key"],
                title=part.title,
                subtitle=part.subtitle,
                members=part.members,
                predecessor=cluster_id if part.pull else None,  # an audit is blind
            )
            for part in parts
        ]
        grow(self._db, self._connection, updates, at)
        for part in parts:
            self._mark(part)
            self._shift_entities(part.cluster_id, cluster_id, -1)
        left = {"size": source["size"] - len(ids)}
        self._connection.execute(t.clusters.update().where(c.cluster_id == cluster_id).values(left))

    def _mark(self, part: TakenOut) -> None:
        c = t.clusters.c
        values: dict[str, Any] = {
            "origin": part.origin,
            "counted": int(part.counted),
            "pull": part.pull,
            "worth": c.worth * part.pull,
        }
        if not part.pull:  # nothing keeps an audit out of the queue
            self._let_in(part.members)
            values |= {"status": str(ClusterStatus.OPEN), "waiting": 1}
        self._connection.execute(
            t.clusters.update().where(c.cluster_id == part.cluster_id).values(values)
        )

    def _let_in(self, candidate_ids: Sequence[str]) -> None:
        """Forget that a suppression kept these out: where they go, it is asked anew."""
        these = among(self._connection, t.kept_out.c.candidate_id, candidate_ids)
        self._connection.execute(t.kept_out.delete().where(these))

    def put_back(self, cluster_id: str, into: str, closed: bool) -> bool:
        """Move all members of a cluster into another and remove it, if nothing was said of it."""
        c, m, k = t.clusters.c, t.members.c, t.kept_out.c
        said = sa.select(t.verdicts.c.verdict_id).where(t.verdicts.c.cluster_id == cluster_id)
        if self._connection.execute(said.limit(1)).first() is not None:
            return False
        self._shift_entities(cluster_id, into, 1)
        here = sa.select(m.candidate_id).where(m.cluster_id == cluster_id)
        self._connection.execute(t.kept_out.delete().where(k.candidate_id.in_(here)))
        self._connection.execute(t.audits.delete().where(t.audits.c.cluster_id == cluster_id))
        moved = self._connection.execute(
            t.members.update()
            .where(m.cluster_id == cluster_id)
            .values(cluster_id=into, state=str(MemberState.CLOSED if closed else MemberState.OPEN))
        ).rowcount
        counted = (table for table, _ in COUNTED)
        for table in (*counted, t.cluster_reasons, t.touches, t.clusters):
            self._connection.execute(table.delete().where(table.c.cluster_id == cluster_id))
        self._connection.execute(
            t.clusters.update().where(c.cluster_id == into).values(size=c.size + moved)
        )
        self._connection.execute(_COUNT_SCORES, {"of": into})
        if not closed:
            update_posteriors(self._connection, [into])
        return True

    def _shift_entities(self, of: str, cluster_id: str, sign: int) -> None:
        """Add the entities and cohorts of one cluster to another's counts, or take them off."""
        for shift in _SHIFTS:
            self._connection.execute(shift, {"of": of, "onto": cluster_id, "sign": sign})

    def close_members(self, cluster_id: str) -> None:
        """Close what is open of a decided cluster."""
        m = t.members.c
        self._connection.execute(
            t.members.update()
            .where(m.cluster_id == cluster_id, m.state == str(MemberState.OPEN))
            .values(state=str(MemberState.CLOSED))
        )

    def closed_members(self, cluster_id: str) -> Sequence[str]:
        """Return the closed members of a cluster, oldest first."""
        m = t.members.c
        return self._connection.scalars(
            sa.select(m.candidate_id)
            .where(m.cluster_id == cluster_id, m.state == str(MemberState.CLOSED))
            .order_by(m.seq)
        ).all()

    def rest(self, verdict_id: str) -> str | None:
        """Return the cluster of what the verdict left unread, if there is one."""
        c = t.clusters.c
        return self._connection.scalar(
            sa.select(c.cluster_id).where(c.origin == verdict_id, c.pull > 0)
        )

    def pull_fully(self, cluster_id: str) -> None:
        """Let a look at the cluster be worth its posterior again."""
        c = t.clusters.c
        self._connection.execute(
            t.clusters.update()
            .where(c.cluster_id == cluster_id, c.pull > 0)
            .values(pull=1.0, worth=c.worth / c.pull)
        )

    def closed_by(self, stream: str, limit: int) -> Sequence[Verdict]:
        """Return verdicts with closed members, oldest first."""
        m, v = t.members.c, t.verdicts.c
        clusters = sa.select(m.cluster_id).where(
            m.stream == stream, m.state == sa.literal_column("'closed'")
        )
        return load_verdicts(
            self._connection,
            v.cluster_id.in_(clusters),
            v.state.in_(STANDING),
            v.kind.in_(DISMISSES),
            limit=limit,
        )

    def could_close(self, stream: str, limit: int) -> Sequence[Verdict]:
        """Return dismissals whose rest waits, of which nothing was said since; oldest first."""
        c, v, said = t.clusters.c, t.verdicts.c, t.verdicts.alias("said").c
        rests = sa.select(c.origin).where(
            c.stream == stream,
            c.origin.is_not(None),
            c.waiting == 1,
            c.counted == 1,
            c.pull > 0,
            c.pull < 1,
            ~sa.exists().where(said.cluster_id == c.cluster_id),
        )
        return load_verdicts(
            self._connection,
            v.verdict_id.in_(rests),
            v.kind.in_(DISMISSES),
            v.state.in_(STANDING),
            limit=limit,
        )

    def guesses(self, verdict: Verdict) -> bool:
        """Return whether labels of members that the verdict left unread are in force."""
        n = t.labels.c
        found = self._connection.execute(
            sa.select(n.position)
            .where(
                n.stream == verdict.stream,
                n.verdict_id == verdict.verdict_id,
                n.state == str(MemberState.PROPAGATED),
                in_force_until(n),
            )
            .limit(1)
        )
        return found.first() is not None
