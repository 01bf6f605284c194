"""What the advisor reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa

from triage.reliability import reliabilities
from triage.store import tables as t
from triage.store.base_advisor import AskedCluster, SnapshotMark, Vector, Waiting
from triage.store.bulk import chunks, select_in
from triage.store.sql_label_log import SqlLabelLog
from triage.store.sql_shared import policy_of, position
from triage.store.sql_similar import told


class SqlAdvisor(SqlLabelLog):
    """See ``base_advisor.AdvisorReads``."""

    def streams(self) -> Sequence[str]:
        """Return the streams that ever ran."""
        with self._db.read() as connection:
            return connection.scalars(
                sa.select(t.streams.c.stream).order_by(t.streams.c.stream)
            ).all()

    def news(self) -> int:
        """Return the number of the newest change."""
        with self._db.read() as connection:
            return position(connection)

    def snapshot_marks(self, stream: str) -> Mapping[int, SnapshotMark]:
        """Return partition -> its newest snapshot."""
        s, p = t.snapshots.c, t.partitions.c
        newest = (
            sa.select(s.partition, sa.func.max(s.snapshot).label("number"))
            .where(s.stream == stream)
            .group_by(s.partition)
            .subquery()
        )
        with self._db.read() as connection:
            rows = connection.execute(
                sa.select(s.partition, s.snapshot, s.offset, p.next_offset)
                .join(
                    newest,
                    sa.and_(newest.c.partition == s.partition, newest.c.number == s.snapshot),
                )
                .join(t.partitions, sa.and_(p.stream == s.stream, p.partition == s.partition))
                .where(s.stream == stream)
            )
            return {row[0]: SnapshotMark(row[1], row[2], row[3]) for row in rows}

    def waiting(self, stream: str, limit: int) -> Sequence[Waiting]:
        """Return the newest candidates that are in a cluster and wait for a verdict."""
        m, c = t.members.c, t.clusters.c
        with self._db.read() as connection:
            rows = connection.execute(
                sa.select(m.candidate_id, m.cluster_id, m.partition)
                .join(t.clusters, c.cluster_id == m.cluster_id)
                .where(
                    m.stream == stream,
                    m.state == sa.literal_column("'open'"),  # literal: the partial index fits
                    c.waiting == 1,
                )
                .order_by(m.seq.desc())
                .limit(limit)
            )
            return [Waiting(*row) for row in rows]

    def vectors(self, candidate_ids: Collection[str]) -> Mapping[str, Vector]:
        """Return the vectors of these candidates."""
        c = t.candidates.c
        found: dict[str, Vector] = {}
        with self._db.read() as connection:
            for part in chunks(candidate_ids):
                rows = select_in(
                    connection,
                    sa.select(c.candidate_id, c.vector, c.features_version, c.event_time),
                    c.candidate_id,
                    part,
                )
                found |= {
                    row["candidate_id"]: Vector(
                        bytes(row["vector"]), row["features_version"], row["event_time"]
                    )
                    for row in rows
                }
        return found

    def trust(self, stream: str) -> Mapping[str, float]:
        """Return what a label of each analyst weighs."""
        with self._folding, self._db.read() as connection:
            fold = self._fold(connection, stream)
            trust = reliabilities(fold.known, fold.overruled)
        return {name: one.weight for name, one in trust.items()}

    def asked(self, cluster_id: str) -> AskedCluster | None:
        """Return a cluster, None if there is no such one."""
        m, c = t.members.c, t.clusters.c
        with self._db.read() as connection:
            row = (
                connection.execute(
                    sa.select(c.stream, c.pull, c.verdict).where(c.cluster_id == cluster_id)
                )
                .mappings()
                .first()
            )
            if row is None:
                return None
            stream = row["stream"]
            members = connection.scalars(
                sa.select(m.candidate_id).where(m.cluster_id == cluster_id).order_by(m.seq)
            ).all()
            return AskedCluster(stream, members, policy_of(connection, stream), not told(row))
