"""Leases: one holder at a time."""

from __future__ import annotations

import sqlalchemy as sa

from triage.store import tables as t
from triage.store.sql_shared import SqlPart


class SqlLeases(SqlPart):
    """See ``base.LeaseStore``."""

    def acquire_lease(self, name: str, holder: str, at: float, ttl_s: float) -> int | None:
        """Return our epoch if the lease is ours (taken or renewed), None if another holds it."""
        here = t.leases.c.name == name
        with self._db.write() as connection:
            connection.execute(
                self._db.insert(t.leases)
                .values(name=name, holder="", epoch=0, expires_at=0.0)
                .on_conflict_do_nothing()
            )
            row = (
                connection.execute(sa.select(t.leases).where(here).with_for_update())
                .mappings()
                .one()
            )
            expired = row["expires_at"] <= at or not row["holder"]
            if row["holder"] != holder and not expired:
                return None
            epoch = int(row["epoch"]) + (1 if expired or row["holder"] != holder else 0)
            connection.execute(
                t.leases.update()
                .where(here)
                .values(holder=holder, epoch=epoch, expires_at=at + ttl_s)
            )
            return epoch
