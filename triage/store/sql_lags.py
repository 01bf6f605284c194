"""How far partitions are behind their log: a row each, written anew every few seconds."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from triage.lag import Lag, PartitionLag
from triage.store import tables as t
from triage.store.sql_shared import SqlPart


class SqlLags(SqlPart):
    """See ``lag.LagReads`` and ``base.WorkerStore``."""

    def tell_lags(self, stream: str, lags: Sequence[Lag]) -> None:
        """Note how far partitions are behind, in place of what was told before."""
        if not lags:
            return
        with self._db.write() as connection:
            insert = self._db.insert(t.lags)
            told = {name: insert.excluded[name] for name in ("records", "seconds", "at")}
            connection.execute(
                insert.on_conflict_do_update(index_elements=["stream", "partition"], set_=told),
                [
                    {
                        "stream": stream,
                        "partition": lag.partition,
                        "records": lag.records,
                        "seconds": lag.seconds,
                        "at": lag.at,
                    }
                    for lag in lags
                ],
            )

    def lags(self, stream: str | None = None) -> Sequence[PartitionLag]:
        """Return every partition of a stream, or of all, by stream and partition."""
        p, one = t.partitions.c, t.lags.c
        both = sa.and_(one.stream == p.stream, one.partition == p.partition)
        wanted = [] if stream is None else [p.stream == stream]
        with self._db.read() as connection:
            rows = connection.execute(
                sa.select(p.stream, p.partition, one.records, one.seconds, one.at)
                .join(t.lags, both, isouter=True)
                .where(*wanted)
                .order_by(p.stream, p.partition)
            ).all()
        return [
            PartitionLag(
                row.stream,
                row.partition,
                None if row.at is None else Lag(row.partition, row.records, row.seconds, row.at),
            )
            for row in rows
        ]
