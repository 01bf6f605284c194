"""Clusters grow: new members, and what a cluster's row says of all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from triage.aggregates import ReasonSums
from triage.errors import Conflict, NotFound
from triage.model import Candidate, ClusterStatus
from triage.store import tables as t
from triage.store.base import ClusterUpdate
from triage.store.bulk import Lookup, update_many
from triage.store.codec import dumps, load_candidate, loads
from triage.store.database import Database
from triage.store.sql_rescore import update_posteriors
from triage.store.sql_shared import CLUSTERS, add_change
from triage.store.sql_suppression import keep_out
from triage.suppression import KEY_ENTITY
from triage.worth import suggest, worth

MAX_SEARCH = 300  # characters that are searched; an index holds them
BARE = [column for column in t.candidates.c if column.name != "context"]
_REASONS = Lookup(sa.select(t.cluster_reasons), t.cluster_reasons.c.cluster_id)
_ENTITIES = Lookup(
    sa.select(t.cluster_entities.c.cluster_id, sa.func.count().label("entities"))
    .where(t.cluster_entities.c.name == KEY_ENTITY)
    .group_by(t.cluster_entities.c.cluster_id),
    t.cluster_entities.c.cluster_id,
)
_BARE_MEMBERS = Lookup(
    sa.select(*BARE, t.members.c.cluster_id).join(
        t.members, t.members.c.candidate_id == t.candidates.c.candidate_id
    ),
    t.candidates.c.candidate_id,
)


def grow(
    db: Database, connection: sa.Connection, clusters: Sequence[ClusterUpdate], at: float
) -> None:
    """Add the members that are in no cluster yet; make the clusters that are new.

    Only after ``Database.in_order``. Raises ``Conflict`` if a member is in another cluster.
    """
    ids = [cluster.cluster_id for cluster in clusters]
    known = {row["cluster_id"]: row for row in CLUSTERS.rows(connection, ids)}
    sums = {
        row["cluster_id"]: ReasonSums.load(loads(row["sums"]))
        for row in _REASONS.rows(connection, ids)
    }
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
    _write(db, connection, clusters, known, grown, sums, fresh)
    add_change(connection, "clusters", at, {"ids": ids, "total": len(ids)})


def _write(
    db: Database,
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
    insert = db.insert(t.cluster_reasons)
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
    _count_entities(db, connection, fresh)
    update_posteriors(connection, [cluster.cluster_id for cluster in clusters])


def _count_entities(
    db: Database, connection: sa.Connection, fresh: Mapping[str, Sequence[Candidate]]
) -> None:
    if not any(fresh.values()):
        return
    for table, pairs_of in COUNTED:
        counted = [
            {"cluster_id": cluster_id, "name": name, "value": value, "members": count}
            for cluster_id, new in fresh.items()
            for (name, value), count in sorted(Counter(pairs_of(new)).items())
        ]
        if not counted:
            continue
        insert = db.insert(table)
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=["cluster_id", "name", "value"],
                set_={"members": table.c.members + insert.excluded.members},
            ),
            counted,
        )
    rows = _ENTITIES.rows(connection, fresh)
    update_many(connection, t.clusters, "cluster_id", [dict(row) for row in rows])


def entities(new: Sequence[Candidate]) -> Sequence[tuple[str, str]]:
    """Return (field, value) of the entities that candidates name, one of each."""
    pairs = [(KEY_ENTITY, candidate.entity) for candidate in new]
    pairs.extend(pair for candidate in new for pair in candidate.entities.items())
    return pairs


def cohorts(new: Sequence[Candidate]) -> Sequence[tuple[str, str]]:
    """Return (field, value) of the cohorts that candidates belong to, one of each."""
    return [pair for candidate in new for pair in candidate.cohorts.items()]


COUNTED = ((t.cluster_entities, entities), (t.cluster_cohorts, cohorts))
"""Tables that count a cluster's members by what they name, and what that is."""


def _new_members(
    connection: sa.Connection, clusters: Sequence[ClusterUpdate]
) -> Mapping[str, Sequence[Candidate]]:
    """Return the members that are not in their cluster yet, in the order given."""
    wanted = {cid: cluster.cluster_id for cluster in clusters for cid in cluster.members}
    rows = {row["candidate_id"]: row for row in _BARE_MEMBERS.rows(connection, wanted)}
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
        scores += [known["score"], known["weakest"]]
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
        weakest=min(scores),
        posterior=max(posteriors),
        worth=worth(max(posteriors), row["pull"]),
        suggested=str(suggest(max(posteriors), cluster.detector)),
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
        "origin": None,
        "counted": 0,
        "pull": 1.0,
    }
