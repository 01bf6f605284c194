"""The config in force and where its candidates came from; read by those who compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from triage.store import tables as t
from triage.store.base import LiveConfig
from triage.store.bulk import chunks, select_in
from triage.store.sql_shared import SqlPart


class SqlConfigs(SqlPart):
    """See ``base.ConfigStore``."""

    def live_config(self, stream: str) -> LiveConfig | None:
        """See ``base.ConfigStore``."""
        c, s, p = t.configs.c, t.streams.c, t.partitions.c
        with self._db.read() as connection:
            row = connection.execute(
                sa.select(c.version, c.text)
                .join(t.streams, (s.stream == c.stream) & (s.config_version == c.version))
                .where(c.stream == stream)
            ).first()
            topics = connection.execute(sa.select(p.topic_id).where(p.stream == stream).distinct())
            topic_ids = frozenset(topics.scalars())
        return None if row is None else LiveConfig(row.version, row.text, topic_ids)

    def places(self, candidate_ids: Sequence[str]) -> Mapping[str, tuple[int, int]]:
        """See ``base.ConfigStore``."""
        c = t.candidates.c
        statement = sa.select(c.candidate_id, c.partition, c.offset)
        with self._db.read() as connection:
            return {
                row["candidate_id"]: (row["partition"], row["offset"])
                for part in chunks(candidate_ids)
                for row in select_in(connection, statement, c.candidate_id, part)
            }
