"""Stores on SQLite for tests."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from triage.store.base import Store
from triage.store.migrate import migrate
from triage.store.store import open_store


def store_at(file: Path) -> Store:
    """Open the store in a file; a new one is a copy, in an eighth of the time of migrating."""
    if not file.exists():
        file.write_bytes(_empty())
    return open_store(f"sqlite:///{file}", migrate=False)


@functools.cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "empty.db")
        migrate(f"sqlite:///{file}")
        return file.read_bytes()
