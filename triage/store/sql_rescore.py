"""New posteriors of candidates, and what they change on the board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from triage.store import tables as t
from triage.store.base import PartitionCommit
from triage.store.bulk import Lookup, select_in, update_many
from triage.store.database import next_number
from triage.store.sql_shared import add_change
from triage.worth import MOVED, suggest, worth

TOLD = 200  # cluster ids in one change; a board that shows others asks anyway
_C, _M = t.clusters.c, t.members.c
_BEFORE = Lookup(sa.select(_C.cluster_id, _C.posterior, _C.pull), _C.cluster_id)
_LARGEST = Lookup(
    sa.select(_M.cluster_id, sa.func.max(_M.posterior).label("posterior")).group_by(_M.cluster_id),
    _M.cluster_id,
)


def rescore(
    connection: sa.Connection,
    stream: str,
    parts: Sequence[PartitionCommit],
    label_positions: Mapping[int, int],
    at: float,
) -> None:
    """Write the posteriors that moved, and their clusters'.

    A member that waits to be audited keeps the posterior that it came with: what the verdict on its
    like taught would give it away. Where labels were applied, a row of ``learnings`` per partition
    tells how many clusters moved; a cluster that spans several partitions of the commit is counted
    in the first one. ``label_positions``: those before the commit. Only after
    ``Database.in_order``.
    """
    posteriors = {cid: p for part in parts for cid, p in part.rescored.items()}
    partition_of = {cid: part.partition for part in parts for cid in part.rescored}
    m = t.members.c
    rows = select_in(
        connection,
        sa.select(m.candidate_id, m.cluster_id).where(
            m.state == "open",
            m.candidate_id.not_in(
                sa.select(t.audits.c.candidate_id).where(t.audits.c.wrong.is_(None))
            ),
        ),
        m.candidate_id,
        posteriors,
    )
    update_many(
        connection,
        t.members,
        "candidate_id",
        [
            {"candidate_id": row["candidate_id"], "posterior": posteriors[row["candidate_id"]]}
            for row in rows
        ],
    )
    first: dict[str, int] = {}
    for row in rows:
        if row["cluster_id"] is not None:
            partition = partition_of[row["candidate_id"]]
            first[row["cluster_id"]] = min(partition, first.get(row["cluster_id"], partition))
    moved = update_posteriors(connection, list(first))
    _tell(connection, stream, parts, label_positions, first, moved, at)


def update_posteriors(connection: sa.Connection, cluster_ids: Sequence[str]) -> Mapping[str, float]:
    """Compute the clusters' posteriors from their members'; return by how much each moved."""
    before = {row["cluster_id"]: row for row in _BEFORE.rows(connection, cluster_ids)}
    after = {row["cluster_id"]: row["posterior"] for row in _LARGEST.rows(connection, cluster_ids)}
    moved = {cid: after[cid] - row["posterior"] for cid, row in before.items() if cid in after}
    update_many(
        connection,
        t.clusters,
        "cluster_id",
        [
            {
                "cluster_id": cid,
                "posterior": after[cid],
                "worth": worth(after[cid], before[cid]["pull"]),
                "suggested": str(suggest(after[cid])),
            }
            for cid, by in moved.items()
            if by
        ],
    )
    return moved


def _tell(
    connection: sa.Connection,
    stream: str,
    parts: Sequence[PartitionCommit],
    label_positions: Mapping[int, int],
    first: Mapping[str, int],
    moved: Mapping[str, float],
    at: float,
) -> None:
    learned = [part for part in parts if part.label_position > label_positions[part.partition]]
    number = next_number(connection, t.learnings.c.learning) if learned else 0
    taught = _taught(connection, stream)
    rows: list[dict[str, Any]] = []
    for part in learned:
        mine = [by for cid, by in moved.items() if first[cid] == part.partition]
        rows.append(
            {
                "learning": number + len(rows),
                "stream": stream,
                "partition": part.partition,
                "model_before": label_positions[part.partition],
                "model_after": part.label_position,
                "rose": sum(by > MOVED for by in mine),
                "fell": sum(by < -MOVED for by in mine),
                "at": at,
            }
        )
    if rows:
        connection.execute(t.learnings.insert(), rows)
        data = {
            "stream": stream,
            "verdicts": _verdicts(connection, stream, label_positions, taught),
            "rose": sum(row["rose"] for row in rows),
            "fell": sum(row["fell"] for row in rows),
            "model": taught,
        }
        add_change(connection, "learned", at, data)
    elif any(abs(by) > MOVED for by in moved.values()):
        ids = sorted(cid for cid, by in moved.items() if abs(by) > MOVED)
        add_change(connection, "clusters", at, {"ids": ids[:TOLD], "total": len(ids)})


def _taught(connection: sa.Connection, stream: str) -> int:
    """Return the label position that every partition has reached."""
    p = t.partitions.c
    return (
        connection.scalar(sa.select(sa.func.min(p.label_position)).where(p.stream == stream)) or 0
    )


def _verdicts(
    connection: sa.Connection, stream: str, label_positions: Mapping[int, int], taught: int
) -> Sequence[str]:
    """Return the verdicts that every partition knows now and some did not before."""
    v = t.verdicts.c
    return list(
        connection.scalars(
            sa.select(v.verdict_id)
            .where(
                v.stream == stream,
                v.label_position > min(label_positions.values()),
                v.label_position <= taught,
            )
            .order_by(v.label_position)
        )
    )
