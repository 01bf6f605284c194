"""The connection to SQLite or PostgreSQL: transactions, and their errors in the caller's words.

The two differ in few places, all of them here. SQLite: a write transaction begins IMMEDIATE, so
writers queue up instead of failing half way. PostgreSQL: ``in_order`` takes one advisory lock, and
the server ends the transaction of a process that stands still.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.dml import Insert as PostgresInsert
from sqlalchemy.dialects.sqlite.dml import Insert as SqliteInsert

from triage.errors import Invalid, StoreDamaged, StoreRefuses, StoreUnavailable

ORDER_LOCK = 0x7472_6961  # any number, the same in every version: "tria"
MIGRATION_LOCK = 0x7472_6962
NO_RIGHT = "42501"  # PostgreSQL's insufficient_privilege
BAD_SIGN_IN = ("password authentication failed", "no password supplied", "no pg_hba.conf entry")
IDLE_S = 15  # in a transaction, without a statement: then its process stands still


class Database:
    """A database by its URL. Thread-safe; open one per process."""

    def __init__(self, url: str, busy_timeout_s: float = 10.0) -> None:
        address = _address(url)
        self.is_sqlite = address.get_backend_name() == "sqlite"
        self.name = address.render_as_string(hide_password=True)
        options: dict[str, Any] = {}
        if not self.is_sqlite:
            options = {"pool_pre_ping": True, "connect_args": {"connect_timeout": 5}}
        self.engine = sa.create_engine(address, pool_size=8, max_overflow=8, **options)
        if self.is_sqlite:
            _prepare_sqlite(self.engine, busy_timeout_s)
        else:
            _prepare_postgres(self.engine)

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One view of the data for all statements inside; nothing is written."""
        with self._unavailable(), self.engine.connect() as connection:
            if not self.is_sqlite:
                connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One transaction: committed at the end, rolled back on any error."""
        with self._unavailable(), self.engine.connect() as connection:
            connection.execution_options(triage_write=True)
            with connection.begin():
                yield connection

    def in_order(self, connection: sa.Connection) -> None:
        """From here to the end of the transaction no other writer gives out numbers.

        Change ids, label positions, candidates' ``seq`` and outbox ids are read by "what came after
        n?". A number drawn from a sequence becomes visible at commit, so a reader could see 8, move
        on, and miss a 7 that commits later. Holding one lock from numbering to commit makes the
        order of numbers the order of commits, without gaps. The rates are low: a few writes a
        second. Taken before any row that another process might write, so that locks can't cross.
        """
        if not self.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ORDER_LOCK)))

    def insert(self, table: sa.Table) -> SqliteInsert | PostgresInsert:
        """Return an INSERT that knows ON CONFLICT."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextlib.contextmanager
    def _unavailable(self) -> Iterator[None]:
        try:
            yield
        except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError) as error:
            if any(sign in _said(error) for sign in BAD_SIGN_IN):
                raise StoreRefuses(f"{self.name}: {_remedy(error)}") from error
            raise StoreUnavailable(f"{self.name}: {_remedy(error)}") from error
        except sa.exc.DBAPIError as error:
            if error.connection_invalidated:
                raise StoreUnavailable(f"{self.name}: {_remedy(error)}") from error
            if getattr(error.orig, "sqlstate", None) == NO_RIGHT:
                raise StoreRefuses(
                    f"{self.name}: this role may not do that: let the owner of the tables start a"
                    " process once, which brings them to this version, and run `triage store"
                    f" grants ROLE` again ({_said(error)})"
                ) from error
            if type(error) is sa.exc.DatabaseError:  # its subclasses are about statements
                raise StoreDamaged(f"{self.name}: {_remedy(error)}") from error
            raise


def next_of(column: sa.Column[Any]) -> sa.ScalarSelect[int]:
    """Return the number after the largest one, to insert. Only after ``Database.in_order``."""
    return sa.select(sa.func.coalesce(sa.func.max(column), 0) + 1).scalar_subquery()


def next_number(connection: sa.Connection, column: sa.Column[Any]) -> int:
    """Return the number after the largest one. Only after ``Database.in_order``."""
    return int(connection.execute(sa.select(next_of(column))).scalar_one())


def _address(url: str) -> sa.URL:
    """Return the address with its driver. The message of the error does not repeat a password."""
    with contextlib.suppress(sa.exc.ArgumentError):
        address = sa.make_url(url)
        if address.get_backend_name() == "postgresql":
            return address.set(drivername="postgresql+psycopg")
        if address.get_backend_name() == "sqlite" and address.database:
            return address
    raise Invalid("store: expected sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE")


def _prepare_sqlite(engine: sa.Engine, busy_timeout_s: float) -> None:
    def connected(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions by itself
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {int(busy_timeout_s * 1000)}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    def begun(connection: sa.Connection) -> None:
        write = connection.get_execution_options().get("triage_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    sa.event.listen(engine, "connect", connected)
    sa.event.listen(engine, "begin", begun)


def _prepare_postgres(engine: sa.Engine) -> None:
    """Let the server end a transaction whose process is frozen or cut off.

    It holds its locks until then, and with the lock of ``in_order`` everybody else up.
    """

    def connected(connection: Any, record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_S}s'")
        connection.commit()

    sa.event.listen(engine, "connect", connected)


def wait_for_ever(connection: sa.Connection) -> None:
    """Let this transaction be idle for as long as it takes."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")


REMEDIES = (
    ("disk is full", "the disk is full: free some space, then try again"),
    ("no space left", "the server's disk is full: free some space, then try again"),
    ("is locked", "another process is writing for too long: try again, or stop that process"),
    ("unable to open", "the file can't be opened: check that its folder exists and is writable"),
    ("readonly", "the file can't be written: check its permissions"),
    ("malformed", "the file is damaged: keep a copy, restore the last backup"),
    ("not a database", "the file is no database: check the path"),
    ("refused", "the server doesn't answer: check that it runs and that host and port are right"),
    ("pg_hba", "the server takes no such user from this machine: see its pg_hba.conf"),
    ("password", "the server refused the user: check user and password"),
    ("does not exist", "there is no such database or user on the server: create it"),
    ("idle-in-transaction", "this process stood still for too long: try again"),
    ("deadlock", "two writers waited for each other: try again"),
)


def _said(error: Exception) -> str:
    """Return what the driver said, in one line."""
    return " ".join(str(getattr(error, "orig", None) or error).split())


def _remedy(error: Exception) -> str:
    said = _said(error)
    for sign, remedy in REMEDIES:
        if sign in said.lower():
            return f"{remedy} ({said})"
    return f"the database doesn't answer: check it, then try again ({said})"
