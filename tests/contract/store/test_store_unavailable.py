"""A database that is away, full, locked or no database: nothing half-written, a remedy named."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import make_url

from tests.support.cases import AT, STREAM, Desk
from tests.support.processes import free_ports
from triage.errors import Invalid, StoreDamaged, StoreRefuses, StoreUnavailable
from triage.store.base import SnapshotRow
from triage.store.database import Database
from triage.store.migrate import migrate
from triage.store.store import SqlStore, open_store


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def full(file: Path) -> Iterator[Desk]:
    """A store whose disk has room for about 40 pages more."""
    migrate(f"sqlite:///{file}")
    database = Database(f"sqlite:///{file}")

    def limit(connection: Any, record: Any) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 40}")

    sa.event.listen(database.engine, "connect", limit)
    with closing(SqlStore(database)) as store:
        yield Desk(store)


def test_a_full_disk(full: Desk) -> None:
    first = full.cluster(1)
    big = SnapshotRow(1, 0, "hash", b"x" * 400_000)
    before = full.store.status(AT)
    with pytest.raises(StoreUnavailable, match="free some space"):
        full.commit(full.part(next_offset=9, snapshot=big, rescored={}))
    assert full.store.status(AT) == before
    assert full.store.snapshots(STREAM, 0) == []
    full.decide(first)  # what fits still works
    assert full.store.own(STREAM, 0, "topic-1", "v1").next_offset == 1


def test_a_verdict_on_a_full_disk_leaves_nothing(full: Desk) -> None:
    cluster_id = full.cluster(1)
    before = full.store.status(AT)

    def fill() -> None:
        for number in range(100):
            full.decide(full.cluster(1, f"c{number}"), reason="x" * 4000)

    with pytest.raises(StoreUnavailable, match="disk is full"):
        fill()
    open_now = full.store.status(AT)
    assert open_now.decided_today == full.store.label_position(STREAM)
    assert open_now.position >= before.position
    assert full.row(cluster_id).verdict is None


def test_a_writer_that_never_ends(file: Path) -> None:
    with closing(open_store(f"sqlite:///{file}")) as store:
        Desk(store)
    with (
        closing(Database(f"sqlite:///{file}")) as other,
        closing(SqlStore(Database(f"sqlite:///{file}", busy_timeout_s=0.1))) as store,
        other.write(),
    ):
        with pytest.raises(StoreUnavailable, match="another process is writing"):
            store.own(STREAM, 0, "topic-1", "v1")
        assert store.status(AT).streams[0].stream == STREAM  # reading goes on


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="folder exists"):
        open_store(f"sqlite:///{tmp_path / 'nowhere' / 'store.db'}")


def test_a_file_that_is_no_database(file: Path) -> None:
    file.write_bytes(b"time,amount\n" * 1000)
    with pytest.raises(StoreDamaged, match="no database: check the path"):
        open_store(f"sqlite:///{file}")


def test_a_damaged_file(file: Path) -> None:
    with closing(open_store(f"sqlite:///{file}")) as store:
        Desk(store).cluster(3)
    content = bytearray(file.read_bytes())
    content[4096:] = b"\x5a" * (len(content) - 4096)
    file.write_bytes(content)
    with pytest.raises(StoreDamaged, match="backup"):
        open_store(f"sqlite:///{file}")


@pytest.mark.parametrize("url", ["", "store.db", "mysql://host/db", "sqlite://", "redis:///x"])
def test_an_address_of_something_else(url: str) -> None:
    with pytest.raises(Invalid, match="sqlite:///FILE"):
        open_store(url)


def test_a_server_that_is_not_there() -> None:
    (port,) = free_ports(1)
    with pytest.raises(StoreUnavailable, match="host and port") as error:
        open_store(f"postgresql://me:secret-word@127.0.0.1:{port}/triage")
    assert "secret-word" not in str(error.value)


@pytest.mark.integration
def test_a_refused_password_needs_a_person(postgres_database: str) -> None:
    wrong = make_url(postgres_database).set(password="secret-word")  # noqa: S106
    with pytest.raises(StoreRefuses, match="check user and password") as error:
        open_store(wrong.render_as_string(hide_password=False))
    assert "secret-word" not in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.integration
def test_a_role_without_rights_is_told_what_to_do(postgres_database: str) -> None:
    role, password = f"nobody_{secrets.token_hex(4)}", secrets.token_hex(8)
    own = make_url(postgres_database)
    theirs = own.set(username=role, password=password).render_as_string(hide_password=False)
    with closing(Database(postgres_database)) as owner:
        with owner.write() as connection:
            connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'")
        try:
            with pytest.raises(StoreRefuses, match=r"owner of the tables.*triage store grants"):
                open_store(theirs)
        finally:
            with owner.write() as connection:
                connection.exec_driver_sql(f"DROP ROLE {role}")


@pytest.mark.integration
def test_a_connection_that_breaks_and_comes_back(postgres_database: str) -> None:
    with closing(open_store(postgres_database)) as store:
        desk = Desk(store)
        cluster_id = desk.cluster(1)
        with closing(Database(postgres_database)) as other:
            kill = (
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

            def interrupted() -> None:
                with store.unit_of_work() as unit:
                    with other.write() as connection:
                        connection.exec_driver_sql(kill)
                    unit.case(cluster_id)

            with pytest.raises(StoreUnavailable):
                interrupted()
        assert desk.decide(cluster_id).cluster_id == cluster_id


@pytest.mark.integration
def test_a_process_frozen_within_a_transaction_holds_nobody_up(
    postgres_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("triage.store.database.IDLE_S", 1)
    with (
        closing(open_store(postgres_database)) as store,
        closing(Database(postgres_database)) as db,
    ):
        desk = Desk(store)

        def stand_still() -> None:
            with db.write() as connection:
                db.in_order(connection)
                desk.add(1)  # waits for the lock, and gets it when the server ends the transaction
                connection.execute(sa.select(1))

        with pytest.raises(StoreUnavailable, match="stood still for too long"):
            stand_still()
        assert len(store.candidates_after(STREAM, 0, 9)) == 1
