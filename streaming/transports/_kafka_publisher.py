"""Publishing to Kafka: records and cursor in one transaction, whichever library sends them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from streaming.errors import Stop, StreamingError
from streaming.records import OutRecord, Position, TopicPartition
from streaming.transports._kafka_library import Library, Reader, Topics, ensure
from streaming.transports._kafka_options import KafkaOptions

TRANSACTION_MS = 15_000  # the transaction of a killed process holds readers up for so long
MAX_RECORD_BYTES = 1_000_000  # a broker's default limit is 1 MiB, with headers
RECENT = 20  # offsets of the cursor's topic that are looked at first

CURSOR_CONFIGS = {
    "cleanup.policy": "compact",
    "segment.bytes": str(1 << 20),
    "min.cleanable.dirty.ratio": "0.1",
}


class TransactionalPublisher:
    """The publisher ``name``: a transactional id of its own, and a compacted topic for its cursor.

    A cursor topic of its own, since an open transaction of another publisher in a shared one would
    hide our newest cursor from us for a while. After any error whose outcome is not known this
    object refuses to go on: a new one fences it, ends its transaction and reads the cursor.
    ``named`` returns a record with its topic's name in the cluster.
    """

    def __init__(
        self,
        options: KafkaOptions,
        library: Library,
        name: str,
        topics: Topics,
        named: Callable[[OutRecord], OutRecord],
    ) -> None:
        self._name = name
        self._topics = topics
        self._named = named
        self._partitions: dict[str, int] = {}
        self._cursor = TopicPartition(_cursor_topic(options.prefix, name), 0)
        self._failure: StreamingError | None = None  # then this object is of no more use
        ensure(topics, self._cursor.topic, 1, CURSOR_CONFIGS)
        self._producer = library.producer(options, f"{options.prefix}.{name}")
        try:
            self._attempt(self._producer.start)
            self._last = _read_cursor(library.reader(options), self._cursor)
        except BaseException:
            self.close()
            raise

    def last_sequence(self) -> int:
        """See ``Publisher``."""
        return self._last

    def publish(self, records: Sequence[OutRecord], sequence: int) -> None:
        """See ``Publisher``. One transaction: the records and the cursor."""
        if self._failure is not None:
            raise self._failure
        if sequence <= self._last:
            raise Stop(f"publisher {self._name}: sequence {sequence} is not after {self._last}")
        sent = [self._placed(self._named(record)) for record in records]
        for record in sent:
            self._check(record)
        cursor = json.dumps({"sequence": sequence}).encode()
        sent.append(OutRecord(self._cursor.topic, b"cursor", cursor, partition=0))
        self._attempt(lambda: self._producer.transact(sent))
        self._last = sequence

    def close(self) -> None:
        """See ``Publisher``."""
        self._producer.close(patient=self._failure is None)

    def _attempt(self, work: Callable[[], None]) -> None:
        try:
            work()
        except StreamingError as error:
            self._failure = error
            raise

    def _placed(self, record: OutRecord) -> OutRecord:
        lost = record.partition is None and record.key is None
        return replace(record, partition=0) if lost else record

    def _check(self, record: OutRecord) -> None:
        """Refuse, before anything is sent, what the broker would refuse."""
        if record.topic not in self._partitions:
            self._partitions[record.topic] = self._topics.partitions(record.topic)
        count = self._partitions[record.topic]
        if record.partition is not None and not 0 <= record.partition < count:
            raise Stop(f"topic {record.topic}: has {count} partitions, no {record.partition}")
        size = len(record.value) + len(record.key or b"") + sum(len(v) for _, v in record.headers)
        if size > MAX_RECORD_BYTES:
            raise Stop(
                f"topic {record.topic}: a record of {size} bytes; Kafka takes {MAX_RECORD_BYTES}"
            )


def _cursor_topic(prefix: str, name: str) -> str:
    readable = re.sub(r"[^A-Za-z0-9._-]+", "-", name)[-100:]
    return f"{prefix}.cursor.{readable}.{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _read_cursor(reader: Reader, cursor: TopicPartition) -> int:
    """Return the last committed cursor, 0 if there is none; close the reader."""
    try:
        start, end = reader.start(cursor), reader.end(cursor)
        last = _last_cursor(reader, cursor, max(start, end - RECENT))
        return last or _last_cursor(reader, cursor, start)
    finally:
        reader.close()


def _last_cursor(reader: Reader, cursor: TopicPartition, position: Position) -> int:
    last = 0
    while records := reader.read(cursor, position, 1_000):
        last = int(json.loads(records[-1].value)["sequence"])
        position = records[-1].offset + 1
    return last
