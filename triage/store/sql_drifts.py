"""Fields that no longer come as they used to, per partition."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from triage.drift import Drift, PartitionDrift
from triage.store import tables as t
from triage.store.base import PartitionCommit
from triage.store.sql_shared import SqlPart


class SqlDrifts(SqlPart):
    """See ``drift.DriftReads``."""

    def drifts(self, stream: str) -> Sequence[PartitionDrift]:
        """See ``drift.DriftReads``."""
        d = t.drifts.c
        with self._db.read() as connection:
            rows = connection.execute(
                sa.select(d.partition, d.field, d.kind, d.detail, d.since)
                .where(d.stream == stream)
                .order_by(d.field, d.kind, d.partition)
            )
            return [PartitionDrift(row[0], Drift(*row[1:])) for row in rows]


def keep_drifts(connection: sa.Connection, stream: str, part: PartitionCommit) -> None:
    """Let exactly these be in drift; where the commit says nothing of it, all stays."""
    if part.drifts is None:
        return
    d = t.drifts.c
    connection.execute(t.drifts.delete().where(d.stream == stream, d.partition == part.partition))
    if part.drifts:
        connection.execute(
            t.drifts.insert(),
            [
                {
                    "stream": stream,
                    "partition": part.partition,
                    "field": drift.field,
                    "kind": drift.kind,
                    "detail": drift.detail,
                    "since": drift.since,
                }
                for drift in part.drifts
            ],
        )
