"""A store of any earlier version, with rows in it, is brought to this one's schema and back."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from tests.support.cases import ANNA, AT, STREAM, Desk
from tests.support.old_store import as_of
from triage.commands import MergeClusters
from triage.errors import SchemaUnknown
from triage.model import VerdictKind
from triage.queries import QueueFilter
from triage.store import tables as t
from triage.store.base import Store
from triage.store.database import Database
from triage.store.migrate import SCRIPTS, downgrade, migrate, revision_of
from triage.store.store import open_store

pytestmark = pytest.mark.slow

REVISIONS = sorted(script.revision for script in ScriptDirectory(SCRIPTS).walk_revisions())


def lived_in(store: Store) -> tuple[str, str]:
    """Give the store a past; return an open and a decided cluster."""
    desk = Desk(store)
    desk.policy()
    waiting, decided = desk.cluster(3, "waiting"), desk.cluster(2, "decided")
    desk.decide(decided, VerdictKind.REAL)
    desk.decide(desk.cluster(2, "spurious"), VerdictKind.SPURIOUS)
    desk.publish(AT + 99)
    return waiting, decided


@pytest.mark.parametrize("revision", REVISIONS)
def test_an_older_store_is_brought_up_and_works(
    revision: str, empty_url: str, tmp_path: Path
) -> None:
    now = f"sqlite:///{tmp_path / 'now.db'}"
    with closing(open_store(now)) as store:
        waiting, decided = lived_in(store)
        queue = [(row.cluster_id, row.weakest) for row in store.queue(QueueFilter(), 0, 10).rows]
        members = store.members(decided, 0, 10)
        verdicts = [row.verdict_id for row in store.recent_verdicts(10)]
    as_of(revision, now, empty_url)

    with closing(open_store(empty_url)) as store:
        rows = store.queue(QueueFilter(), 0, 10).rows
        assert [(row.cluster_id, row.weakest) for row in rows] == queue
        assert [m.candidate.candidate_id for m in store.members(decided, 0, 10)] == [
            m.candidate.candidate_id for m in members
        ]
        assert [row.verdict_id for row in store.recent_verdicts(10)] == verdicts
        (status,) = store.status(AT).streams
        assert (status.stream, status.partitions) == (STREAM, 1)
        assert store.numbered_up_to("verified") == 1
        desk = Desk(store)  # takes partition and leases over, and goes on
        desk.made = desk.offsets[0] = 100
        desk.keys = 100
        desk.decide(waiting, VerdictKind.REAL)
        desk.cluster(2, "new")
        assert len(desk.publish(AT + 99)) == 1


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_a_program_does_not_touch_an_older_store_unless_told(revision: str, empty_url: str) -> None:
    migrate(empty_url, revision)
    with pytest.raises(SchemaUnknown, match=rf"schema {revision}, this program needs .*migration"):
        open_store(empty_url, migrate=False)
    with closing(Database(empty_url)) as database, database.read() as connection:
        assert revision_of(connection) == revision


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_a_store_goes_back_to_any_earlier_schema_and_up_again(
    revision: str, empty_url: str, tmp_path: Path
) -> None:
    with closing(open_store(empty_url)) as store:
        waiting, decided = lived_in(store)
        queue = [row.cluster_id for row in store.queue(QueueFilter(), 0, 10).rows]
        verdicts = [row.verdict_id for row in store.recent_verdicts(10)]
        labels = Desk(store).labels()
    told = downgrade(empty_url, revision, keep=False)
    with closing(Database(empty_url)) as database, database.read() as connection:
        assert revision_of(connection) == REVISIONS[-1]
    assert downgrade(empty_url, revision, keep=True) == told
    fresh = f"sqlite:///{tmp_path / 'fresh.db'}"
    migrate(fresh, revision)
    assert shape(empty_url) == shape(fresh)

    with closing(open_store(empty_url)) as store:
        assert [row.cluster_id for row in store.queue(QueueFilter(), 0, 10).rows] == queue
        assert [row.verdict_id for row in store.recent_verdicts(10)] == verdicts
        desk = Desk(store)
        assert desk.labels() == labels
        desk.made = desk.offsets[0] = 100
        desk.keys = 100
        desk.decide(waiting, VerdictKind.REAL)
        assert store.cluster(decided, 1) is not None
        assert len(desk.publish(AT + 99)) == 1


def shape(url: str) -> dict[str, tuple[set[str], set[str]]]:
    """Return each table's columns and indexes."""
    with closing(Database(url)) as database, database.read() as connection:
        found = sa.inspect(connection)
        return {
            table: (
                {column["name"] for column in found.get_columns(table)},
                {
                    str(index["name"])
                    for index in found.get_indexes(table)
                    if not index["unique"]  # PostgreSQL counts those of unique constraints, too
                },
            )
            for table in found.get_table_names()
        }


def test_what_newer_versions_said_is_told_in_older_words(empty_url: str) -> None:
    with closing(open_store(empty_url)) as store:
        desk = Desk(store)
        desk.policy()
        small, large, kept_out = (desk.cluster(2, name) for name in ("small", "large", "kept"))
        rows = desk.row(small), desk.row(large)
        merge = MergeClusters(small, rows[0].revision, large, rows[1].revision, "merge")
        desk.triage.regroup(merge, ANNA, AT)
        desk.decide(kept_out, VerdictKind.EXPECTED, expires_at=AT + 1e6)
        like = desk.cluster(1, "like")
    assert statuses(empty_url)[like] == "suppressed"
    downgrade(empty_url, REVISIONS[0], keep=True)
    told = statuses(empty_url)
    assert (told[small], told[large], told[like]) == ("decided", "open", "open")
    assert set(told.values()) <= {"open", "second_opinion", "decided"}


def statuses(url: str) -> dict[str, str]:
    c = t.clusters.c
    with closing(Database(url)) as database, database.read() as connection:
        return {row[0]: row[1] for row in connection.execute(sa.select(c.cluster_id, c.status))}


@pytest.mark.parametrize("wanted", [REVISIONS[-1], "9999", "", "base", "-1"])
def test_only_earlier_schemas_can_be_gone_back_to(wanted: str, empty_url: str) -> None:
    migrate(empty_url)
    with pytest.raises(SchemaUnknown, match=r"choose one of 0001 to "):
        downgrade(empty_url, wanted, keep=True)
