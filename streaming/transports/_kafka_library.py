"""What a library that speaks Kafka's protocol does for the transport; there are two."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from streaming.errors import Stop, UnknownTopic
from streaming.records import OutRecord, Position, Record, TopicPartition
from streaming.topics import TopicFacts
from streaming.transports._kafka_options import KafkaOptions
from streaming.transports.base import Consumer, OnAssigned, OnRevoked

PATIENCE_S = 30.0  # for what has no limit of its own


@dataclass(frozen=True, slots=True)
class Membership:
    """Where a consumer joins; with the option ``member`` it keeps its partitions on a restart."""

    options: KafkaOptions
    topic: str
    group: str

    @property
    def instance(self) -> str | None:
        """The member's own name, which the group knows it by after a restart."""
        return f"{self.group}.{self.options.member}" if self.options.member else None


class Topics(Protocol):
    """The cluster's topics; connects when first asked for something."""

    def create(
        self, topic: str, partitions: int, replication: int | None, configs: Mapping[str, str]
    ) -> None:
        """Make the topic unless it is there; ``replication`` None: the broker's default."""

    def partitions(self, topic: str) -> int:
        """Return how many partitions the topic has. Raises UnknownTopic if there is none."""

    def topic_id(self, topic: str) -> str:
        """Return the cluster's own id of the topic, as a UUID is written: the same everywhere."""

    def facts(self, topic: str) -> TopicFacts:
        """Return how the topic is. Raises UnknownTopic if there is none."""

    def close(self) -> None:
        """Release the connection."""


class Reader(Protocol):
    """Reads committed records from any position."""

    def start(self, place: TopicPartition) -> Position:
        """Return the oldest position."""

    def end(self, place: TopicPartition) -> Position:
        """Return the position after the last committed record."""

    def first_at(self, place: TopicPartition, timestamp_ms: int) -> Position:
        """Return the first position whose record is of that time or later, the end if none is."""

    def read(self, place: TopicPartition, position: Position, limit: int) -> Sequence[Record]:
        """Return what is there now from ``position`` on; see ``Transport.read``."""

    def close(self) -> None:
        """Release the connection."""


class Producer(Protocol):
    """Sends transactions under a transactional id; a newer one of the same id fences it.

    After any error it is of no more use.
    """

    def start(self) -> None:
        """Fence older ones, and end the transaction that they left open."""

    def transact(self, records: Sequence[OutRecord]) -> None:
        """Write all records, or nothing that a reader of committed records sees.

        They name their partition or have a key, of which Kafka's own hash chooses it.
        """

    def close(self, patient: bool) -> None:
        """Release the connection; never raises. ``patient``: nothing has failed."""


@dataclass(frozen=True, slots=True)
class Library:
    """The clients of one library.

    Attributes:
        topics: makes what knows the cluster's topics.
        reader: makes a reader without a group.
        producer: makes a producer under a transactional id.
        consumer: joins a group.
    """

    topics: Callable[[KafkaOptions], Topics]
    reader: Callable[[KafkaOptions], Reader]
    producer: Callable[[KafkaOptions, str], Producer]
    consumer: Callable[[Membership, OnAssigned, OnRevoked], Consumer]


def ensure(
    topics: Topics, topic: str, partitions: int, configs: Mapping[str, str] | None = None
) -> None:
    """Make the topic if it is absent. Raises Stop if it has another number of partitions."""
    if partitions < 1:
        raise Stop(f"topic {topic}: needs at least 1 partition, not {partitions}")
    try:
        existing = topics.partitions(topic)  # who may not create topics may look
    except UnknownTopic:
        topics.create(topic, partitions, None, configs or {})
        existing = topics.partitions(topic)
    if existing != partitions:
        raise Stop(
            f"topic {topic}: exists with {existing} partitions, not {partitions}; keys"
            f" would move: keep {existing}, or use a new topic name"
        )
