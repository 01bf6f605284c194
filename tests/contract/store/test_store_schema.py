"""Migrations: from nothing to the newest schema, together, and never backwards."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from tests.support.cases import AT, STREAM, Desk, a_candidate
from triage.errors import SchemaUnknown
from triage.model import VerdictKind
from triage.store import tables as t
from triage.store.codec import candidate_row
from triage.store.columns import MAX_NAME
from triage.store.database import Database
from triage.store.migrate import migrate
from triage.store.store import open_store
from triage.store.tables_access import SCHEMA

pytestmark = pytest.mark.slow


def execute(url: str, statement: str) -> None:
    with closing(Database(url)) as database, database.write() as connection:
        connection.exec_driver_sql(statement)


def test_the_migrations_make_the_tables_that_the_statements_use(empty_url: str) -> None:
    migrate(empty_url)
    with closing(Database(empty_url)) as database, database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SCHEMA) == []


def test_migrating_again_changes_nothing(empty_url: str) -> None:
    with closing(open_store(empty_url)) as store:
        cluster_id = Desk(store).cluster(1)
    migrate(empty_url)
    with closing(open_store(empty_url, migrate=False)) as store:
        assert store.cluster(cluster_id, 1) is not None


def test_processes_that_start_together_wait_for_each_other(empty_url: str) -> None:
    script = (
        "import sys; from triage.store.store import open_store;"
        f"store = open_store(sys.argv[1]); print(store.own({STREAM!r}, 0, 't', 'v').epoch)"
    )

    def start(_: int) -> str:
        done = subprocess.run(
            [sys.executable, "-c", script, empty_url],
            capture_output=True,
            check=False,
            text=True,
            timeout=120,
        )
        return done.stdout.strip() or done.stderr

    with ThreadPoolExecutor(3) as pool:
        epochs = sorted(pool.map(start, range(3)))
    assert epochs == ["1", "2", "3"]


def test_without_migrating_an_empty_database_is_refused(empty_url: str) -> None:
    with pytest.raises(SchemaUnknown, match="run the migration"):
        open_store(empty_url, migrate=False)


@pytest.mark.parametrize("also", [True, False])
def test_a_newer_schema_is_refused(url: str, also: bool) -> None:
    execute(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaUnknown, match=r"9999, newer than this program .*update"):
        open_store(url, migrate=also)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'nobody'",
        "DELETE FROM audit",
        "UPDATE labels SET y = 0",
        "DELETE FROM labels",
        "UPDATE outbox SET topic = 'other'",
        "DELETE FROM outbox",
    ],
)
def test_what_was_written_stays(url: str, desk: Desk, statement: str) -> None:
    desk.decide(desk.cluster(2), VerdictKind.REAL)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"):
        execute(url, statement)
    assert len(desk.labels()) == 2
    assert len(desk.publish(AT + 99)) == 1


@pytest.mark.integration
@pytest.mark.parametrize("table", t.APPEND_ONLY)
def test_it_can_not_be_truncated_either(postgres_database: str, table: str) -> None:
    migrate(postgres_database)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"):
        execute(postgres_database, f"TRUNCATE {table} CASCADE")


def test_event_ids_of_old_candidates_can_be_looked_up(empty_url: str) -> None:
    migrate(empty_url, "0001")
    old = sa.table(
        "candidates", *[sa.column(c.name, c.type) for c in t.candidates.c if c.name != "event_id"]
    )
    ids = [None, "e1", "x" * 300, "a\0b"]
    with closing(Database(empty_url)) as database, database.write() as connection:
        for seq, event_id in enumerate(ids):
            row = candidate_row(a_candidate(seq, event_id=event_id), seq)
            del row["event_id"]
            connection.execute(old.insert(), row)
    migrate(empty_url)
    with closing(Database(empty_url)) as database, database.read() as connection:
        c = t.candidates.c
        found = connection.scalars(sa.select(c.event_id).order_by(c.seq)).all()
    assert found[:2] == [None, "e1"]
    assert len(found[2]) == MAX_NAME
    assert found[3] == "a\ufffdb"
