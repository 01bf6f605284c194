"""Clusters that are split or merged by hand: counted anew from their members."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import sqlalchemy as sa

from triage.aggregates import ReasonSums
from triage.cases import Case, FindingRevision, Regrouping
from triage.model import Candidate, ClusterStatus
from triage.store import tables as t
from triage.store.bulk import among
from triage.store.codec import dumps, load_candidate, loads
from triage.store.database import next_of
from triage.store.sql_closing import SqlClosingUnit
from triage.store.sql_grow import BARE, COUNTED, MAX_SEARCH
from triage.store.sql_labels import teaches
from triage.worth import suggest, worth

LISTED = 50


class SqlRegroupUnit(SqlClosingUnit):
    """See ``base_regroup.RegroupUnit``."""

    def found_cluster(self, like: Case, cluster_id: str, at: float) -> None:
        """Make an open cluster of nothing, of the same stream and detector as another."""
        self._connection.execute(
            t.clusters.insert().values(
                cluster_id=cluster_id,
                stream=like.stream,
                detector=like.detector,
                key=f"split/{cluster_id}",  # nothing that comes later has it
                title="",
                created_at=at,
                status=str(ClusterStatus.OPEN),
                waiting=1,
                revision=1,
                verdict=None,
                predecessor=None,
                origin=None,
                counted=0,
                pull=1.0,
                **_counted([], [], "", "", like.stream, ReasonSums()),
            )
        )
        self._connection.execute(
            t.cluster_reasons.insert().values(
                cluster_id=cluster_id, sums=dumps(ReasonSums().dump())
            )
        )

    def move_members(self, cluster_id: str, members: Sequence[str]) -> None:
        """Let candidates be members of this cluster instead of theirs."""
        these = among(self._connection, t.members.c.candidate_id, members)
        self._connection.execute(t.members.update().where(these).values(cluster_id=cluster_id))

    def rebuild(self, cluster_id: str, title: str, subtitle: str) -> None:
        """Count a cluster anew from its members (at least one), and give it a title."""
        m, c = t.members.c, t.clusters.c
        rows = self._connection.execute(
            sa.select(*BARE, m.posterior.label("latest"))
            .join(t.members, m.seq == t.candidates.c.seq)
            .where(m.cluster_id == cluster_id)
            .order_by(m.seq)
        ).mappings()
        members, posteriors, sums = [], [], ReasonSums()
        for row in rows:
            candidate = load_candidate(row, bare=True)
            members.append(candidate)
            posteriors.append(row["latest"])
            sums.add(candidate.reasons, candidate.score)
        counted = _counted(members, posteriors, title, subtitle, members[0].stream, sums)
        self._connection.execute(
            t.clusters.update().where(c.cluster_id == cluster_id).values(title=title, **counted)
        )
        self._connection.execute(
            t.cluster_reasons.update()
            .where(t.cluster_reasons.c.cluster_id == cluster_id)
            .values(sums=dumps(sums.dump()))
        )
        self._count_entities(cluster_id, members)

    def empty(self, cluster_id: str) -> None:
        """Note that a cluster has no members any more."""
        c = t.clusters.c
        self._connection.execute(
            t.clusters.update().where(c.cluster_id == cluster_id).values(size=0, entities=0)
        )
        self._count_entities(cluster_id, [])

    def teaches(self, verdict_id: str) -> bool:
        """Return whether the verdict has labels in force."""
        v = t.verdicts.c
        found = self._connection.scalar(
            sa.select(v.verdict_id).where(v.verdict_id == verdict_id, teaches())
        )
        return found is not None

    def drop_finding(self, revision: FindingRevision) -> None:
        """Forget a revision that was never sent."""
        f = t.findings.c
        self._connection.execute(
            t.findings.delete().where(
                f.finding_id == revision.finding_id, f.revision == revision.revision
            )
        )

    def assignee(self, cluster_id: str) -> str | None:
        """Return who takes care of a cluster, None if nobody does."""
        c = t.clusters.c
        return self._connection.scalar(sa.select(c.assignee).where(c.cluster_id == cluster_id))

    def assign(self, cluster_id: str, assignee: str | None) -> None:
        """Note who takes care of a cluster."""
        c = t.clusters.c
        self._connection.execute(
            t.clusters.update().where(c.cluster_id == cluster_id).values(assignee=assignee)
        )

    def add_regrouping(self, done: Regrouping) -> None:
        """Keep a split or merge; the grouper hears of it."""
        given = {name: getattr(done, name) for name in Regrouping.__slots__}
        self._connection.execute(
            t.regroupings.insert().values(
                number=next_of(t.regroupings.c.number),
                **{**given, "members": dumps(done.members)},
            )
        )

    def regrouping(self, regrouping_id: str) -> Regrouping | None:
        """Return one split or merge."""
        r = t.regroupings.c
        found = _regroupings(self._connection, r.regrouping_id == regrouping_id)
        return found[0] if found else None

    def _count_entities(self, cluster_id: str, members: Sequence[Candidate]) -> None:
        for table, pairs_of in COUNTED:
            self._connection.execute(table.delete().where(table.c.cluster_id == cluster_id))
            pairs = Counter(pairs_of(members))
            if pairs:
                self._connection.execute(
                    table.insert(),
                    [
                        {"cluster_id": cluster_id, "name": name, "value": value, "members": count}
                        for (name, value), count in sorted(pairs.items())
                    ],
                )


def regroupings_of(connection: sa.Connection, cluster_id: str) -> Sequence[Regrouping]:
    """Return the splits and merges that a cluster had a part in, newest first."""
    r = t.regroupings.c
    return _regroupings(connection, sa.or_(r.cluster_id == cluster_id, r.other == cluster_id))


def merged_into(connection: sa.Connection, cluster_id: str) -> str | None:
    """Return the cluster that a merged one's members are in, None if it was not merged."""
    c, r = t.clusters.c, t.regroupings.c
    merged = sa.select(c.cluster_id).where(c.status == ClusterStatus.MERGED)
    at: str | None = cluster_id
    found = None
    while at is not None:  # each step goes to a later merge, so it ends
        at = connection.scalar(
            sa.select(r.other)
            .where(r.kind == "merge", r.cluster_id == at, r.cluster_id.in_(merged))
            .order_by(r.number.desc())
            .limit(1)
        )
        found = at or found
    return found


def regrouped_after(
    connection: sa.Connection, stream: str, number: int
) -> tuple[int, Sequence[str]]:
    """Return the stream's newest split or merge, and the clusters of those after ``number``."""
    r = t.regroupings.c
    rows = connection.execute(
        sa.select(r.number, r.cluster_id, r.other)
        .where(r.stream == stream, r.number > number)
        .order_by(r.number)
    ).all()
    ids = {cluster for row in rows for cluster in (row.cluster_id, row.other)}
    return (rows[-1].number if rows else number), sorted(ids)


def _regroupings(connection: sa.Connection, where: sa.ColumnElement[bool]) -> Sequence[Regrouping]:
    r = t.regroupings.c
    columns = [r[name] for name in Regrouping.__slots__]
    rows = connection.execute(
        sa.select(*columns).where(where).order_by(r.number.desc()).limit(LISTED)
    ).mappings()
    return [Regrouping(**{**row, "members": tuple(loads(row["members"]))}) for row in rows]


def _counted(
    members: Sequence[Candidate],
    posteriors: Sequence[float],
    title: str,
    subtitle: str,
    stream: str,
    sums: ReasonSums,
) -> dict[str, object]:
    """Return the columns of ``clusters`` that follow from the members."""
    times = [member.event_time for member in members]
    scores = [member.score for member in members]
    posterior = max(posteriors, default=0.0)
    return {
        "subtitle": subtitle,
        "search": f"{title}\n{subtitle}\n{stream}".lower()[:MAX_SEARCH],
        "signature": sums.signature(),
        "size": len(members),
        "entities": len({member.entity for member in members}),
        "first_time": min(times, default=0.0),
        "last_time": max(times, default=0.0),
        "score": max(scores, default=0.0),
        "weakest": min(scores, default=0.0),
        "posterior": posterior,
        "worth": worth(posterior),
        "suggested": str(suggest(posterior)),
        "top": dumps(sums.top()),
    }
