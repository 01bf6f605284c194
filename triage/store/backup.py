"""A copy of the store in one SQLite file, whatever database it lives in, and back.

The copy is of one moment: a single reading transaction sees the whole database while others go on
writing. It has the schema of its database, so it can be read by this and every later version.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa

from triage.errors import Invalid, SchemaUnknown, StoreDamaged
from triage.store.database import Database, wait_for_ever
from triage.store.migrate import migrate, revision_of, upgrade
from triage.store.tables_counts import COUNTS

VERSION_TABLE = "alembic_version"
SIGNED_IN = ("sessions", "sign_ins", "sign_in_tries", "api_tokens")
LEFT_OUT = frozenset({VERSION_TABLE, *SIGNED_IN, *(table.name for table in COUNTS)})
"""Who was signed in is no part of a backup: what was ended since would be valid again. Triggers
count what is copied."""

ROWS = 500  # rows that are held in memory
NEW_EPOCHS = 1_000_000  # added at a restore, so that a process of before it is fenced
EPOCHS = ("partitions", "leases")


class StoreCopy:
    """The store at ``url`` as it is when the ``with`` block begins.

    Attributes:
        schema: revision of its schema.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self._open = contextlib.ExitStack()
        self.schema = ""

    def __enter__(self) -> Self:
        self._open.callback(self._database.close)
        try:
            self._connection = self._open.enter_context(self._database.read())
            wait_for_ever(self._connection)
            self.schema = _schema(self._connection, self._database.name)
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self._open.close()

    def write(self, file: Path) -> Mapping[str, int]:
        """Write the copy to a file that is not there yet; return the rows of each table."""
        url = f"sqlite:///{file}"
        migrate(url, self.schema)
        with contextlib.closing(Database(url)) as target, target.write() as connection:
            return _copy(self._connection, connection)


def restore(file: Path, url: str) -> None:
    """Fill the empty database at ``url`` from a copy and bring it to this program's schema.

    All of it happens, or nothing. Every epoch is raised, so that workers and relays of before the
    restore are fenced.

    Raises:
        Invalid: the database holds rows.
        SchemaUnknown: the copy is of a newer program.
        StoreDamaged: the copy is damaged.
        StoreUnavailable: the database can't be reached or is full.
    """
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(contextlib.closing(Database(f"sqlite:///{file}")))
        target = stack.enter_context(contextlib.closing(Database(url)))
        reading = stack.enter_context(source.read())
        schema = _checked(reading, file)
        connection = stack.enter_context(target.write())
        _check_empty(connection, target.name)
        upgrade(connection, schema)
        _copy(reading, connection)
        upgrade(connection)
        for name in EPOCHS:
            table = sa.table(name, sa.column("epoch"))
            connection.execute(table.update().values(epoch=table.c.epoch + NEW_EPOCHS))


def _checked(connection: sa.Connection, file: Path) -> str:
    """Return the copy's schema."""
    found = connection.exec_driver_sql("PRAGMA integrity_check").scalar()
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if found != "ok" or broken:
        raise StoreDamaged(f"{file}: the backup is damaged ({found}): take an older one")
    return _schema(connection, str(file))


def _schema(connection: sa.Connection, name: str) -> str:
    schema = revision_of(connection)
    if schema is None:
        raise SchemaUnknown(f"{name}: there is no store in this database")
    return schema


def _check_empty(connection: sa.Connection, name: str) -> None:
    tables = [each for each in sa.inspect(connection).get_table_names() if each != VERSION_TABLE]
    if tables or revision_of(connection):
        raise Invalid(
            f"{name}: is not empty (it has a table {(*tables, VERSION_TABLE)[0]}): a backup is"
            " restored into a new database only; nothing was changed"
        )


def _copy(source: sa.Connection, target: sa.Connection) -> Mapping[str, int]:
    """Copy all rows between two databases of the same schema, parents before children."""
    metadata = sa.MetaData()
    metadata.reflect(target)
    copied = {}
    for table in metadata.sorted_tables:
        if table.name not in LEFT_OUT:
            plain = sa.table(table.name, *[sa.column(column.name) for column in table.columns])
            copied[table.name] = 0
            for rows in _rows(source, plain):
                target.execute(plain.insert(), rows)
                copied[table.name] += len(rows)
    return copied


def _rows(source: sa.Connection, table: sa.TableClause) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows in pieces, as the database holds them."""
    found = source.execution_options(yield_per=ROWS).execute(sa.select(table))
    for part in found.mappings().partitions():
        yield [dict(row) for row in part]
