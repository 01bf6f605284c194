"""What one machine runs, on the embedded log and SQLite, with a clock that tests move."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from streaming.config.model import StreamConfig
from streaming.config_book import ConfigBook
from streaming.grouper import Grouper
from streaming.past import Past
from streaming.records import OutRecord, TopicPartition
from streaming.replay import from_the_beginning
from streaming.rollouts import start_with
from streaming.transports.base import Transport
from streaming.transports.registry import open_transport
from streaming.worker import COMMIT_EVERY_S, Worker
from tests.support.stores import store_at
from tests.support.streams import small_config
from triage.commands import RecordVerdict, UndoVerdict
from triage.findings import Finding, Message
from triage.handlers import Triage
from triage.model import Actor, Candidate, VerdictKind
from triage.queries import QueueFilter
from triage.rollout import Request
from triage.store.base import Store

ANNA = Actor("anna", "analyst")


@dataclass
class House:
    """Everything that one machine runs, with a clock that tests move."""

    folder: Path
    config: StreamConfig = field(default_factory=small_config)
    now: float = 1_800_000_000.0

    def __post_init__(self) -> None:
        self.transport: Transport = open_transport(
            f"embedded:{self.folder / 'log.db'}", lambda: self.now
        )
        self.store: Store = store_at(self.folder / "triage.db")
        self.transport.ensure_topic("tests", 2)

    def send(self, values: Sequence[object]) -> None:
        publisher = self.transport.publisher("test")
        records = [
            OutRecord("tests", str(i % 7).encode(), json.dumps(value).encode())
            for i, value in enumerate(values)
        ]
        publisher.publish(records, publisher.last_sequence() + 1)
        publisher.close()

    def worker(self) -> Worker:
        start_with(self.store, self.config, Request("", "", self.now))
        return Worker(self.config, self.transport, self.store, lambda: self.now)

    def grouper(self) -> Grouper:
        return Grouper(self.config, self.store, "g", lambda: self.now)

    def run(self, worker: Worker, steps: int = 30) -> None:
        """Let the worker do what there is to do."""
        for _ in range(steps):
            self.now += COMMIT_EVERY_S
            worker.step()
            if worker.lag() == 0 and worker.settled():
                return
        raise AssertionError("the worker does not settle")

    def candidates(self) -> list[Candidate]:
        return [row.candidate for row in self.store.candidates_after("tests", 0, 100_000)]

    def decide(self, kind: VerdictKind = VerdictKind.SPURIOUS, rank: int = 0) -> str:
        row = self.store.queue(QueueFilter(), 0, 10).rows[rank]
        detail = self.store.cluster(row.cluster_id, 3)
        assert detail is not None
        read = tuple(member.candidate.candidate_id for member in detail.members)
        key = f"{row.cluster_id}/{row.revision}"
        command = RecordVerdict(row.cluster_id, kind, row.revision, read, key)
        verdict = Triage(self.store, plain_message).handle(command, ANNA, self.now)
        return verdict.verdict_id

    def undo(self, verdict_id: str) -> None:
        command = UndoVerdict(verdict_id, f"undo {verdict_id}")
        Triage(self.store, plain_message).handle(command, ANNA, self.now)


def plain_message(finding: Finding) -> Message:
    return Message("verified", finding.finding_id.encode(), b"{}")


def house_in(folder: Path) -> House:
    folder.mkdir()
    return House(folder)


def past(house: House, partition: int) -> Past:
    return Past(
        ConfigBook(house.store, "tests"),
        house.store,
        house.transport,
        "tests",
        TopicPartition("tests", partition),
        house.transport.topic_id("tests"),
    )


def replayed(house: House, partition: int) -> list[Candidate]:
    """Return what a pipeline finds that goes through the log by the journal, from the start."""
    outcomes = [outcome for _, outcome in from_the_beginning(past(house, partition), 1_000_000)]
    return [candidate for outcome in outcomes if outcome for candidate in outcome.candidates]


def twins(folder: Path) -> tuple[House, House]:
    """Return two houses whose topics are one topic, so that all ids are equal."""
    house_in(folder / "one").transport.close()
    shutil.copytree(folder / "one", folder / "two")
    return House(folder / "one"), House(folder / "two")


def state(house: House) -> list[str]:
    """Return a hash of each partition's newest state in force, whatever is tried beside it."""
    blobs = [house.store.snapshots("tests", number)[0].blob for number in (0, 1)]
    return [hashlib.sha256(blob).hexdigest() for blob in blobs]


def stored_and_replayed_agree(house: House) -> bool:
    stored = {c.candidate_id: c.margin for c in house.candidates()}
    again = {c.candidate_id: c.margin for p in (0, 1) for c in replayed(house, p)}
    return stored == again
