"""What the grouper needs of the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median_low
from typing import Any

import sqlalchemy as sa

from triage.aggregates import ReasonSums
from triage.errors import Conflict, NotFound
from triage.model import Candidate, ClusterStatus
from triage.store import tables as t
from triage.store.base import GROUPER_LEASE, ClusterUpdate, GroupedCandidate
from triage.store.bulk import select_in, update_many
from triage.store.codec import dumps, load_candidate, loads
from triage.store.sql_rescore import update_posteriors
from triage.store.sql_shared import (
    SqlPart,
    add_change,
    check_lease,
    get_mark,
    set_mark,
)
from triage.store.sql_suppression import keep_out
from triage.suppression import KEY_ENTITY
from triage.worth import suggest, worth

PRESENT = 1_000  # newest candidates whose median event time is the stream's present
GROUPED = "grouped_up_to:"  # followed by the stream
MAX_SEARCH = 300  # characters that are searched; an index holds them
BARE = [column for column in t.candidates.c if column.name != "context"]


class SqlGrouper(SqlPart):
    """See ``base.GrouperStore``."""

    def candidates_after(self, stream: str, seq: int, limit: int) -> Sequence[GroupedCandidate]:
        """Return the stream's candidates after ``seq`` in commit order, of all partitions."""
        c = t.candidates.c
        return self._grouped(
            sa.select(t.candidates, t.members.c.cluster_id)
            .join(t.members, t.members.c.candidate_id == c.candidate_id)
            .where(c.stream == stream, c.seq > seq)
            .order_by(c.seq)
            .limit(limit)
        )

    def grouped_up_to(self, stream: str) -> int:
        """Return the ``seq`` up to which the stream's candidates have been grouped."""
        with self._db.read() as connection:
            return get_mark(connection, GROUPED + stream)

    def open_members(self, stream: str, within_s: float) -> Sequence[GroupedCandidate]:
        """Return grouped candidates at most so much older than the stream's present, by seq."""
        c = t.candidates.c
        with self._db.read() as connection:
            times = connection.scalars(
                sa.select(c.event_time)
                .where(c.stream == stream)
                .order_by(c.seq.desc())
                .limit(PRESENT)
            ).all()
        if not times:
            return []
        return self._grouped(
            sa.select(*BARE, t.members.c.cluster_id)
            .join(t.members, t.members.c.candidate_id == c.candidate_id)
            .where(
                c.stream == stream,
                c.event_time >= median_low(times) - within_s,
                t.members.c.cluster_id.is_not(None),
            )
            .order_by(c.seq),
            bare=True,
        )

    def decided(self, cluster_ids: Sequence[str]) -> frozenset[str]:
        """Return those of the clusters that have a verdict."""
        c = t.clusters.c
        with self._db.read() as connection:
            rows = select_in(
                connection,
                sa.select(c.cluster_id).where(c.status == ClusterStatus.DECIDED),
                c.cluster_id,
                cluster_ids,
            )
        return frozenset(row["cluster_id"] for row in rows)

    def save_groups(
        self, stream: str, clusters: Sequence[ClusterUpdate], up_to: int, epoch: int, at: float
    ) -> None:
        """Add the members and move ``grouped_up_to``, in one transaction."""
        with self._db.write() as connection:
            self._db.in_order(connection)
            check_lease(connection, GROUPER_LEASE + stream, epoch)
            if clusters:
                self._grow(connection, clusters, at)
            set_mark(self._db, connection, GROUPED + stream, up_to)

    def _grouped(self, statement: sa.Select[Any], bare: bool = False) -> Sequence[GroupedCandidate]:
        with self._db.read() as connection:
            return [
                GroupedCandidate(row["seq"], load_candidate(row, bare), row["cluster_id"])
                for row in connection.execute(statement).mappings()
            ]

    def _grow(
        self, connection: sa.Connection, clusters: Sequence[ClusterUpdate], at: float
    ) -> None:
        ids = [cluster.cluster_id for cluster in clusters]
        c, r = t.clusters.c, t.cluster_reasons.c
        known = {
            row["cluster_id"]: row
            for row in select_in(connection, sa.select(t.clusters), c.cluster_id, ids)
        }
        sums = {
            row["cluster_id"]: ReasonSums.load(loads(row["sums"]))
            for row in select_in(connection, sa.select(t.cluster_reasons), r.cluster_id, ids)
        }
        _check_open(known)
        fresh = _new_members(connection, clusters)
        standing = {cid: row["status"] for cid, row in known.items()}
        statuses = keep_out(connection, clusters[0].stream, fresh, standing, at)
        grown = []
        for cluster in clusters:
            total = sums.setdefault(cluster.cluster_id, ReasonSums())
            new = fresh[cluster.cluster_id]
            for candidate in new:
                total.add(candidate.reasons, candidate.score)
            row = _row(cluster, known.get(cluster.cluster_id), new, total, at)
            status = statuses[cluster.cluster_id]
            waiting = status in (ClusterStatus.OPEN, ClusterStatus.SECOND_OPINION)
            grown.append({**row, "status": str(status), "waiting": int(waiting)})
        self._write(connection, clusters, known, grown, sums, fresh)
        add_change(connection, "clusters", at, {"ids": ids, "total": len(ids)})

    def _write(
        self,
        connection: sa.Connection,
        clusters: Sequence[ClusterUpdate],
        known: Mapping[str, sa.RowMapping],
        grown: Sequence[dict[str, Any]],
        sums: Mapping[str, ReasonSums],
        fresh: Mapping[str, Sequence[Candidate]],
    ) -> None:
        created = [row for row in grown if row["cluster_id"] not in known]
        if created:
            connection.execute(t.clusters.insert(), created)
        update_many(
            connection,
            t.clusters,
            "cluster_id",
            [row for row in grown if row["cluster_id"] in known],
        )
        reasons = [
            {"cluster_id": row["cluster_id"], "sums": dumps(sums[row["cluster_id"]].dump())}
            for row in grown
        ]
        insert = self._db.insert(t.cluster_reasons)
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=["cluster_id"], set_={"sums": insert.excluded.sums}
            ),
            reasons,
        )
        update_many(
            connection,
            t.members,
            "candidate_id",
            [
                {"candidate_id": candidate.candidate_id, "cluster_id": cluster_id}
                for cluster_id, new in fresh.items()
                for candidate in new
            ],
        )
        self._count_entities(connection, fresh)
        update_posteriors(connection, [cluster.cluster_id for cluster in clusters])

    def _count_entities(
        self, connection: sa.Connection, fresh: Mapping[str, Sequence[Candidate]]
    ) -> None:
        counted = [
            {"cluster_id": cluster_id, "name": name, "value": value, "members": count}
            for cluster_id, new in fresh.items()
            for (name, value), count in sorted(Counter(_entities(new)).items())
        ]
        if not counted:
            return
        insert = self._db.insert(t.cluster_entities)
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=["cluster_id", "name", "value"],
                set_={"members": t.cluster_entities.c.members + insert.excluded.members},
            ),
            counted,
        )
        e = t.cluster_entities.c
        rows = select_in(
            connection,
            sa.select(e.cluster_id, sa.func.count().label("entities"))
            .where(e.name == KEY_ENTITY)
            .group_by(e.cluster_id),
            e.cluster_id,
            list(fresh),
        )
        update_many(connection, t.clusters, "cluster_id", [dict(row) for row in rows])


def _entities(new: Sequence[Candidate]) -> Sequence[tuple[str, str]]:
    pairs = [(KEY_ENTITY, candidate.entity) for candidate in new]
    pairs.extend(pair for candidate in new for pair in candidate.entities.items())
    return pairs


def _check_open(known: Mapping[str, sa.RowMapping]) -> None:
    closed = [cid for cid, row in known.items() if row["status"] == ClusterStatus.DECIDED]
    if closed:
        raise Conflict(f"decided meanwhile: {', '.join(closed[:3])}: open successors")


def _new_members(
    connection: sa.Connection, clusters: Sequence[ClusterUpdate]
) -> Mapping[str, Sequence[Candidate]]:
    """Return the members that are not in their cluster yet, in the order given."""
    wanted = {cid: cluster.cluster_id for cluster in clusters for cid in cluster.members}
    rows = {
        row["candidate_id"]: row
        for row in select_in(
            connection,
            sa.select(*BARE, t.members.c.cluster_id).join(
                t.members, t.members.c.candidate_id == t.candidates.c.candidate_id
            ),
            t.candidates.c.candidate_id,
            wanted,
        )
    }
    fresh: dict[str, list[Candidate]] = {cluster.cluster_id: [] for cluster in clusters}
    for cid, cluster_id in wanted.items():
        if cid not in rows:
            raise NotFound(f"cluster {cluster_id}: there is no candidate {cid}")
        stands = rows[cid]["cluster_id"]
        if stands is None:
            fresh[cluster_id].append(load_candidate(rows[cid], bare=True))
        elif stands != cluster_id:
            raise Conflict(f"candidate {cid} is in cluster {stands} already")
    return fresh


def _row(
    cluster: ClusterUpdate,
    known: sa.RowMapping | None,
    new: Sequence[Candidate],
    sums: ReasonSums,
    at: float,
) -> dict[str, Any]:
    """Return the row of ``clusters`` after ``new`` has come in (entities are counted apart)."""
    if known is None and not new:
        raise NotFound(f"cluster {cluster.cluster_id}: a new cluster needs a member")
    times = [candidate.event_time for candidate in new]
    scores = [candidate.score for candidate in new]
    posteriors = [candidate.posterior for candidate in new]
    row: dict[str, Any] = dict(known) if known is not None else _created(cluster, at)
    if known is not None:
        times += [known["first_time"], known["last_time"]]
        scores.append(known["score"])
        posteriors.append(known["posterior"])
    row.update(
        title=cluster.title,
        subtitle=cluster.subtitle,
        search=f"{cluster.title}\n{cluster.subtitle}\n{cluster.stream}".lower()[:MAX_SEARCH],
        signature=sums.signature(),
        size=row["size"] + len(new),
        first_time=min(times),
        last_time=max(times),
        score=max(scores),
        posterior=max(posteriors),
        worth=worth(max(posteriors)),
        suggested=str(suggest(max(posteriors))),
        top=dumps(sums.top()),
    )
    return row


def _created(cluster: ClusterUpdate, at: float) -> dict[str, Any]:
    return {
        "cluster_id": cluster.cluster_id,
        "stream": cluster.stream,
        "detector": cluster.detector,
        "key": cluster.key,
        "revision": 1,
        "size": 0,
        "entities": 0,
        "created_at": at,
        "verdict": None,
        "predecessor": cluster.predecessor,
    }
