"""What the triggers of a store count, counted by hand."""

from __future__ import annotations

from contextlib import closing

import sqlalchemy as sa

from triage.store import tables as t
from triage.store.database import Database
from triage.store.tables_counts import COUNTS


def counted(table: sa.Table) -> sa.Select[tuple[object, ...]]:
    """Return the rows that a table of counts must have."""
    by = [t.clusters.c[column.name] for column in table.primary_key]
    decided = "verdict" in table.c
    which = t.clusters.c.verdict.is_not(None) if decided else t.clusters.c.waiting == 1
    return sa.select(*by, sa.func.count()).where(which).group_by(*by)


def check_counts(url: str) -> None:
    """Raise AssertionError unless each table of counts tells what is in the store."""
    with closing(Database(url)) as database, database.read() as connection:
        for table in COUNTS:
            kept = connection.execute(sa.select(table).where(table.c.clusters != 0)).all()
            wanted = connection.execute(counted(table)).all()
            assert sorted(kept) == sorted(wanted), table.name
