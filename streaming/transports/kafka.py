"""``kafka://HOST:PORT[,HOST:PORT...]``: Apache Kafka 2.8 or newer through kafka-python.

``kafka://broker:9092?prefix=triage&member=worker-0``: ``prefix`` begins the names of transactional
ids and cursor topics (default ``triage``); ``member`` is this process's own name in its consumer
groups, so that after a restart it gets its partitions back without a rebalance.

Back-pressure and retention are the broker's: ``publish`` never says SlowDown. Published once rests
on the cursor that is read back after any doubt, not on Kafka's transactions alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import parse_qsl

from streaming.errors import Stop
from streaming.records import Position, Record, TopicPartition
from streaming.transports._kafka_consumer import GroupConsumer, Membership
from streaming.transports._kafka_publisher import TransactionalPublisher
from streaming.transports._kafka_reader import KafkaReader
from streaming.transports._kafka_topics import KafkaTopics
from streaming.transports.base import OnAssigned, OnRevoked


class KafkaTransport:
    """A Kafka cluster; for one thread."""

    def __init__(
        self, bootstrap: Sequence[str], prefix: str = "triage", member: str | None = None
    ) -> None:
        self._bootstrap = tuple(bootstrap)
        self._prefix = prefix
        self._member = member
        self._topics = KafkaTopics(bootstrap)
        self._reader = KafkaReader(bootstrap)

    def ensure_topic(self, topic: str, partitions: int) -> None:
        """See ``Transport``."""
        self._topics.ensure(topic, partitions)

    def partitions(self, topic: str) -> int:
        """See ``Transport``."""
        return self._topics.partitions(topic)

    def topic_id(self, topic: str) -> str:
        """See ``Transport``."""
        return self._topics.topic_id(topic)

    def consumer(
        self, topic: str, group: str, on_assigned: OnAssigned, on_revoked: OnRevoked
    ) -> GroupConsumer:
        """See ``Transport``. Partitions are shared among the group's consumers."""
        self._topics.partitions(topic)
        membership = Membership(self._bootstrap, topic, group, self._member)
        return GroupConsumer(membership, on_assigned, on_revoked)

    def read(
        self, partition: TopicPartition, position: Position, max_records: int
    ) -> Sequence[Record]:
        """See ``Transport``."""
        self._check(partition)
        return self._reader.read(partition, position, max_records)

    def start_position(self, partition: TopicPartition) -> Position:
        """See ``Transport``."""
        self._check(partition)
        return self._reader.start(partition)

    def publisher(self, name: str) -> TransactionalPublisher:
        """See ``Transport``."""
        return TransactionalPublisher(self._bootstrap, self._prefix, name, self._topics)

    def close(self) -> None:
        """See ``Transport``."""
        self._reader.close()
        self._topics.close()

    def _check(self, partition: TopicPartition) -> None:
        count = self._topics.partitions(partition.topic)
        if not 0 <= partition.partition < count:
            raise Stop(f"topic {partition.topic}: has {count} partitions, no {partition.partition}")


def open_url(url: str, now: Callable[[], float]) -> KafkaTransport:
    """Open ``kafka://HOST:PORT[,HOST:PORT...][?prefix=NAME&member=NAME]``."""
    place, _, query = url.removeprefix("kafka:").partition("?")
    bootstrap = [address for address in place.strip("/").split(",") if address]
    options = dict(parse_qsl(query, keep_blank_values=True))
    unknown = [name for name in options if name not in ("prefix", "member") or not options[name]]
    if not bootstrap or unknown:
        raise Stop(f"{url}: write kafka://HOST:PORT,HOST:PORT?prefix=NAME&member=NAME")
    return KafkaTransport(bootstrap, options.get("prefix", "triage"), options.get("member"))
