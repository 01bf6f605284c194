"""Topics of a Kafka cluster, whichever library speaks to it.

The names of our own topics (``triage.*``), groups, transactional ids and cursor topics begin with
the option ``prefix``: access rights can be given by prefix.

Back-pressure and retention are the broker's: ``publish`` never says SlowDown. Published once rests
on the cursor that is read back after any doubt, not on Kafka's transactions alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from streaming.errors import Stop
from streaming.records import OutRecord, Position, Record, TopicPartition
from streaming.topics import TopicFacts
from streaming.transports._kafka_library import Library, Membership, ensure
from streaming.transports._kafka_options import KafkaOptions
from streaming.transports._kafka_publisher import TransactionalPublisher
from streaming.transports.base import Consumer, OnAssigned, OnRevoked

OURS = "triage."  # begins the names of topics and groups that are the product's own


class KafkaTransport:
    """A Kafka cluster; for one thread."""

    def __init__(self, options: KafkaOptions, library: Library) -> None:
        self._options = options
        self._library = library
        self._topics = library.topics(options)
        self._reader = library.reader(options)

    def ensure_topic(self, topic: str, partitions: int) -> None:
        """See ``Transport``."""
        ensure(self._topics, self._name(topic), partitions)

    def partitions(self, topic: str) -> int:
        """See ``Transport``."""
        return self._topics.partitions(self._name(topic))

    def topic_id(self, topic: str) -> str:
        """See ``Transport``."""
        return self._topics.topic_id(self._name(topic))

    def create(
        self, topic: str, partitions: int, replication: int | None, configs: Mapping[str, str]
    ) -> None:
        """Make a topic with these settings unless it is there."""
        self._topics.create(self._name(topic), partitions, replication, configs)

    def facts(self, topic: str) -> TopicFacts:
        """Return how a topic is. Raises UnknownTopic if there is none."""
        return self._topics.facts(self._name(topic))

    def consumer(
        self, topic: str, group: str, on_assigned: OnAssigned, on_revoked: OnRevoked
    ) -> Consumer:
        """See ``Transport``. Partitions are shared among the group's consumers."""
        self._topics.partitions(self._name(topic))
        membership = Membership(self._options, self._name(topic), self._name(group))
        return self._library.consumer(membership, on_assigned, on_revoked)

    def read(
        self, partition: TopicPartition, position: Position, max_records: int
    ) -> Sequence[Record]:
        """See ``Transport``."""
        return self._reader.read(self._checked(partition), position, max_records)

    def start_position(self, partition: TopicPartition) -> Position:
        """See ``Transport``."""
        return self._reader.start(self._checked(partition))

    def end_position(self, partition: TopicPartition) -> Position:
        """See ``Transport``."""
        return self._reader.end(self._checked(partition))

    def position_at(self, partition: TopicPartition, timestamp_ms: int) -> Position:
        """See ``Transport``."""
        return self._reader.first_at(self._checked(partition), timestamp_ms)

    def publisher(self, name: str) -> TransactionalPublisher:
        """See ``Transport``."""
        return TransactionalPublisher(self._options, self._library, name, self._topics, self._named)

    def close(self) -> None:
        """See ``Transport``."""
        self._reader.close()
        self._topics.close()

    def _name(self, ours: str) -> str:
        """Return what the cluster calls a topic or group."""
        if not ours.startswith(OURS):
            return ours
        return f"{self._options.prefix}.{ours.removeprefix(OURS)}"

    def _named(self, record: OutRecord) -> OutRecord:
        topic = self._name(record.topic)
        return record if topic == record.topic else replace(record, topic=topic)

    def _checked(self, partition: TopicPartition) -> TopicPartition:
        place = TopicPartition(self._name(partition.topic), partition.partition)
        count = self._topics.partitions(place.topic)
        if not 0 <= place.partition < count:
            raise Stop(f"topic {place.topic}: has {count} partitions, no {place.partition}")
        return place
