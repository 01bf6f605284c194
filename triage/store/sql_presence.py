"""Who looks at which cluster: a row a person, which expires by itself; and who was the first."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from triage.case_queries import Looking
from triage.store import tables as t
from triage.store.columns import Name
from triage.store.database import Database
from triage.store.sql_shared import SqlPart


class SqlPresence(SqlPart):
    """See ``base.CaseStore.look_at`` and ``case_queries.CaseQueries.looking``."""

    def look_at(
        self, actor: str, cluster_id: str | None, at: float, ttl_s: float, touches: bool = False
    ) -> None:
        """Note which cluster somebody has before the eyes, None for none."""
        p = t.presence.c
        with self._db.write() as connection:
            if cluster_id is None:
                connection.execute(t.presence.delete().where(p.actor == actor))
                return
            insert = self._db.insert(t.presence).values(
                actor=actor, cluster_id=cluster_id, since=at, expires_at=at + ttl_s
            )
            still = sa.and_(p.cluster_id == insert.excluded.cluster_id, p.expires_at > at)
            connection.execute(
                insert.on_conflict_do_update(
                    index_elements=["actor"],
                    set_={
                        "cluster_id": insert.excluded.cluster_id,
                        "since": sa.case((still, p.since), else_=insert.excluded.since),
                        "expires_at": insert.excluded.expires_at,
                    },
                )
            )
            if touches:
                touch(self._db, connection, cluster_id, actor, at)

    def looking(self, now: float) -> Sequence[Looking]:
        """Return who looks at what, who came first first."""
        p = t.presence.c
        with self._db.read() as connection:
            rows = connection.execute(
                sa.select(p.actor, p.cluster_id, p.since)
                .where(p.expires_at > now)
                .order_by(p.since, p.actor)
            )
            return [Looking(*row) for row in rows]


def touch(db: Database, connection: sa.Connection, cluster_id: str, actor: str, at: float) -> None:
    """Note that a person has a cluster in hand, unless somebody had before or there is none."""
    c = t.clusters.c
    row = sa.select(c.cluster_id, sa.literal(actor, Name), sa.literal(at, sa.Double)).where(
        c.cluster_id == cluster_id
    )
    insert = db.insert(t.touches).from_select(["cluster_id", "actor", "at"], row)
    connection.execute(insert.on_conflict_do_nothing())
