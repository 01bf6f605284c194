"""The folder that holds everything a running system keeps, for one process at a time."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import click


class DataFolderInUse(click.ClickException):
    """Another process holds the folder."""


class DataFolderUnusable(click.ClickException):
    """The folder can't be made or written to."""


class DataFolder:
    """A lock on a data folder, held as long as the ``with`` block lasts.

    Makes the folder, readable for its owner only, where it is absent; a folder that exists keeps
    its permissions. The lock is the kernel's (``flock`` on ``<folder>/lock``), so it is gone with
    the process however that ends. The file holds the owner's process id, for people.

    Raises ``DataFolderInUse`` where another process holds it, ``DataFolderUnusable`` where it
    can't be made or written; both name the remedy.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = self._locked()
        except OSError as error:
            raise DataFolderUnusable(
                f"the data folder {self.path} can't be used ({error.strerror}): "
                "make room or fix its permissions, or choose another folder with --data"
            ) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()  # the file stays: removing it would race with the next owner
            self._file = None

    def _locked(self) -> IO[str]:
        """Return the open lock file with our process id in it."""
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        file = os.fdopen(descriptor, "r+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file.truncate()
            file.write(f"{os.getpid()}\n")
            file.flush()
        except BlockingIOError as error:
            owner = file.read(32).strip() or "unknown"
            file.close()
            raise DataFolderInUse(
                f"the data folder {self.path} is in use by process {owner}: "
                "stop that one (Ctrl-C), or choose another folder with --data"
            ) from error
        except OSError:
            file.close()
            raise
        return file
