"""Several writers at once, and processes that die in the middle."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial

import pytest
import sqlalchemy as sa

from tests.support.cases import ANNA, AT, BEN, STREAM, Desk, to_message
from triage.commands import UndoVerdict
from triage.errors import Conflict, Fenced
from triage.handlers import Triage
from triage.model import Actor, VerdictKind, VerdictState
from triage.queries import VerdictRow
from triage.store.base import RELAY_LEASE, Store
from triage.store.database import Database
from triage.store.store import open_store

pytestmark = pytest.mark.slow

ROUNDS = 12


@pytest.fixture
def second(url: str, store: Store) -> Iterator[Triage]:
    """Return the handlers of another process's store."""
    with closing(open_store(url)) as other:
        yield Triage(other, to_message)


def at_once(*calls: Callable[[], VerdictRow]) -> Sequence[VerdictRow | Conflict]:
    """Start the calls together; return each one's answer or conflict."""
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], VerdictRow]) -> VerdictRow | Conflict:
        gate.wait(timeout=30)
        try:
            return call()
        except Conflict as conflict:
            return conflict

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def audit_rows(url: str) -> int:
    with closing(Database(url)) as database, database.read() as connection:
        return connection.scalar(sa.text("SELECT count(*) FROM audit")) or 0


def test_of_two_opposite_verdicts_one_wins(desk: Desk, second: Triage, url: str) -> None:
    for number in range(ROUNDS):
        cluster_id = desk.cluster(2, f"c{number}")
        real = desk.command(cluster_id, VerdictKind.REAL)
        spurious = desk.command(cluster_id, VerdictKind.SPURIOUS)
        answers = at_once(
            partial(desk.triage.handle, real, ANNA, AT),
            partial(second.handle, spurious, BEN, AT),
        )
        (won,) = (answer for answer in answers if isinstance(answer, VerdictRow))
        (lost,) = (answer for answer in answers if isinstance(answer, Conflict))
        assert desk.row(cluster_id).verdict == won.kind
        assert lost.current == won.verdict_id
        assert f"{won.actor} decided {won.kind}" in str(lost)
    assert audit_rows(url) == ROUNDS
    assert desk.store.label_position(STREAM) == 2 * ROUNDS


def test_a_double_click_is_one_verdict(desk: Desk, second: Triage, url: str) -> None:
    for number in range(ROUNDS):
        command = desk.command(desk.cluster(1, f"c{number}"))
        first, again = at_once(
            partial(desk.triage.handle, command, ANNA, AT),
            partial(second.handle, command, ANNA, AT),
        )
        assert first == again
    assert audit_rows(url) == ROUNDS


def test_undo_and_numbering_at_once(desk: Desk, second: Triage) -> None:
    for number in range(ROUNDS):
        at = AT + 100 * number
        verdict = desk.decide(desk.cluster(1, f"c{number}"), at=at)
        undo = partial(
            second.handle, UndoVerdict(verdict.verdict_id, f"undo-{number}"), ANNA, at + 50
        )
        with ThreadPoolExecutor(2) as pool:
            relay = pool.submit(desk.publish, at + 50)
            undone = pool.submit(undo).result(timeout=30)
            sent = [*relay.result(timeout=30), *desk.publish(at + 50)]
        kinds = [value.split()[2] for value in sent]
        if undone.state is VerdictState.UNDONE:
            assert kinds == []
        else:
            assert kinds == [b"verified", b"retracted"]


def test_a_reader_of_changes_misses_nothing(desk: Desk, url: str) -> None:
    """Writers commit as they like; whoever asks "what came after n?" sees each change once."""
    writers, each = 3, 8
    clusters = [desk.cluster(1, f"c{number}") for number in range(writers * each)]
    commands = [desk.command(cluster_id) for cluster_id in clusters]
    start = desk.store.status(AT).position
    done = threading.Event()

    def write(number: int) -> None:
        with closing(open_store(url)) as mine:
            triage = Triage(mine, to_message)
            for command in commands[number * each : (number + 1) * each]:
                triage.handle(command, Actor(f"analyst-{number}", "analyst"), AT)

    def read() -> list[int]:
        seen: list[int] = []
        with closing(open_store(url)) as mine:
            while True:
                last_look = done.is_set()
                after = seen[-1] if seen else start
                seen.extend(change.change_id for change in mine.changes_after(after, 100))
                if last_look:
                    return seen

    with ThreadPoolExecutor(writers + 1) as pool:
        reading = pool.submit(read)
        try:
            list(pool.map(write, range(writers)))
        finally:
            done.set()
        seen = reading.result(timeout=60)
    assert seen == list(range(start + 1, start + 1 + writers * each))
    labels = desk.store.labels_at(STREAM, desk.store.label_position(STREAM))
    assert desk.store.label_position(STREAM) == len(labels) == writers * each


def test_workers_of_two_partitions_and_analysts_do_not_deadlock(store: Store, url: str) -> None:
    desk = Desk(store, partitions=2)
    members = [desk.add(3, partition=0), desk.add(3, partition=1)]
    shared = desk.group([*members[0], *members[1]], "shared")
    decided = [desk.cluster(1, f"c{number}") for number in range(10)]
    commands = [desk.command(cluster_id) for cluster_id in decided]

    def work(partition: int) -> None:
        with closing(open_store(url)) as mine:
            for step in range(10):
                posterior = (step + 1) / 20
                moved = {one.candidate_id: posterior for one in members[partition]}
                mine.commit(STREAM, [desk.part(partition, rescored=moved)], AT + step)

    def decide() -> None:
        for command in commands:
            desk.triage.handle(command, ANNA, AT)

    with ThreadPoolExecutor(3) as pool:
        for job in [pool.submit(work, 0), pool.submit(work, 1), pool.submit(decide)]:
            job.result(timeout=60)
    assert desk.row(shared).posterior == 0.5


CRASH = """
import os, sys
from tests.support.cases import ANNA, AT
from triage.commands import RecordVerdict
from triage.handlers import Triage
from triage.model import VerdictKind
from triage.store.store import open_store

url, cluster_id, read = sys.argv[1:]
store = open_store(url)
triage = Triage(store, lambda finding: os._exit(9))  # after labels and audit, before the outbox
triage.handle(
    RecordVerdict(cluster_id, VerdictKind.REAL, 1, (read,), "crash"), ANNA, AT
)
"""


def test_a_process_that_dies_half_way_leaves_nothing(desk: Desk, url: str) -> None:
    (member,) = desk.add(1)
    cluster_id = desk.group([member])
    before = desk.store.status(AT)
    died = subprocess.run(
        [sys.executable, "-c", CRASH, url, cluster_id, member.candidate_id],
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert died.returncode == 9, died.stderr
    assert desk.store.status(AT) == before
    assert desk.store.label_position(STREAM) == 0
    assert audit_rows(url) == 0
    assert desk.decide(cluster_id, idempotency_key="crash").kind is VerdictKind.REAL


def test_a_zombie_relay_is_fenced_between_two_steps(desk: Desk, url: str) -> None:
    desk.decide(desk.cluster(1))
    (row,) = desk.store.number_outbox("verified", 9, desk.relay, AT + 99)
    with closing(open_store(url)) as other:
        epoch = other.acquire_lease(RELAY_LEASE, "relay-2", AT + 2e9, 10)
        assert epoch is not None
        assert other.number_outbox("verified", 9, epoch, AT + 99) == [row]
        with pytest.raises(Fenced, match="stop"):
            desk.store.mark_published("verified", 1, desk.relay, AT + 99)
        other.mark_published("verified", 1, epoch, AT + 99)
