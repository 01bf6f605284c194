"""A copy of the embedded log while others write to it."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Self

from streaming.errors import Stop
from streaming.transports._log_file import BUSY_S, explain


class LogCopy:
    """The log in the file ``path`` as it is when the ``with`` block begins.

    Writers wait until ``let_go``: what is looked at elsewhere before that is of the same moment.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        if not self._path.is_file():
            raise Stop(f"{self._path}: there is no log")
        try:
            self._holding = self._connect()
            self._holding.execute("BEGIN IMMEDIATE")
            self._seen = self._connect()
            self._seen.execute("BEGIN")
            self._seen.execute("SELECT count(*) FROM topics").fetchone()  # now it sees this moment
        except sqlite3.Error as error:
            self._open.close()
            raise explain(error, str(self._path)) from error
        return self

    def __exit__(self, *exception: object) -> None:
        self._open.close()

    def let_go(self) -> None:
        """Let others write again; this copy does not see it."""
        self._holding.execute("ROLLBACK")

    def write(self, file: Path) -> None:
        """Write the copy to a file."""
        try:
            with contextlib.closing(sqlite3.connect(file)) as target:
                self._seen.backup(target)
        except sqlite3.Error as error:
            raise explain(error, str(file)) from error

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None)
        return self._open.enter_context(contextlib.closing(connection))
