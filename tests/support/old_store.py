"""Stores as an earlier version left them."""

from __future__ import annotations

from contextlib import closing

import sqlalchemy as sa

from triage.store.database import Database
from triage.store.migrate import migrate
from triage.store.tables_counts import COUNTS

UNCOPIED = {"alembic_version", *(table.name for table in COUNTS)}


def as_of(revision: str, source: str, target: str) -> None:
    """Fill the empty database ``target`` with what ``source`` holds, in an earlier schema.

    Tables and columns that the revision does not know are left out, and what triggers count.
    """
    migrate(target, revision)
    old, new = sa.MetaData(), sa.MetaData()
    with (
        closing(Database(source)) as there,
        closing(Database(target)) as here,
        there.read() as reading,
        here.write() as writing,
    ):
        new.reflect(reading)
        old.reflect(writing)
        for table in old.sorted_tables:
            if table.name not in UNCOPIED:
                known = [c.name for c in table.c if c.name in new.tables[table.name].c]
                plain = sa.table(table.name, *[sa.column(name) for name in known])
                rows = [dict(row) for row in reading.execute(sa.select(plain)).mappings()]
                if rows:
                    writing.execute(plain.insert(), rows)
