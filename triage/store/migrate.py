"""Brings a database to this program's schema, or back to an earlier one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from triage.errors import SchemaUnknown
from triage.store.database import MIGRATION_LOCK, Database

SCRIPTS = Path(__file__).parent / "migrations"


def migrate(url: str, to: str = "head") -> None:
    """Bring the database to the newest schema, or only to revision ``to``.

    Two processes may do this at the same time: the second one waits, then finds nothing to do. A
    migration that fails leaves the database as it was.

    Raises:
        SchemaUnknown: the database is newer than this program.
        StoreUnavailable: it can't be reached.
    """
    database = Database(url)
    try:
        migrate_database(database, to)
    finally:
        database.close()


def migrate_database(database: Database, to: str = "head") -> None:
    """Like ``migrate``, on an open database."""
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        upgrade(connection, to)


def upgrade(connection: sa.Connection, to: str = "head") -> None:
    """Like ``migrate``, inside of a transaction."""
    config = _config()
    scripts = ScriptDirectory.from_config(config)
    if _current(connection, scripts) != scripts.get_current_head():
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def downgrade(url: str, to: str, *, keep: bool) -> Sequence[str]:
    """Take the database back to the schema of an earlier version; return what that dropped.

    Tables are named as ``table``, columns as ``table.column``. Unless ``keep`` nothing is changed:
    it is told only. Rows of what stays stay, told in the earlier version's words.

    Raises:
        SchemaUnknown: ``to`` is no earlier schema of this database.
        StoreUnavailable: it can't be reached.
    """
    config = _config()
    scripts = ScriptDirectory.from_config(config)
    earlier = sorted(script.revision for script in scripts.walk_revisions())
    with closing(Database(url)) as database, database.write() as connection:
        if not database.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        current = _current(connection, scripts)
        if current is None or to not in earlier or to >= current:
            before = [one for one in earlier if current and one < current]
            choice = f"choose one of {before[0]} to {before[-1]}" if before else "there is no other"
            raise SchemaUnknown(f"{database.name}: {to}: is not before schema {current}: {choice}")
        had = _columns(connection)
        with connection.begin_nested() as trial:
            config.attributes["connection"] = connection
            command.downgrade(config, to)
            has = _columns(connection)
            if not keep:
                trial.rollback()
    tables = {name.partition(".")[0] for name in has}
    gone = sorted(had - has)
    return sorted({t if (t := name.partition(".")[0]) not in tables else name for name in gone})


def _columns(connection: sa.Connection) -> frozenset[str]:
    """Return all as ``table.column``."""
    found = sa.MetaData()
    found.reflect(connection)
    return frozenset(str(column) for table in found.sorted_tables for column in table.c)


def revision_of(connection: sa.Connection) -> str | None:
    """Return the revision of the database's schema, None where there is none.

    Raises SchemaUnknown if it is newer than this program.
    """
    return _current(connection, ScriptDirectory.from_config(_config()))


def check_schema(database: Database) -> None:
    """Do nothing if the database has this program's schema, else raise ``SchemaUnknown``."""
    scripts = ScriptDirectory.from_config(_config())
    with database.read() as connection:
        current = _current(connection, scripts)
    if current != scripts.get_current_head():
        raise SchemaUnknown(
            f"{database.name}: schema {current or 'none'}, this program needs"
            f" {scripts.get_current_head()}: run the migration"
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.set_main_option("path_separator", "os")
    return config


def _current(connection: sa.Connection, scripts: ScriptDirectory) -> str | None:
    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    if current is not None and current not in known:
        raise SchemaUnknown(
            f"the database has schema {current}, newer than this program ({max(known)}):"
            f" update the program, or take it back with the newer one's `triage store downgrade"
            f" {max(known)}`"
        )
    return current
