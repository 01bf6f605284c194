"""Small cases for tests of the store and of what stands on it."""

from __future__ import annotations

import math
import struct
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from triage.commands import RecordVerdict, ReportTruth, RetractTruth, UndoVerdict
from triage.findings import Finding, Message
from triage.handlers import Triage
from triage.model import Actor, Candidate, Counters, Reason, VerdictKind
from triage.policy import Policy
from triage.queries import QueueRow, VerdictRow
from triage.store.base import GROUPER_LEASE, RELAY_LEASE, ClusterUpdate, PartitionCommit, Store
from triage.truth import TruthOutcome, TruthReport

SPACE = uuid.UUID("6d7b2f7e-3f6c-4a05-8f37-6f2f5a5e7a01")
STREAM = "payments"
AT = 1_790_000_000.0
ANNA = Actor("anna", "analyst")
BEN = Actor("ben", "analyst")
LEAD = Actor("lea", "lead")
VIEWER = Actor("vic", "viewer")
BANK = Actor("bank", "service")


def identity(*parts: object) -> str:
    return str(uuid.uuid5(SPACE, repr(parts)))


def a_reason(feature: str = "amount", contribution: float = 1.0, **rest: Any) -> Reason:
    given = {"label": feature, "value": 412.0, "text": "412 €", "usual": "20–55 €", **rest}
    return Reason(feature=feature, contribution=contribution, **given)


def a_candidate(number: int, **rest: Any) -> Candidate:
    """Return candidate ``number``; anything about it can be given."""
    stream = rest.pop("stream", STREAM)
    partition = rest.pop("partition", 0)
    margin = rest.pop("margin", 0.1 * (number % 7))
    given: dict[str, Any] = {
        "candidate_id": identity(stream, partition, number),
        "config_version": "v1",
        "features_version": "f1",
        "detector": "Isolation forest",
        "offset": number,
        "event_id": f"e{number}",
        "event_time": AT - 1000 + number,
        "entity": "c1",
        "entities": {"customer": "c1", "terminal": "881"},
        "score": margin + 2.5,
        "posterior": 1 / (1 + math.exp(-margin)),
        "threshold": -1.0,
        "model_version": 0,
        "vector": struct.pack("<2f", number, margin),
        "reasons": (a_reason("amount", 1.0), a_reason("hour", -0.2)),
        "method": "TreeSHAP",
        "context": ({"time": AT - 5000, "fields": {"customer": "c1", "amount": 30.0}},),
        "record": {"customer": "c1", "terminal": "881", "amount": 412.0},
        **rest,
    }
    return Candidate(stream=stream, partition=partition, margin=margin, **given)


def to_message(finding: Finding) -> Message:
    """Encode a finding so that tests can read it."""
    value = f"{finding.finding_id} {finding.revision} {finding.kind} {len(finding.read)}"
    return Message("verified", finding.finding_id.encode(), value.encode(), (("kind", b"f"),))


class Desk:
    """A store with what is around it in production: a worker, a grouper, a relay, analysts."""

    def __init__(self, store: Store, stream: str = STREAM, partitions: int = 1) -> None:
        self.store = store
        self.stream = stream
        self.triage = Triage(store, to_message)
        self.epochs = {
            partition: store.own(stream, partition, "topic-1", "v1").epoch
            for partition in range(partitions)
        }
        lease = store.acquire_lease(f"{GROUPER_LEASE}{stream}", "grouper-1", AT, 1e9)
        relay = store.acquire_lease(RELAY_LEASE, "relay-1", AT, 1e9)
        assert lease is not None
        assert relay is not None
        self.lease, self.relay = lease, relay
        self.offsets = dict.fromkeys(self.epochs, 0)
        self.learned = 0
        self.made = 0
        self.keys = 0

    def policy(self, **given: Any) -> None:
        self.store.register_config(self.stream, "v1", "text", AT, "Payments", Policy(**given))

    def part(self, partition: int = 0, **given: Any) -> PartitionCommit:
        """Return a commit of nothing but what is given, at the positions of the last one."""
        label_position = given.pop("label_position", self.learned)
        self.learned = label_position
        return PartitionCommit(
            partition=partition,
            epoch=given.pop("epoch", self.epochs[partition]),
            config_version=given.pop("config_version", "v1"),
            next_offset=given.pop("next_offset", self.offsets[partition]),
            label_position=label_position,
            counters=given.pop("counters", Counters()),
            **given,
        )

    def commit(self, *parts: PartitionCommit, at: float = AT) -> None:
        self.store.commit(self.stream, parts, at)

    def add(self, count: int, partition: int = 0, **given: Any) -> list[Candidate]:
        """Commit so many new candidates."""
        numbers = range(self.made, self.made + count)
        self.made += count
        new = [
            a_candidate(number, stream=self.stream, partition=partition, **given)
            for number in numbers
        ]
        self.offsets[partition] = self.made
        self.commit(self.part(partition, candidates=new, counters=Counters(candidates=count)))
        return new

    def group(self, members: Sequence[Candidate], name: str = "k", **given: Any) -> str:
        """Put candidates into the cluster of that name; return its id."""
        cluster_id = identity("cluster", name)
        self._save(self.update(cluster_id, members, name, **given))
        return cluster_id

    def group_each(self, members: Sequence[Candidate], name: str) -> None:
        """Put each candidate into a cluster of its own, all in one transaction."""
        self._save(
            *(
                self.update(identity("cluster", f"{name} {number}"), [member], f"{name} {number}")
                for number, member in enumerate(members)
            )
        )

    def _save(self, *updates: ClusterUpdate) -> None:
        up_to = max(self.store.grouped_up_to(self.stream), self.made)
        self.store.save_groups(self.stream, updates, up_to, self.lease, AT)

    def update(
        self, cluster_id: str, members: Sequence[Candidate], name: str = "k", **given: Any
    ) -> ClusterUpdate:
        """Return what the grouper says of a cluster with new members."""
        return ClusterUpdate(
            cluster_id=cluster_id,
            stream=self.stream,
            detector="Isolation forest",
            key=given.pop("key", name),
            title=given.pop("title", f"{len(members)} payments, terminal 881"),
            subtitle=given.pop("subtitle", "customer c1"),
            members=[member.candidate_id for member in members],
            **given,
        )

    def cluster(self, count: int = 3, name: str = "k", **given: Any) -> str:
        """Make a cluster of new candidates; return its id."""
        return self.group(self.add(count, **given), name)

    def row(self, cluster_id: str) -> QueueRow:
        detail = self.store.cluster(cluster_id, 1)
        assert detail is not None
        return detail.row

    def members(self, cluster_id: str) -> dict[str, str]:
        """Return the state of each member."""
        return {
            member.candidate.candidate_id: str(member.state)
            for member in self.store.members(cluster_id, 0, 10_000)
        }

    def first(self, cluster_id: str, count: int = 1) -> tuple[str, ...]:
        """Return the cluster's strongest members."""
        members = self.store.members(cluster_id, 0, count)
        return tuple(member.candidate.candidate_id for member in members)

    def command(
        self, cluster_id: str, kind: VerdictKind = VerdictKind.REAL, **given: Any
    ) -> RecordVerdict:
        """Return the command to decide a cluster after reading all its members."""
        self.keys += 1
        expected = kind is VerdictKind.EXPECTED
        filled: dict[str, Any] = {
            "revision": self.row(cluster_id).revision,
            "read": self.first(cluster_id, 1_000),
            "idempotency_key": f"{self.stream}-{self.keys}",
            "reason": "because",
            "scope": "this customer" if expected else "",
            "expires_at": AT + 1e6 if expected else None,
            **given,
        }
        return RecordVerdict(cluster_id=cluster_id, kind=kind, **filled)

    def decide(
        self,
        cluster_id: str,
        kind: VerdictKind = VerdictKind.REAL,
        actor: Actor = ANNA,
        at: float = AT,
        **given: Any,
    ) -> VerdictRow:
        return self.triage.handle(self.command(cluster_id, kind, **given), actor, at)

    def undo(self, verdict_id: str, actor: Actor = ANNA, at: float = AT) -> VerdictRow:
        self.keys += 1
        return self.triage.handle(
            UndoVerdict(verdict_id, f"{self.stream}-{self.keys}", "mistake"), actor, at
        )

    def tell(
        self, *reports: TruthReport, source: str = "chargebacks", at: float = AT
    ) -> TruthOutcome:
        return self.triage.tell(ReportTruth(self.stream, source, reports), BANK, at)

    def retract(self, *ids: str, source: str = "chargebacks", at: float = AT) -> TruthOutcome:
        return self.triage.tell(RetractTruth(self.stream, source, ids), BANK, at)

    def labels(self, position: int | None = None) -> Mapping[str, tuple[float, float]]:
        """Return (y, weight) by candidate of the labels in force, events of no candidate aside."""
        if position is None:
            position = self.store.label_position(self.stream)
        return {
            label.candidate_id: (label.y, label.weight)
            for label in self.store.labels_at(self.stream, position)
            if label.vector
        }

    def publish(self, at: float, topic: str = "verified") -> Sequence[bytes]:
        """Send what is due; return the values in order."""
        rows = self.store.number_outbox(topic, 100, self.relay, at)
        if rows:
            self.store.mark_published(topic, rows[-1].sequence or 0, self.relay, at)
        return [row.value for row in rows]
