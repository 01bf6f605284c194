"""Suppressions: in the unit of work, in the grouper's transaction, and as the board reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from triage.aggregates import ReasonSums
from triage.model import Candidate, ClusterStatus, SuppressionState
from triage.queries import SuppressionRow
from triage.store import tables as t
from triage.store.bulk import select_in
from triage.store.codec import dumps, loads
from triage.store.sql_missed import SqlMissedUnit
from triage.suppression import DAY, MAX_ENTITIES, Scope, ScopeFacts, Suppression, Usage, covering

LISTED = 200  # suppressions on the board, newest first


class SqlSuppressionUnit(SqlMissedUnit):
    """See ``base_suppression.SuppressionUnit``."""

    def scope_facts(self, cluster_id: str) -> ScopeFacts:
        """Return what a scope is made from."""
        c, r, e = t.clusters.c, t.cluster_reasons.c, t.cluster_entities.c
        row = self._connection.execute(
            sa.select(c.size, c.first_time, c.last_time, r.sums)
            .join(t.cluster_reasons, r.cluster_id == c.cluster_id)
            .where(c.cluster_id == cluster_id)
        ).one()
        entities = self._connection.execute(
            sa.select(e.name, e.value, e.members)
            .where(e.cluster_id == cluster_id)
            .order_by(e.members.desc(), e.name, e.value)
            .limit(2 * MAX_ENTITIES + 2)
        )
        return ScopeFacts(
            size=row.size,
            first_time=row.first_time,
            last_time=row.last_time,
            signature=ReasonSums.load(loads(row.sums)).signed(),
            entities={(name, value): members for name, value, members in entities},
        )

    def add_suppression(self, suppression: Suppression) -> None:
        """Keep a new suppression."""
        self._connection.execute(
            t.suppressions.insert().values(
                suppression_id=suppression.suppression_id,
                stream=suppression.stream,
                cluster_id=suppression.cluster_id,
                entities=dumps(sorted(suppression.scope.entities)),
                features=dumps(sorted(suppression.scope.features)),
                at=suppression.at,
                expires_at=suppression.expires_at,
                usual=suppression.usual,
                hits=0,
                state=str(SuppressionState.ACTIVE),
                because="",
            )
        )

    def active_suppressions(self, stream: str) -> Sequence[Suppression]:
        """Return those that have not ended, oldest first."""
        return _active(self._connection, stream)

    def suppressions_over(self, stream: str, candidate_ids: Sequence[str]) -> Sequence[Suppression]:
        """Return those in force that keep one of these out, or come from its cluster."""
        active = _active(self._connection, stream)
        if not active:
            return []
        k, m = t.kept_out.c, t.members.c
        kept = sa.select(k.suppression_id), k.candidate_id
        in_cluster = sa.select(m.cluster_id), m.candidate_id
        over = {
            value
            for statement, column in (kept, in_cluster)
            for row in select_in(self._connection, statement, column, candidate_ids)
            for value in row.values()
        }
        return [one for one in active if not over.isdisjoint((one.suppression_id, one.cluster_id))]

    def usage(self, suppression: Suppression) -> Usage:
        """Return what it has kept out."""
        k, m, e = t.kept_out.c, t.members.c, t.cluster_entities.c
        mine = k.suppression_id == suppression.suppression_id
        newest = self._connection.scalar(sa.select(sa.func.max(k.event_time)).where(mine))
        last_day = self._connection.scalar(
            sa.select(sa.func.count()).where(mine, k.event_time > (newest or 0.0) - DAY)
        )
        known = self._connection.execute(
            sa.select(e.name, sa.func.count())
            .where(e.cluster_id == suppression.cluster_id)
            .group_by(e.name)
        )
        old = t.cluster_entities.alias("old").c
        hidden = sa.select(m.cluster_id).join(t.kept_out, k.candidate_id == m.candidate_id)
        new = self._connection.execute(
            sa.select(e.name, sa.func.count(sa.distinct(e.value)))
            .where(
                e.cluster_id.in_(hidden.where(mine)),
                e.cluster_id != suppression.cluster_id,
                ~sa.exists().where(
                    old.cluster_id == suppression.cluster_id,
                    old.name == e.name,
                    old.value == e.value,
                ),
            )
            .group_by(e.name)
        )
        n, w = t.labels.c, t.truths.c
        told_real = (
            sa.select(n.candidate_id)
            .join(t.truths, sa.and_(w.truth_id == n.verdict_id, w.gone.is_(None), w.real == 1))
            .where(n.candidate_id == k.candidate_id)
        )
        denied = self._connection.execute(
            sa.select(k.candidate_id).where(mine, told_real.exists()).limit(1)
        ).first()
        return Usage(
            last_day=last_day or 0,
            known={row[0]: row[1] for row in known},
            new={row[0]: row[1] for row in new},
            denied=denied is not None,
        )

    def end_suppression(
        self, suppression_id: str, state: SuppressionState, because: str, at: float
    ) -> Sequence[str]:
        """End it, if it exists and has not ended; return the clusters that are open again."""
        s, k, m, c = t.suppressions.c, t.kept_out.c, t.members.c, t.clusters.c
        ended = self._connection.execute(
            t.suppressions.update()
            .where(s.suppression_id == suppression_id, s.state == str(SuppressionState.ACTIVE))
            .values(state=str(state), because=because, ended_at=at)
        )
        if not ended.rowcount or state is SuppressionState.EXPIRED:
            return []
        hidden = (
            sa.select(m.cluster_id)
            .join(t.kept_out, k.candidate_id == m.candidate_id)
            .where(k.suppression_id == suppression_id)
        )
        where = (c.cluster_id.in_(hidden), c.status == str(ClusterStatus.SUPPRESSED))
        ids = self._connection.scalars(sa.select(c.cluster_id).where(*where)).all()
        self._connection.execute(
            t.clusters.update().where(*where).values(status=str(ClusterStatus.OPEN), waiting=1)
        )
        return sorted(ids)


def keep_out(
    connection: sa.Connection,
    stream: str,
    fresh: Mapping[str, Sequence[Candidate]],
    known: Mapping[str, str],
    at: float,
) -> Mapping[str, ClusterStatus]:
    """Note the new members that a suppression in force covers.

    ``known``: status of the clusters that exist. Returns the status of all of them: suppressed
    where every member is covered, open again where a suppressed one has got another member.
    """
    active = [one for one in _active(connection, stream) if one.expires_at > at]
    covered = {
        candidate.candidate_id: suppression_id
        for new in fresh.values()
        for candidate in new
        if (suppression_id := covering(active, candidate)) is not None
    }
    statuses = {cid: _status(known.get(cid), new, covered) for cid, new in fresh.items()}
    hits = [
        {
            "candidate_id": candidate.candidate_id,
            "suppression_id": covered[candidate.candidate_id],
            "event_time": candidate.event_time,
        }
        for cid, new in fresh.items()
        if statuses[cid] is ClusterStatus.SUPPRESSED
        for candidate in new
    ]
    if hits:
        connection.execute(t.kept_out.insert(), hits)
    for suppression_id, count in Counter(covered[str(hit["candidate_id"])] for hit in hits).items():
        s = t.suppressions.c
        connection.execute(
            t.suppressions.update()
            .where(s.suppression_id == suppression_id)
            .values(hits=s.hits + count)
        )
    return statuses


def _status(
    known: str | None, new: Sequence[Candidate], covered: Mapping[str, str]
) -> ClusterStatus:
    if known not in (None, ClusterStatus.SUPPRESSED):
        return ClusterStatus(known)
    hidden = all(candidate.candidate_id in covered for candidate in new)
    return ClusterStatus.SUPPRESSED if hidden else ClusterStatus.OPEN


def suppression_rows(connection: sa.Connection) -> Sequence[SuppressionRow]:
    """Return the newest suppressions, newest first, those in force before the others."""
    s, v, c, k, m = (
        t.suppressions.c,
        t.verdicts.c,
        t.clusters.c,
        t.kept_out.c,
        t.members.c,
    )
    clusters = (
        sa.select(sa.func.count(sa.distinct(m.cluster_id)))
        .join_from(t.kept_out, t.members, m.candidate_id == k.candidate_id)
        .where(k.suppression_id == s.suppression_id)
        .correlate(t.suppressions)
        .scalar_subquery()
    )
    rows = connection.execute(
        sa.select(
            t.suppressions,
            v.actor,
            v.scope,
            c.title,
            t.cluster_reasons.c.sums,
            clusters.label("clusters"),
        )
        .join(t.verdicts, v.verdict_id == s.suppression_id)
        .join(t.clusters, c.cluster_id == s.cluster_id)
        .join(t.cluster_reasons, t.cluster_reasons.c.cluster_id == s.cluster_id)
        .order_by((s.state == str(SuppressionState.ACTIVE)).desc(), s.at.desc())
        .limit(LISTED)
    ).mappings()
    return [
        SuppressionRow(
            suppression_id=row["suppression_id"],
            stream=row["stream"],
            cluster_id=row["cluster_id"],
            title=row["title"],
            scope=row["scope"],
            entities=tuple(value for _, value in loads(row["entities"])),
            features=tuple(loads(row["features"])),
            reasons=_labels(loads(row["features"]), ReasonSums.load(loads(row["sums"]))),
            actor=row["actor"],
            at=row["at"],
            expires_at=row["expires_at"],
            usual=row["usual"],
            candidates=row["hits"],
            clusters=row["clusters"],
            state=SuppressionState(row["state"]),
            ended_at=row["ended_at"],
            because=row["because"],
        )
        for row in rows
    ]


def _labels(signed: Sequence[str], sums: ReasonSums) -> tuple[str, ...]:
    """Return signed features as people call them; one that is gone keeps its own name."""
    known = {name: one.label for name, one in sums.features.items()}
    return tuple(known.get(name[1:], name[1:]) for name in signed)


def _active(connection: sa.Connection, stream: str) -> Sequence[Suppression]:
    s = t.suppressions.c
    rows = connection.execute(
        sa.select(t.suppressions)
        .where(s.stream == stream, s.state == str(SuppressionState.ACTIVE))
        .order_by(s.at, s.suppression_id)
    ).mappings()
    return [
        Suppression(
            suppression_id=row["suppression_id"],
            stream=row["stream"],
            cluster_id=row["cluster_id"],
            scope=Scope(
                frozenset((name, value) for name, value in loads(row["entities"])),
                frozenset(loads(row["features"])),
            ),
            at=row["at"],
            expires_at=row["expires_at"],
            usual=row["usual"],
            hits=row["hits"],
        )
        for row in rows
    ]
