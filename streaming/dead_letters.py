"""Records that could not be used: kept as they were, with the reason; listed; sent again.

A dead letter lies in ``<topic>.dlq`` with the record's own key, bytes and headers. Of a value of
over 900,000 bytes only these are there, and a header ``triage.truncated-from`` says so. The reason
is in headers of its own, ``triage.dlq.*``: where the record came from and what was wrong with it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec

from streaming.decode import BadRecord
from streaming.errors import UnknownTopic
from streaming.records import TRUNCATED_FROM, Headers, OutRecord, Record, TopicPartition
from streaming.sources.base import MAX_ROW_BYTES
from streaming.transports.base import Publisher, Transport
from triage.store.base import NewDeadLetter

log = logging.getLogger(__name__)

SUFFIX = ".dlq"
PREFIX = "triage.dlq."
REPLAYED_FROM = "triage.replayed-from"
"""Header of a record that was sent again: ``topic/partition/offset`` of its dead letter."""

BATCH = 500


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter as it lies in its topic.

    Attributes:
        place, offset: where the letter itself is.
        topic, partition, source_offset: where the record was.
        code, field, message: what was wrong with it; see ``decode.BadRecord``.
        key, value, headers: the record, unchanged.
    """

    place: TopicPartition
    offset: int
    topic: str
    partition: int
    source_offset: int
    code: str
    field: str
    message: str
    config_version: str
    key: bytes | None
    value: bytes
    headers: Headers
    timestamp_ms: int


def dead_letter(bad: BadRecord, config_version: str) -> NewDeadLetter:
    """Return the outbox row for a record that could not be used."""
    record = _within_limits(bad.record)
    reason = {
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "code": bad.code,
        "field": bad.field,
        "message": bad.message,
        "config": config_version,
    }
    return NewDeadLetter(
        topic=record.topic + SUFFIX,
        key=record.key,
        value=record.value,
        headers=(
            *_own_headers(record.headers),
            *((PREFIX + name, text.encode()) for name, text in reason.items()),
        ),
    )


def _within_limits(record: Record) -> Record:
    """Return the record as it can be sent: compressed, a topic takes larger ones than we can."""
    if len(record.value) <= MAX_ROW_BYTES:
        return record
    had = ((TRUNCATED_FROM, str(len(record.value)).encode()),)
    return msgspec.structs.replace(
        record, value=record.value[:MAX_ROW_BYTES], headers=(*record.headers, *had)
    )


def parse(record: Record) -> DeadLetter:
    """Read a record of a dead-letter topic; what it doesn't tell is empty."""
    told = {
        name.removeprefix(PREFIX): value.decode(errors="replace")
        for name, value in record.headers
        if name.startswith(PREFIX)
    }
    return DeadLetter(
        place=TopicPartition(record.topic, record.partition),
        offset=record.offset,
        topic=told.get("topic") or record.topic.removesuffix(SUFFIX),
        partition=_number(told, "partition"),
        source_offset=_number(told, "offset"),
        code=told.get("code", ""),
        field=told.get("field", ""),
        message=told.get("message", ""),
        config_version=told.get("config", ""),
        key=record.key,
        value=record.value,
        headers=_own_headers(record.headers),
        timestamp_ms=record.timestamp_ms,
    )


def dead_letters(transport: Transport, topic: str) -> Iterator[DeadLetter]:
    """Yield the dead letters of ``topic`` that are there now, oldest first per partition."""
    for place in _places(transport, topic):
        position = transport.start_position(place)
        while records := transport.read(place, position, BATCH):
            yield from map(parse, records)
            position = records[-1].offset + 1


class Replay:
    """Sends the dead letters of ``topic`` to where they came from, each once.

    What was sent is remembered in the log, so a later ``Replay`` goes on with the letters that are
    new. A record that is bad again becomes a new dead letter. A letter of which only the beginning
    was kept is left out.
    """

    def __init__(self, transport: Transport, topic: str) -> None:
        self._transport = transport
        self._topic = topic
        self.skipped = 0
        """Letters left out since only their beginning was kept."""
        self._partitions = transport.partitions(topic)
        self._publishers: dict[TopicPartition, Publisher] = {
            place: transport.publisher(f"replay:{place.topic}:{place.partition}")
            for place in _places(transport, topic)
        }

    def step(self) -> int:
        """Send the next letters again; return how many, 0 when there are none left to send.

        Raises SlowDown or Retry as ``Publisher.publish`` does; after Retry make a new ``Replay``.
        """
        for place, publisher in self._publishers.items():
            position = max(publisher.last_sequence(), self._transport.start_position(place))
            while records := self._transport.read(place, position, BATCH):
                whole = [record for record in records if not _is_cut(record)]
                again = [self._again(parse(record)) for record in whole]
                position = records[-1].offset + 1
                publisher.publish(again, position)
                self._skip(len(records) - len(again))
                if again:
                    return len(again)
        return 0

    def _skip(self, letters: int) -> None:
        self.skipped += letters
        if letters:
            log.warning(
                "%d dead letters of %s are not sent again: only their beginning was kept, so send"
                " them from where they came from",
                letters,
                self._topic,
            )

    def _again(self, letter: DeadLetter) -> OutRecord:
        """Return the record as it was; it goes to the topic asked for, whatever a header says."""
        place = f"{letter.place.topic}/{letter.place.partition}/{letter.offset}"
        kept = tuple(header for header in letter.headers if header[0] != REPLAYED_FROM)
        headers = (*kept, (REPLAYED_FROM, place.encode()))
        partition = letter.partition if letter.partition < self._partitions else None
        return OutRecord(self._topic, letter.key, letter.value, headers, partition)

    def close(self) -> None:
        """Release the publishers."""
        for publisher in self._publishers.values():
            publisher.close()


def _places(transport: Transport, topic: str) -> list[TopicPartition]:
    """Return the partitions of the dead-letter topic, none if no letter was ever written."""
    name = topic + SUFFIX
    try:
        return [TopicPartition(name, number) for number in range(transport.partitions(name))]
    except UnknownTopic:
        return []


def _own_headers(headers: Headers) -> Headers:
    return tuple(header for header in headers if not header[0].startswith(PREFIX))


def _is_cut(record: Record) -> bool:
    return any(name == TRUNCATED_FROM for name, _ in record.headers)


def _number(told: Mapping[str, str], name: str) -> int:
    text = told.get(name, "")
    return int(text) if text.isdecimal() else 0
