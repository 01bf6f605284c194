"""A store of any earlier version, with rows in it, is brought to this one's schema and works."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from tests.support.cases import AT, STREAM, Desk
from tests.support.old_store import as_of
from triage.errors import SchemaUnknown
from triage.model import VerdictKind
from triage.queries import QueueFilter
from triage.store.base import Store
from triage.store.database import Database
from triage.store.migrate import SCRIPTS, migrate, revision_of
from triage.store.store import open_store

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
        queue = [row.cluster_id for row in store.queue(QueueFilter(), 0, 10).rows]
        members = store.members(decided, 0, 10)
        verdicts = [row.verdict_id for row in store.recent_verdicts(10)]
    as_of(revision, now, empty_url)

    with closing(open_store(empty_url)) as store:
        assert [row.cluster_id for row in store.queue(QueueFilter(), 0, 10).rows] == queue
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
