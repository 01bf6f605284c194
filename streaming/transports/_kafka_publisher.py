"""Writing to Kafka: records and cursor in one transaction."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError

from streaming.errors import Stop, StreamingError
from streaming.records import OutRecord, Position, TopicPartition
from streaming.transports._kafka_client import connect
from streaming.transports._kafka_errors import explain
from streaming.transports._kafka_options import KafkaOptions
from streaming.transports._kafka_reader import KafkaReader
from streaming.transports._kafka_topics import KafkaTopics

TRANSACTION_MS = 15_000  # the transaction of a killed process holds readers up for so long
PATIENCE_S = 30.0  # kafka-python waits for a commit without limit
MAX_RECORD_BYTES = 1_000_000  # a broker's default limit is 1 MiB, with headers
RECENT = 20  # offsets of the cursor's topic that are looked at first

CURSOR_CONFIGS = {
    "cleanup.policy": "compact",
    "segment.bytes": str(1 << 20),
    "min.cleanable.dirty.ratio": "0.1",
}

PRODUCER_SETTINGS: Mapping[str, Any] = {
    "linger_ms": 5,
    "batch_size": 128 << 10,
    "max_request_size": 2 << 20,
    "max_block_ms": int(PATIENCE_S * 1000),
    "request_timeout_ms": 10_000,
    "delivery_timeout_ms": 20_000,
    "transaction_timeout_ms": TRANSACTION_MS,
    "allow_auto_create_topics": False,
    "metrics_enabled": False,
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
        name: str,
        topics: KafkaTopics,
        named: Callable[[OutRecord], OutRecord] = lambda record: record,
    ) -> None:
        self._name = name
        self._topics = topics
        self._named = named
        self._partitions: dict[str, int] = {}
        self._cursor = TopicPartition(_cursor_topic(options.prefix, name), 0)
        self._failure: StreamingError | None = None  # then this object is of no more use
        topics.ensure(self._cursor.topic, 1, CURSOR_CONFIGS)
        self._producer = connect(
            KafkaProducer,
            options,
            transactional_id=f"{options.prefix}.{name}",
            compression_type=None if options.compression == "none" else options.compression,
            **PRODUCER_SETTINGS,
        )
        try:
            self._wait_for(self._producer.init_transactions)
            self._last = _read_cursor(options, self._cursor)
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
        named = [self._named(record) for record in records]
        for record in named:
            self._check(record)
        self._wait_for(lambda: self._transact(named, sequence))
        self._last = sequence

    def close(self) -> None:
        """See ``Publisher``."""
        timeout = PATIENCE_S if self._failure is None else 0
        try:
            self._producer.close(timeout=timeout)
        except KafkaError:  # records of a broken transaction are waiting to be sent
            self._producer._sender.force_close()
            self._producer._closed = True

    def _transact(self, records: Sequence[OutRecord], sequence: int) -> None:
        producer = self._producer
        producer.begin_transaction()
        sent = [
            producer.send(
                record.topic,
                key=record.key,
                value=record.value,
                headers=list(record.headers),
                partition=0
                if record.partition is None and record.key is None
                else record.partition,
                timestamp_ms=record.timestamp_ms,
            )
            for record in records
        ]
        cursor = json.dumps({"sequence": sequence}).encode()
        sent.append(producer.send(self._cursor.topic, key=b"cursor", value=cursor, partition=0))
        producer.flush(PATIENCE_S)
        for future in sent:
            future.get(0)
        producer.commit_transaction()

    def _wait_for(self, work: Callable[[], None]) -> None:
        """Do ``work`` on a thread that can be left behind; a failure makes us useless."""
        failures: list[Exception] = []

        def run() -> None:
            try:
                work()
            except (KafkaError, ValueError, AssertionError) as error:
                failures.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(PATIENCE_S)
        if thread.is_alive():
            failures.append(KafkaTimeoutError(f"no answer within {PATIENCE_S:.0f} s"))
        if failures:
            self._failure = explain(failures[0], f"publisher {self._name}")
            raise self._failure from failures[0]

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


def _read_cursor(options: KafkaOptions, cursor: TopicPartition) -> int:
    """Return the last committed cursor, 0 if there is none."""
    reader = KafkaReader(options)
    try:
        start, end = reader.start(cursor), reader.end(cursor)
        last = _last_cursor(reader, cursor, max(start, end - RECENT))
        return last or _last_cursor(reader, cursor, start)
    finally:
        reader.close()


def _last_cursor(reader: KafkaReader, cursor: TopicPartition, position: Position) -> int:
    last = 0
    while records := reader.read(cursor, position, 1_000):
        last = int(json.loads(records[-1].value)["sequence"])
        position = records[-1].offset + 1
    return last
