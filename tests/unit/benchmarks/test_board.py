"""The store that the board's benchmark makes in bulk is one that the product could have made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from benchmarks.board.filled import Size, fill
from benchmarks.board.limit import LEAST, rounds
from tests.support.seed import plain_message
from triage.commands import RecordVerdict
from triage.handlers import Triage
from triage.model import Actor, ClusterStatus, VerdictKind
from triage.queries import QueueFilter, QueueRow
from triage.store.base import Store
from triage.store.store import open_store

WANTED = Size(clusters=120, candidates=2_000)
ANNA = Actor("anna", "analyst")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('filled') / 'store.db'}"
    made = fill(url, WANTED)
    assert made.clusters >= WANTED.clusters
    assert made.candidates >= WANTED.candidates
    return url


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with closing(open_store(url)) as store:
        yield store


def copied(store: Store, status: ClusterStatus) -> QueueRow:
    """Return a cluster that is a copy: its id is longer than one that the product gives."""
    rows = store.queue(QueueFilter(status=status, order="largest"), 0, 2_000).rows
    return next(row for row in rows if len(row.cluster_id) > 36)


def test_it_has_the_tables_and_indexes_of_a_store_that_was_never_filled(
    url: str, tmp_path: Path
) -> None:
    bare = f"sqlite:///{tmp_path / 'bare.db'}"
    open_store(bare).close()
    master = sa.text("SELECT type, name, sql FROM sqlite_master ORDER BY type, name")
    filled_, bare_ = (sa.create_engine(each) for each in (url, bare))
    with filled_.connect() as one, bare_.connect() as other:
        assert [row[:2] for row in one.execute(master)] == [
            row[:2] for row in other.execute(master)
        ]
        assert not one.exec_driver_sql("PRAGMA foreign_key_check").all()


@pytest.mark.parametrize("status", [ClusterStatus.OPEN, ClusterStatus.DECIDED])
def test_a_copy_is_whole(store: Store, status: ClusterStatus) -> None:
    row = copied(store, status)
    detail = store.cluster(row.cluster_id, 500)
    assert detail is not None
    assert detail.members_total == row.size == len(detail.members)
    assert detail.reasons
    assert store.entity_events(row.cluster_id, 100)


def test_a_copy_can_be_decided(store: Store) -> None:
    row = copied(store, ClusterStatus.OPEN)
    members = store.members(row.cluster_id, 0, 3)
    read = tuple(member.candidate.candidate_id for member in members)
    command = RecordVerdict(row.cluster_id, VerdictKind.SPURIOUS, row.revision, read, "key")
    Triage(store, plain_message).handle(command, ANNA, t_now(store))
    decided = store.cluster(row.cluster_id, 1)
    assert decided is not None
    assert decided.row.status is ClusterStatus.DECIDED


def t_now(store: Store) -> float:
    """Return a time after all that is in the store."""
    newest = store.queue(QueueFilter(order="newest"), 0, 1).rows[0]
    return newest.created_at + 3600


def test_rounds_end_by_number_or_by_time() -> None:
    assert list(rounds(5, seconds=60)) == [0, 1, 2, 3, 4]
    assert len(list(rounds(1000, seconds=0))) == LEAST
