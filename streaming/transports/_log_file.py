"""The file under the embedded log: opening, transactions, and SQLite's errors in our words."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streaming.errors import Stop, StreamingError, TransportUnavailable

MEMORY = ":memory:"
APPLICATION_ID = 0x54_52_4C_47  # "TRLG": marks the file as ours
FORMAT = 1
BUSY_S = 5.0  # how long a writer waits for another process's transaction
OPEN_ATTEMPTS = 100  # x 50 ms: two processes that make the file at the same moment

SCHEMA = """
CREATE TABLE topics (
    topic_no INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL UNIQUE,
    topic_id TEXT NOT NULL DEFAULT (lower(hex(randomblob(16))))
);
CREATE TABLE partitions (
    slot INTEGER PRIMARY KEY AUTOINCREMENT,
    topic_no INTEGER NOT NULL REFERENCES topics,
    partition INTEGER NOT NULL,
    start_offset INTEGER NOT NULL DEFAULT 0,
    next_offset INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    UNIQUE (topic_no, partition)
);
CREATE TABLE records (
    id INTEGER PRIMARY KEY,  -- slot << 40 | offset: one b-tree in reading order
    timestamp_ms INTEGER NOT NULL,
    key BLOB,
    value BLOB NOT NULL,
    headers BLOB
);
CREATE TABLE groups (
    topic_no INTEGER NOT NULL REFERENCES topics,
    name TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    PRIMARY KEY (topic_no, name)
) WITHOUT ROWID;
CREATE TABLE positions (
    topic_no INTEGER NOT NULL REFERENCES topics,
    name TEXT NOT NULL,
    partition INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (topic_no, name, partition)
) WITHOUT ROWID;
CREATE TABLE publishers (
    name TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL,
    sequence INTEGER NOT NULL
) WITHOUT ROWID;
"""

Version = tuple[int, int]

_MEANINGS: dict[int, tuple[type[StreamingError], str]] = {
    sqlite3.SQLITE_FULL: (
        TransportUnavailable,
        "the disk is full and nothing was written; free some space",
    ),
    sqlite3.SQLITE_BUSY: (TransportUnavailable, "another process holds the log for too long"),
    sqlite3.SQLITE_LOCKED: (TransportUnavailable, "another process holds the log for too long"),
    sqlite3.SQLITE_IOERR: (TransportUnavailable, "reading or writing failed; check the disk"),
    sqlite3.SQLITE_NOTADB: (Stop, "not a log of this program; name another file or move it away"),
    sqlite3.SQLITE_CORRUPT: (
        Stop,
        "the log is damaged; restore a backup, or move the data folder away and start afresh",
    ),
    sqlite3.SQLITE_READONLY: (Stop, "no permission to write; change the file's owner or mode"),
    sqlite3.SQLITE_PERM: (Stop, "no permission to write; change the file's owner or mode"),
    sqlite3.SQLITE_CANTOPEN: (Stop, "can't be opened; is its folder there and writable?"),
}


class LogFile:
    """One connection to a log's file, safe to share between threads.

    Every write is one transaction under ``synchronous=FULL``: once it has returned, neither a
    killed process nor a power cut takes it back (as far as the disk keeps its promises).
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._changed = threading.Condition(threading.RLock())
        self._commits = 0
        self._db: sqlite3.Connection | None = _open(path)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One writing transaction: everything in it happens, or nothing."""
        with self._transaction("BEGIN IMMEDIATE") as db:
            yield db
        with self._changed:
            self._commits += 1
            self._changed.notify_all()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """One reading transaction: every query in it sees the same moment."""
        with self._transaction("BEGIN") as db:
            yield db

    def version(self) -> Version:
        """Return a value that differs after any commit by anybody; costs microseconds."""
        with self._changed:
            row = self._connection().execute("PRAGMA data_version").fetchone()
            return (int(row[0]), self._commits)

    def wait(self, seen: Version, seconds: float) -> bool:
        """Wait until ``version`` is no longer ``seen``, at most so long; return whether it is."""
        with self._changed:
            if self.version() == seen:
                self._changed.wait(seconds)
            return self.version() != seen

    def close(self) -> None:
        """Close the connection; closing twice is fine."""
        with self._changed:
            if self._db is not None:
                self._db.close()
                self._db = None

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._changed:
            db = self._connection()
            try:
                db.execute(begin)
                yield db
                db.execute("COMMIT")
            except sqlite3.Error as error:
                raise explain(error, self.path) from error
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")

    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            raise Stop(f"{self.path}: this log has been closed; open it again")
        return self._db


def explain(error: sqlite3.Error, path: str) -> StreamingError:
    """Say what the error means for the caller, with the remedy."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # without its subcode
    kind, meaning = _MEANINGS.get(code, (Stop, "the log can't be used"))
    return kind(f"{path}: {meaning} ({error})")


def _open(path: str) -> sqlite3.Connection:
    if path != MEMORY and not Path(path).parent.is_dir():
        raise Stop(f"{path}: the folder {Path(path).parent} does not exist; make it first")
    for _ in range(OPEN_ATTEMPTS):
        try:
            return _connect(path)
        except TransportUnavailable:
            time.sleep(0.05)
    return _connect(path)


def _connect(path: str) -> sqlite3.Connection:
    try:
        db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise explain(error, path) from error
    try:
        _prepare(db, path)
    except sqlite3.Error as error:
        db.close()
        raise explain(error, path) from error
    except Stop:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection, path: str) -> None:
    """Check that the file is ours, or make it ours if it is new."""
    db.execute("BEGIN")  # one moment: between two questions another process may make the file
    ours = _is_ours(db, path)
    db.execute("COMMIT")
    if not ours:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("BEGIN IMMEDIATE")
        if not _is_ours(db, path):  # another process may have been faster
            db.execute(f"PRAGMA application_id={APPLICATION_ID}")
            db.execute(f"PRAGMA user_version={FORMAT}")
            for statement in SCHEMA.split(";\n"):
                db.execute(statement)
        db.execute("COMMIT")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("PRAGMA journal_size_limit=67108864")  # bytes; the WAL shrinks back to this


def _is_ours(db: sqlite3.Connection, path: str) -> bool:
    """Whether the file is a log (False = empty file). Raises Stop if it is anything else."""
    application = int(db.execute("PRAGMA application_id").fetchone()[0])
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    tables = int(db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    if application == APPLICATION_ID:
        if version > FORMAT:
            raise Stop(
                f"{path}: written by a newer version (format {version}, this one knows {FORMAT});"
                " use that version"
            )
        return True
    if application or tables:
        raise Stop(f"{path}: a database of another program; name another file, or move it away")
    return False
