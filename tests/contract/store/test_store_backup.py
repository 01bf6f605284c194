"""A copy of the store, and a new store from it: from and to both databases."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.integration.release import BACKUP
from tests.support.cases import AT, STREAM, Desk
from tests.support.counts import check_counts
from tests.support.old_store import as_of
from triage.errors import Fenced, Invalid, SchemaUnknown, StoreDamaged
from triage.model import Actor, Counters, VerdictKind
from triage.queries import QueueFilter
from triage.store import tables as t
from triage.store.backup import EPOCHS, LEFT_OUT, StoreCopy, restore
from triage.store.base import SnapshotRow, Store
from triage.store.database import Database
from triage.store.migrate import migrate
from triage.store.store import open_store

pytestmark = pytest.mark.slow


def contents(url: str) -> Mapping[str, list[Any]]:
    """Return all rows of all tables, except for what a restore changes."""
    found = {}
    with closing(Database(url)) as database, database.read() as connection:
        for table in t.metadata.sorted_tables:
            if table.name not in LEFT_OUT:
                kept = [c for c in table.c if (table.name in EPOCHS) <= (c.name != "epoch")]
                rows = connection.execute(sa.select(*kept)).all()
                found[table.name] = sorted(map(repr, rows))
    return found


def lived_in(store: Store) -> Desk:
    """Give the store a past: snapshots, labels, findings, dead letters, odd texts, a session."""
    desk = Desk(store)
    desk.policy(undo_grace=0)
    new = desk.add(3, margin=0.1 + 0.2)
    desk.group(new, title="5 € at \N{SNOWMAN}\n\0")
    blob = bytes(range(256))
    snapshot = SnapshotRow(desk.made, 0, "a" * 64, blob)
    desk.commit(desk.part(snapshot=snapshot, counters=Counters(accepted=2**40)))
    desk.decide(desk.cluster(2, "a"), VerdictKind.REAL)
    desk.decide(desk.cluster(2, "b"), VerdictKind.SPURIOUS)
    desk.publish(AT + 99)
    store.new_sign_in(Actor("anna", "analyst"), AT, 100.0)
    return desk


def test_everything_is_there_again(url: str, empty_url: str, store: Store, tmp_path: Path) -> None:
    lived_in(store)
    with StoreCopy(url) as copy:
        rows = copy.write(tmp_path / "copy.db")
    assert rows["candidates"] > 0
    target = empty_url if empty_url != url else f"sqlite:///{tmp_path / 'new.db'}"
    restore(tmp_path / "copy.db", target)
    assert contents(target) == contents(url)
    check_counts(target)
    with closing(open_store(target, migrate=False)) as again:
        (kept,) = again.snapshots(STREAM, 0)
        assert kept.blob == bytes(range(256))


def test_a_copy_is_of_one_moment_while_others_write(url: str, store: Store, tmp_path: Path) -> None:
    desk = Desk(store)
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            desk.add(5)

    writer = threading.Thread(target=work)
    writer.start()
    try:
        for number in range(5):
            with StoreCopy(url) as copy:
                copy.write(tmp_path / f"{number}.db")
    finally:
        over.set()
        writer.join()
    for number in range(5):
        with closing(open_store(f"sqlite:///{tmp_path / f'{number}.db'}", migrate=False)) as copied:
            there = copied.candidates_after(STREAM, 0, 1_000_000)
            state = copied.own(STREAM, 0, "topic-1", "v1")
            assert state.next_offset == len(there) == state.counters.candidates


def test_who_worked_before_a_restore_is_fenced(url: str, store: Store, tmp_path: Path) -> None:
    desk = Desk(store)
    with StoreCopy(url) as copy:
        copy.write(tmp_path / "copy.db")
    before = store.own(STREAM, 0, "topic-1", "v1")  # after the copy
    restore(tmp_path / "copy.db", f"sqlite:///{tmp_path / 'new.db'}")
    with closing(open_store(f"sqlite:///{tmp_path / 'new.db'}")) as again:
        again.own(STREAM, 0, "topic-1", "v1")
        with pytest.raises(Fenced):
            again.commit(STREAM, [desk.part(epoch=before.epoch)], AT)


def test_only_an_empty_database_is_filled(url: str, store: Store, tmp_path: Path) -> None:
    desk = lived_in(store)
    with StoreCopy(url) as copy:
        copy.write(tmp_path / "copy.db")
    before = contents(url)
    with pytest.raises(Invalid, match=r"not empty .* nothing was changed"):
        restore(tmp_path / "copy.db", url)
    assert contents(url) == before
    desk.add(1)


def test_a_copy_of_an_older_version_is_brought_up(
    url: str, store: Store, empty_url: str, tmp_path: Path
) -> None:
    """A restore comes to the same as an upgrade in place."""
    cluster_id = lived_in(store).cluster(1, "c")
    old = f"sqlite:///{tmp_path / 'old.db'}"
    as_of("0001", url, old)
    with StoreCopy(old) as copy:
        assert copy.schema == "0001"
        copy.write(tmp_path / "copy.db")
    target = empty_url if empty_url != url else f"sqlite:///{tmp_path / 'new.db'}"
    restore(tmp_path / "copy.db", target)
    migrate(old)
    assert contents(target) == contents(old)
    with closing(open_store(target, migrate=False)) as again:
        assert again.cluster(cluster_id, 1) is not None


def test_a_backup_of_the_last_release_is_brought_up(empty_url: str, tmp_path: Path) -> None:
    shutil.copy(BACKUP / "store.db", tmp_path / "released.db")
    restore(tmp_path / "released.db", empty_url)
    check_counts(empty_url)
    told = json.loads((BACKUP / "backup.json").read_text(encoding="utf-8"))["rows"]
    with closing(open_store(empty_url, migrate=False)) as store:
        assert len(store.recent_verdicts(99)) == told["verdicts"]
        (status,) = store.status(AT).streams
        assert status.counters.candidates == told["candidates"]
        assert store.queue(QueueFilter(), 0, 99).rows


def test_what_can_not_be_restored_says_why(empty_url: str, tmp_path: Path) -> None:
    newer, other, damaged = (tmp_path / f"{name}.db" for name in ("newer", "other", "damaged"))
    migrate(f"sqlite:///{newer}")
    with closing(sqlite3.connect(newer)) as db, db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
    with closing(sqlite3.connect(other)) as db, db:
        db.execute("CREATE TABLE things (thing)")
    damaged.write_bytes(b"SQLite format 3\0" + b"\0" * 5_000)
    with pytest.raises(SchemaUnknown, match="newer than this program"):
        restore(newer, empty_url)
    with pytest.raises(SchemaUnknown, match="no store"):
        restore(other, empty_url)
    with pytest.raises(StoreDamaged):
        restore(damaged, empty_url)
    migrate(empty_url)  # nothing was left in it


def test_no_copy_of_what_is_no_store(empty_url: str) -> None:
    with pytest.raises(SchemaUnknown, match="no store"), StoreCopy(empty_url):
        pass
