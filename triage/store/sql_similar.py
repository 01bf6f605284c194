"""Clusters that are like another: decided ones and how they turned out, open ones to merge with.

Alike are clusters of one stream with the same signature (the leading signed features) or the same
exact key; see ``ReasonSums.signature`` and ``detectors.clustering``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from triage.case_queries import AlikeCluster, FoundCohort, FoundEntity, PastCase, RecordDetail
from triage.cases import Regrouping
from triage.model import ClusterStatus, VerdictKind
from triage.store import tables as t
from triage.store.bulk import Lookup, select_in
from triage.store.sql_members import record_detail
from triage.store.sql_regroup import merged_into, regroupings_of
from triage.store.sql_shared import STANDING, SqlPart
from triage.store.sql_truth_rows import truths_of
from triage.suppression import KEY_ENTITY

LAST = "\U0010ffff"  # no character is after it: ends a range of texts that begin alike
LOOKED_AT = 200  # open clusters that are compared; the newest
_BY_SIGNATURE, _BY_KEY = (
    Lookup(
        sa.select(column.table).where(
            column.table.c.stream.in_(sa.bindparam("streams", expanding=True))
        ),
        column,
    )
    for column in (t.signature_outcomes.c.signature, t.key_outcomes.c.key)
)
COLUMNS = [
    t.clusters.c[name]
    for name in ("cluster_id", "title", "subtitle", "revision", "size", "last_time", "signature")
]


class SqlSimilar(SqlPart):
    """See ``case_queries.CaseQueries``."""

    def merged_into(self, cluster_id: str) -> str | None:
        """Return the cluster that a merged one's members are in, None if it was not merged."""
        with self._db.read() as connection:
            return merged_into(connection, cluster_id)

    def regroupings(self, cluster_id: str) -> Sequence[Regrouping]:
        """Return the splits and merges that a cluster had a part in, newest first."""
        with self._db.read() as connection:
            return regroupings_of(connection, cluster_id)

    def past_cases(self, cluster_id: str, limit: int) -> Sequence[PastCase]:
        """Return decided clusters with the same leading reasons or exact key, newest first."""
        c, v = t.clusters.c, t.verdicts.c
        with self._db.read() as connection:
            this = _cluster(connection, cluster_id)
            if this is None or not told(this):
                return []
            ids = sa.union(_alike(this, c.signature), _alike(this, c.key)).subquery()
            rows = connection.execute(
                sa.select(t.clusters)
                .where(c.cluster_id.in_(sa.select(ids.c.cluster_id)))
                .order_by(c.last_time.desc(), c.cluster_id)
                .limit(limit)
            ).mappings()
            found = {row["cluster_id"]: row for row in rows}
            standing = select_in(
                connection,
                sa.select(v.number, v.cluster_id, v.actor, v.at, v.reason).where(
                    v.state.in_(STANDING)
                ),
                v.cluster_id,
                found,
            )
            newest = {row["cluster_id"]: row for row in sorted(standing, key=_number)}
            return [
                _past_case(connection, row, newest[cid])
                for cid, row in found.items()
                if cid in newest
            ]

    def entities_like(self, beginning: str, limit: int) -> Sequence[FoundEntity]:
        """Return entities whose value begins so, by value."""
        with self._db.read() as connection:
            rows = _begin_so(connection, t.cluster_entities, beginning, limit)
            return [FoundEntity(*row) for row in rows]

    def cohorts_like(self, beginning: str, limit: int) -> Sequence[FoundCohort]:
        """Return cohorts whose value begins so, by value."""
        with self._db.read() as connection:
            there = t.cluster_cohorts.c.members > 0
            rows = _begin_so(connection, t.cluster_cohorts, beginning, limit, there)
            return [FoundCohort(*row) for row in rows]

    def record(self, cluster_id: str, candidate_id: str | None) -> RecordDetail | None:
        """Return the record of a member, of the strongest if none is named; None if it is none."""
        with self._db.read() as connection:
            return record_detail(connection, cluster_id, candidate_id)

    def alike(self, cluster_id: str, limit: int) -> Sequence[AlikeCluster]:
        """Return open clusters of its stream with the same reasons or an entity in common."""
        c, e = t.clusters.c, t.cluster_entities.c
        with self._db.read() as connection:
            this = _cluster(connection, cluster_id)
            if this is None:
                return []
            alias = t.cluster_entities.alias("mine")
            mine = alias.c
            both = sa.and_(mine.name == e.name, mine.value == e.value)
            shared = {
                row.cluster_id: row.shared
                for row in connection.execute(
                    sa.select(e.cluster_id, sa.func.count().label("shared"))
                    .select_from(t.cluster_entities.join(alias, both))
                    .where(mine.cluster_id == cluster_id, e.cluster_id != cluster_id)
                    .group_by(e.cluster_id)
                    .limit(LOOKED_AT)
                )
            }
            others = (
                c.stream == this["stream"],
                c.status == ClusterStatus.OPEN,
                c.origin.is_(None),  # what came out of a decided one stays by itself
                c.cluster_id != cluster_id,
            )
            rows = list(
                select_in(connection, sa.select(*COLUMNS).where(*others), c.cluster_id, shared)
            )
            rows += connection.execute(
                sa.select(*COLUMNS)
                .where(*others, c.signature == this["signature"])
                .order_by(c.last_time.desc())
                .limit(LOOKED_AT)
            ).mappings()
        found = {row["cluster_id"]: _alike_cluster(row, this, shared) for row in rows}
        ranked = sorted(
            found.values(),
            key=lambda one: (
                -(one.shared + one.same_reasons),
                abs(one.last_time - this["last_time"]),
                one.cluster_id,
            ),
        )
        return ranked[:limit]


def _begin_so(
    connection: sa.Connection,
    table: sa.Table,
    beginning: str,
    limit: int,
    *fits: sa.ColumnElement[bool],
) -> Sequence[tuple[str, str, int]]:
    """Return (field, value, number of clusters) of the values that begin so."""
    e = table.c
    begins = [e.value.startswith(beginning, autoescape=True)]
    if connection.dialect.name == "sqlite":  # its LIKE uses no index; its order is by bytes
        begins += [e.value >= beginning, e.value < beginning + LAST]
    rows = connection.execute(
        sa.select(e.name, e.value, sa.func.count())
        .where(e.name != KEY_ENTITY, *begins, *fits)
        .group_by(e.value, e.name)
        .order_by(e.value, e.name)
        .limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def similar(
    connection: sa.Connection, rows: Sequence[sa.RowMapping]
) -> Mapping[str, Mapping[str, int]]:
    """Return for each cluster how those like it were decided: verdict -> how many.

    ``rows``: of ``clusters``. Of an audit nothing is told.
    """
    if not rows:
        return {}
    signatures = _outcomes(connection, _BY_SIGNATURE, rows, "signature")
    both = _outcomes(connection, _BY_KEY, rows, "key", "signature")
    keys: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for (stream, key, _), counted in both.items():
        keys[stream, key].update(counted)
    found = {}
    for this in rows:
        stream, key, signature = this["stream"], this["key"], this["signature"]
        total = Counter(signatures[stream, signature])
        total.update(keys[stream, key])
        total.subtract(both[stream, key, signature])  # alike in both ways: once
        if this["verdict"] is not None:
            total[this["verdict"]] -= 1  # itself
        if not told(this):
            total = Counter()
        found[this["cluster_id"]] = {kind: number for kind, number in total.items() if number}
    return found


def _outcomes(
    connection: sa.Connection,
    outcomes: Lookup,
    rows: Sequence[sa.RowMapping],
    first: str,
    *more: str,
) -> Mapping[tuple[str, ...], Counter[str]]:
    """Return how clusters with a row's value of ``first`` were decided, by it and by ``more``."""
    names = ("stream", first, *more)
    found: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    streams = {row["stream"] for row in rows}
    for one in outcomes.rows(connection, {row[first] for row in rows}, streams=list(streams)):
        found[tuple(one[name] for name in names)][one["verdict"]] = one["clusters"]
    return found


def told(row: sa.RowMapping) -> bool:
    """Return whether more may be said of it than came in with its members.

    Of an audit that waits it may not: neither late truth, nor what was said of it or of its like.
    """
    return bool(row["pull"] or row["verdict"])


def _cluster(connection: sa.Connection, cluster_id: str) -> sa.RowMapping | None:
    return (
        connection.execute(sa.select(t.clusters).where(t.clusters.c.cluster_id == cluster_id))
        .mappings()
        .first()
    )


def _alike(this: sa.RowMapping, column: sa.Column[Any]) -> sa.Select[Any]:
    c = t.clusters.c
    return sa.select(c.cluster_id).where(
        c.stream == this["stream"],
        column == this[column.name],
        c.verdict.is_not(None),
        c.cluster_id != this["cluster_id"],
    )


def _number(row: sa.RowMapping) -> int:
    return int(row["number"])


def _past_case(connection: sa.Connection, row: sa.RowMapping, verdict: sa.RowMapping) -> PastCase:
    truths = truths_of(connection, row["cluster_id"])
    real = sum(truth.real for truth in truths)
    return PastCase(
        cluster_id=row["cluster_id"],
        title=row["title"],
        subtitle=row["subtitle"],
        size=row["size"],
        last_time=row["last_time"],
        kind=VerdictKind(row["verdict"]),
        actor=verdict["actor"],
        at=verdict["at"],
        reason=verdict["reason"],
        proved=(real, len(truths) - real),
    )


def _alike_cluster(
    row: sa.RowMapping, this: sa.RowMapping, shared: Mapping[str, int]
) -> AlikeCluster:
    return AlikeCluster(
        cluster_id=row["cluster_id"],
        title=row["title"],
        subtitle=row["subtitle"],
        revision=row["revision"],
        size=row["size"],
        last_time=row["last_time"],
        shared=shared.get(row["cluster_id"], 0),
        same_reasons=row["signature"] == this["signature"],
    )
