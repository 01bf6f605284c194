"""What the grouper needs of the store."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median_low
from typing import Any

import sqlalchemy as sa

from triage.drift import SCHEMA_DRIFT
from triage.errors import Conflict
from triage.model import ClusterStatus
from triage.store import tables as t
from triage.store.base import GROUPER_LEASE, ClusterUpdate, GroupedCandidate
from triage.store.bulk import select_in
from triage.store.codec import load_candidate
from triage.store.sql_grow import BARE, grow
from triage.store.sql_recall import arrive
from triage.store.sql_regroup import regrouped_after
from triage.store.sql_shared import (
    SqlPart,
    check_lease,
    get_mark,
    set_mark,
)

PRESENT = 1_000  # newest candidates whose median event time is the stream's present
GROUPED = "grouped_up_to:"  # followed by the stream
CLOSED = (ClusterStatus.DECIDED, ClusterStatus.MERGED)


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
        """See ``base.GrouperStore``."""
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
                (c.event_time >= median_low(times) - within_s) | (c.detector == SCHEMA_DRIFT),
                t.members.c.cluster_id.is_not(None),
            )
            .order_by(c.seq),
            bare=True,
        )

    def decided(self, cluster_ids: Sequence[str]) -> frozenset[str]:
        """Return those of the clusters that take no new members."""
        with self._db.read() as connection:
            return frozenset(_closed(connection, cluster_ids))

    def regrouped_after(self, stream: str, number: int) -> tuple[int, Sequence[str]]:
        """Return the newest split or merge, and the clusters of those after ``number``."""
        with self._db.read() as connection:
            return regrouped_after(connection, stream, number)

    def save_groups(
        self, stream: str, clusters: Sequence[ClusterUpdate], up_to: int, epoch: int, at: float
    ) -> None:
        """Add the members and move ``grouped_up_to``, in one transaction."""
        with self._db.write() as connection:
            self._db.in_order(connection)
            check_lease(connection, GROUPER_LEASE + stream, epoch)
            if clusters:
                _check_open(connection, clusters)
                grow(self._db, connection, clusters, at)
                arrive(self._db, connection, stream, [one.cluster_id for one in clusters])
            set_mark(self._db, connection, GROUPED + stream, up_to)

    def _grouped(self, statement: sa.Select[Any], bare: bool = False) -> Sequence[GroupedCandidate]:
        with self._db.read() as connection:
            return [
                GroupedCandidate(row["seq"], load_candidate(row, bare), row["cluster_id"])
                for row in connection.execute(statement).mappings()
            ]


def _check_open(connection: sa.Connection, clusters: Sequence[ClusterUpdate]) -> None:
    ids = [cluster.cluster_id for cluster in clusters]
    closed = _closed(connection, ids)
    if closed:
        raise Conflict(f"decided or merged meanwhile: {', '.join(closed[:3])}: open successors")


def _closed(connection: sa.Connection, cluster_ids: Sequence[str]) -> Sequence[str]:
    """Return those that take no new members: decided, merged, or taken out of a decided one."""
    c = t.clusters.c
    closed = sa.or_(c.status.in_(CLOSED), c.origin.is_not(None))
    rows = select_in(connection, sa.select(c.cluster_id).where(closed), c.cluster_id, cluster_ids)
    return [row["cluster_id"] for row in rows]
