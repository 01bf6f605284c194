"""``kafka://HOST:PORT[,HOST:PORT...][?option=value&...]``: Apache Kafka 2.8 or newer.

Through kafka-python. The options are in ``_kafka_options.py``. The names of our own topics
(``triage.*``), groups, transactional ids and cursor topics begin with the option ``prefix``: access
rights can be given by prefix.

Back-pressure and retention are the broker's: ``publish`` never says SlowDown. Published once rests
on the cursor that is read back after any doubt, not on Kafka's transactions alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from streaming.errors import Stop
from streaming.records import OutRecord, Position, Record, TopicPartition
from streaming.topics import TopicFacts
from streaming.transports._kafka_consumer import GroupConsumer, Membership
from streaming.transports._kafka_options import KafkaOptions, parse
from streaming.transports._kafka_publisher import TransactionalPublisher
from streaming.transports._kafka_reader import KafkaReader
from streaming.transports._kafka_topics import KafkaTopics
from streaming.transports.base import OnAssigned, OnRevoked, Secret, no_secret

OURS = "triage."  # begins the names of topics and groups that are the product's own


class KafkaTransport:
    """A Kafka cluster; for one thread."""

    def __init__(self, options: KafkaOptions) -> None:
        self._options = options
        self._topics = KafkaTopics(options)
        self._reader = KafkaReader(options)

    def ensure_topic(self, topic: str, partitions: int) -> None:
        """See ``Transport``."""
        self._topics.ensure(self._name(topic), partitions)

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
    ) -> GroupConsumer:
        """See ``Transport``. Partitions are shared among the group's consumers."""
        self._topics.partitions(self._name(topic))
        membership = Membership(self._options, self._name(topic), self._name(group))
        return GroupConsumer(membership, on_assigned, on_revoked)

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
        return TransactionalPublisher(self._options, name, self._topics, self._named)

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


def open_url(url: str, now: Callable[[], float], secret: Secret = no_secret) -> KafkaTransport:
    """Open ``kafka://HOST:PORT[,HOST:PORT...][?option=value&...]``."""
    return KafkaTransport(parse(url, secret))
