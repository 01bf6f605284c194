"""After a restore from an older backup: what the topics hold and the store does not know.

A broker's topics can't be put back to the moment of a backup. Findings that went out since are in
the verified topic; under their numbers the relay would send others. It stops instead, and this here
brings the store up to the topics: a finding that still waits in the outbox is taken for sent, one
that was decided after the backup stays in the topic or is retracted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from streaming.records import Record, TopicPartition
from streaming.transports.base import Transport
from streaming.verified import SEQUENCE_HEADER, retraction_of
from streaming.verified import TOPIC as VERIFIED
from triage.findings import FindingKind, Message
from triage.reconcile import SentFinding
from triage.store.base import RelayStore
from triage.store.base_reconcile import ReconcileStore

READ = 500
REASON = "the record of this verdict was lost with the database; what it is about is decided anew"


class Older(RelayStore, ReconcileStore, Protocol):
    """The part of the store that is needed here."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """What the topics hold beyond the store.

    Attributes:
        last: topic -> its last number, where the store has given out fewer.
        sent: findings with larger numbers than the store has given, in their order.
        unknown: those of them that the store would not send.
    """

    last: Mapping[str, int]
    sent: Sequence[SentFinding]
    unknown: Sequence[SentFinding]


def ahead(store: Older, transport: Transport) -> Ahead:
    """Compare store and topics. Fences a relay that is at work: stop it first."""
    last: dict[str, int] = {}
    sent: list[SentFinding] = []
    for topic in sorted({VERIFIED, *store.outlets()}):
        publisher = transport.publisher(topic)
        number, known = publisher.last_sequence(), store.numbered_up_to(topic)
        publisher.close()
        if number > known:
            last[topic] = number
            if topic == VERIFIED:
                sent = _findings(transport, known)
    return Ahead(last, sent, store.unknown(sent))


def retractions(unknown: Sequence[SentFinding], by: str, at: float) -> list[tuple[str, Message]]:
    """Return (verdict id, message) of a retraction for each unknown finding that stands."""
    newest = {each.finding_id: each for each in unknown}
    return [
        (each.verdict_id, retraction_of(each.value, by, at, REASON))
        for each in newest.values()
        if each.kind is not FindingKind.RETRACTED
    ]


def _findings(transport: Transport, after: int) -> list[SentFinding]:
    """Return what the verified topic holds with a larger number, as far as it is kept."""
    place = TopicPartition(VERIFIED, 0)
    position = transport.start_position(place)
    found: list[SentFinding] = []
    while records := transport.read(place, position, READ):
        found += [each for each in map(_finding, records) if each.sequence > after]
        position = records[-1].offset + 1
    return found


def _finding(record: Record) -> SentFinding:
    told = json.loads(record.value)
    triage = told["triage"]
    return SentFinding(
        topic=VERIFIED,
        sequence=int(dict(record.headers)[SEQUENCE_HEADER]),
        finding_id=triage["finding_id"],
        revision=triage["revision"],
        kind=FindingKind(triage["kind"]),
        verdict_id=triage["decision"]["verdict_id"],
        title=told["finding_info"]["title"],
        by=triage["revised"]["by"],
        key=record.key,
        value=record.value,
        headers=tuple(header for header in record.headers if header[0] != SEQUENCE_HEADER),
    )
