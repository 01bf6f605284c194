"""The transports under test, each with what a test needs beside the contract."""

from __future__ import annotations

import itertools
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from kafka import KafkaAdminClient
from kafka import TopicPartition as KafkaPartition

from streaming.errors import Fenced
from streaming.records import OutRecord, Position, Record, TopicPartition
from streaming.transports._kafka_library import Library
from streaming.transports._kafka_python.client import connect
from streaming.transports._kafka_python.reader import KafkaReader
from streaming.transports._kafka_transport import KafkaTransport
from streaming.transports._log_topics import Limits
from streaming.transports.base import Consumer, Transport
from streaming.transports.embedded import EmbeddedTransport
from tests.support.kafka_clients import options
from tests.support.kafka_clients import transport as transport_to

KEPT = 50  # records per partition that retention leaves
NOW = 1_700_000_000.0  # seconds since 1970: the clock of the log under test
POLLS = 40  # of half a second: joining a group of a real broker takes some


class Harness(Protocol):
    """A log under test."""

    def connect(self) -> Transport:
        """Return a connection; a new one where the log can be reached from outside."""

    def new_topic(self, partitions: int) -> str:
        """Make a topic that no other test knows."""

    def delete_topic(self, topic: str) -> None:
        """Delete a topic."""

    def run_retention(self, partition: TopicPartition) -> None:
        """Have all but about the newest ``KEPT`` records deleted; groups have committed them."""

    def close(self) -> None:
        """Release everything."""


class EmbeddedHarness:
    """The embedded log, in memory or in a file."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._open: list[EmbeddedTransport] = []
        self._names = (f"topic-{number}" for number in itertools.count())

    def connect(self) -> EmbeddedTransport:
        if self._path is None and self._open:
            return self._open[0]  # a log in memory is the object itself
        limits = Limits(keep_records=KEPT)
        transport = EmbeddedTransport(str(self._path or ":memory:"), lambda: NOW, limits)
        self._open.append(transport)
        return transport

    def new_topic(self, partitions: int) -> str:
        topic = next(self._names)
        self.connect().ensure_topic(topic, partitions)
        return topic

    def delete_topic(self, topic: str) -> None:
        self.connect().delete_topic(topic)

    def run_retention(self, partition: TopicPartition) -> None:
        """The log deletes when it appends: nothing to do."""

    def close(self) -> None:
        for transport in self._open:
            transport.close()


class KafkaHarness:
    """A real broker; names of its own, so that tests don't meet each other."""

    def __init__(self, bootstrap: str, library: Library) -> None:
        self._library = library
        self._bootstrap = bootstrap
        self._prefix = f"test-{uuid.uuid4().hex[:8]}"
        self._open: list[KafkaTransport] = []
        self._names = (f"{self._prefix}-{number}" for number in itertools.count())

    def connect(self) -> KafkaTransport:
        transport = transport_to(self._bootstrap, self._prefix, self._library)
        self._open.append(transport)
        return transport

    def new_topic(self, partitions: int) -> str:
        topic = next(self._names)
        self.connect().ensure_topic(topic, partitions)
        return topic

    def delete_topic(self, topic: str) -> None:
        admin = connect(KafkaAdminClient, options(self._bootstrap))
        admin.delete_topics([topic])
        for _ in range(POLLS * 10):  # the broker takes its time
            (found,) = admin.describe_topics([topic])
            if found["error_code"]:
                break
            time.sleep(0.05)
        admin.close()

    def run_retention(self, partition: TopicPartition) -> None:
        admin = connect(KafkaAdminClient, options(self._bootstrap))
        place = KafkaPartition(*partition)
        reader = KafkaReader(options(self._bootstrap))
        admin.delete_records({place: reader.end(partition) - KEPT})
        reader.close()
        admin.close()

    def close(self) -> None:
        for transport in self._open:
            transport.close()


def from_start(transport: Transport) -> Callable[..., Mapping[TopicPartition, Position]]:
    """Return an ``on_assigned`` that starts at the oldest record."""

    def on_assigned(places: Iterable[TopicPartition]) -> Mapping[TopicPartition, Position]:
        return {place: transport.start_position(place) for place in places}

    return on_assigned


def ignore(places: Iterable[TopicPartition]) -> None:
    """An ``on_revoked`` that does nothing."""


def reader(transport: Transport, topic: str, group: str = "readers") -> Consumer:
    """Return a consumer that starts at the oldest record."""
    return transport.consumer(topic, group, from_start(transport), ignore)


def take(consumer: Consumer, count: int, max_records: int = 1_000) -> list[Record]:
    """Poll until ``count`` records have come, for a bounded time."""
    records: list[Record] = []
    for _ in range(POLLS):
        records += consumer.poll(0.5, max_records)
        if len(records) >= count:
            break
    return records


def until(condition: Callable[[], bool]) -> None:
    """Return when it holds; fail if it doesn't within a bounded time."""
    for _ in range(POLLS * 10):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it does not come to hold")


def poll_together(consumers: Sequence[Consumer], done: Callable[[], bool]) -> bool:
    """Poll each consumer on a thread of its own until ``done``, for a bounded time.

    In one thread, kafka-python's joins that end between two polls are thrown away, and the members
    chase each other. A consumer that is fenced stops polling.
    """
    stop = threading.Event()

    def poll(consumer: Consumer) -> None:
        while not stop.is_set():
            try:
                consumer.poll(0.1, 10)
            except Fenced:
                return

    threads = [threading.Thread(target=poll, args=(consumer,)) for consumer in consumers]
    for thread in threads:
        thread.start()
    for _ in range(POLLS * 50):
        if done():
            break
        time.sleep(0.02)
    stop.set()
    for thread in threads:
        thread.join()
    return done()


def write(
    transport: Transport, topic: str, values: Sequence[str], key: bytes | None = b"k"
) -> None:
    """Publish values under one key by a publisher of the topic's own."""
    publisher = transport.publisher(f"writer-of-{topic}")
    records = [OutRecord(topic, key, value.encode()) for value in values]
    publisher.publish(records, publisher.last_sequence() + 1)
    publisher.close()


def everything(transport: Transport, topic: str) -> list[str]:
    """Return all values of a topic, partition by partition."""
    values: list[str] = []
    for number in range(transport.partitions(topic)):
        place = TopicPartition(topic, number)
        position = transport.start_position(place)
        while records := transport.read(place, position, 100):
            values += [record.value.decode() for record in records]
            position = records[-1].offset + 1
    return values
