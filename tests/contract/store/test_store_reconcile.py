"""A store from an older backup, beside a verified topic that went on without it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from streaming.errors import Stop
from streaming.reconcile import Ahead, ahead, retractions
from streaming.records import Record, TopicPartition
from streaming.relay import LOOK_S, Relay
from streaming.transports.base import Transport
from streaming.transports.embedded import EmbeddedTransport
from streaming.verified import TOPIC, message_of
from tests.support.cases import AT, LEAD, Desk
from triage.commands import RecordVerdict, UndoVerdict
from triage.handlers import Triage
from triage.model import VerdictKind
from triage.store import tables as t
from triage.store.backup import StoreCopy, restore
from triage.store.base import RELAY_LEASE, Store
from triage.store.database import Database
from triage.store.store import open_store

pytestmark = pytest.mark.slow

LATER = AT + 1_000


class Office:
    """A store, analysts and a relay."""

    def __init__(self, store: Store, log: Transport) -> None:
        self.store, self.log = store, log
        self.triage = Triage(store, message_of)

    def decide(self, cluster_id: str) -> str:
        row = self.store.cluster(cluster_id, 9)
        assert row is not None
        read = tuple(member.candidate.candidate_id for member in row.members)
        command = RecordVerdict(
            cluster_id, VerdictKind.REAL, row.row.revision, read, f"key of {cluster_id}"
        )
        return self.triage.handle(command, LEAD, AT).verdict_id

    def undo(self, verdict_id: str) -> None:
        self.triage.handle(UndoVerdict(verdict_id, f"undo {verdict_id}"), LEAD, LATER)

    def relay(self) -> None:
        """Publish all that is due. Raises Stop where the relay does."""
        now = LATER
        relay = Relay(self.store, self.log, "relay-1", lambda: now)
        for _ in range(50):
            now += LOOK_S
            relay.step()
            if not self.store.outbox_topics():
                return
        raise AssertionError("the relay does not come to an end")

    def reconcile(self, *, retract: bool) -> Ahead:
        found = ahead(self.store, self.log)
        epoch = self.store.acquire_lease(RELAY_LEASE, "relay-1", LATER, 1e9)
        assert epoch is not None
        back = retractions(found.unknown, "lea", LATER) if retract else []
        self.store.adopt(found.sent, found.last, back, LEAD, epoch, LATER)
        return found


@pytest.fixture
def log() -> Iterator[EmbeddedTransport]:
    with closing(EmbeddedTransport(":memory:", lambda: LATER)) as transport:
        yield transport


@pytest.fixture
def older(tmp_path: Path, empty_url: str, log: EmbeddedTransport) -> Iterator[Office]:
    """The office as it was when "before" was published and "waiting" was not.

    Since then "waiting" went out, "after" was decided and went out, "before" was taken back.
    """
    url = f"sqlite:///{tmp_path / 'lost.db'}"
    with closing(open_store(url)) as store:
        desk, office = Desk(store), Office(store, log)
        clusters = [desk.cluster(2, name) for name in ("before", "waiting", "after")]
        before = office.decide(clusters[0])
        office.relay()
        office.decide(clusters[1])
        with StoreCopy(url) as copy:
            copy.write(tmp_path / "copy.db")
        office.decide(clusters[2])
        office.relay()
        office.undo(before)
        office.relay()
    restore(tmp_path / "copy.db", empty_url)
    with closing(open_store(empty_url)) as store:
        yield Office(store, log)


def sent(log: Transport) -> list[Record]:
    return list(log.read(TopicPartition(TOPIC, 0), 0, 1_000))


def kinds(log: Transport) -> list[tuple[str, int, str]]:
    """Return (cluster's name, revision, kind) of each message, each once and numbered."""
    records = sent(log)
    ids = Counter(dict(record.headers)["ce_id"] for record in records)
    assert set(ids.values()) == {1}
    numbers = [int(dict(record.headers)["ce_sequence"]) for record in records]
    assert numbers == list(range(1, len(numbers) + 1))
    blocks = [json.loads(record.value)["triage"] for record in records]
    return [(block["cluster_id"], block["revision"], block["kind"]) for block in blocks]


def test_the_relay_halts_however_often_it_is_started(older: Office) -> None:
    before = len(sent(older.log))
    for _ in range(3):
        with pytest.raises(Stop, match=r"is 4, the store has numbered 1: .* `triage reconcile`"):
            older.relay()
    assert len(sent(older.log)) == before


def test_nothing_goes_out_twice(older: Office) -> None:
    found = older.reconcile(retract=False)
    assert [each.sequence for each in found.sent] == [2, 3, 4]
    assert [(each.sequence, each.kind) for each in found.unknown] == [
        (3, "verified"),
        (4, "retracted"),
    ]
    older.relay()
    assert len(kinds(older.log)) == 4
    again = ahead(older.store, older.log)
    assert (again.last, again.sent) == ({}, [])


def test_what_was_decided_after_the_backup_can_be_retracted(older: Office) -> None:
    older.reconcile(retract=True)
    older.relay()
    (_, _, after, taken_back, retraction) = kinds(older.log)
    assert after[1:] == (1, "verified")
    assert taken_back[1:] == (2, "retracted")
    assert retraction == (after[0], 2, "retracted")


@pytest.mark.parametrize("retract", [True, False])
def test_deciding_the_same_again_is_a_revision(older: Office, retract: bool) -> None:
    found = older.reconcile(retract=retract)
    older.relay()
    cluster_id = json.loads(found.unknown[0].value)["triage"]["cluster_id"]
    verdict_id = older.decide(cluster_id)  # with the key of the first time
    older.relay()
    number = 3 if retract else 2
    assert kinds(older.log)[-1] == (cluster_id, number, "revised")
    older.undo(verdict_id)
    older.relay()
    assert kinds(older.log)[-1] == (cluster_id, number + 1, "retracted")


def test_a_verdict_that_was_taken_back_after_the_backup_can_be_taken_back_again(
    older: Office,
) -> None:
    found = older.reconcile(retract=False)
    older.undo(found.unknown[1].verdict_id)
    older.relay()
    assert kinds(older.log)[-1][1:] == (3, "retracted")


def test_it_is_audited_and_leaves_verdicts_published(older: Office, empty_url: str) -> None:
    found = older.reconcile(retract=True)
    verdict = older.store.verdict(found.sent[0].verdict_id)
    assert verdict is not None
    assert verdict.state == "published"
    with closing(Database(empty_url)) as database, database.read() as connection:
        asked = sa.select(t.audit.c.actor, t.audit.c.after).where(t.audit.c.action == "reconcile")
        ((actor, after),) = connection.execute(asked).all()
    assert actor == LEAD.name
    told = json.loads(after)
    assert [len(told[name]) for name in ("known", "unknown", "retracted")] == [1, 2, 1]
