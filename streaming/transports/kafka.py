"""``kafka://HOST:PORT[,HOST:PORT...][?option=value&...]``: Apache Kafka 2.8 or newer.

Through kafka-python. The options are in ``_kafka_options.py``.
"""

from __future__ import annotations

from collections.abc import Callable

from streaming.transports._kafka_library import Membership
from streaming.transports._kafka_options import KafkaOptions, parse
from streaming.transports._kafka_python.consumer import GroupConsumer
from streaming.transports._kafka_python.producer import TransactionalProducer
from streaming.transports._kafka_python.reader import KafkaReader
from streaming.transports._kafka_python.topics import KafkaTopics
from streaming.transports._kafka_transport import KafkaTransport
from streaming.transports.base import OnAssigned, OnRevoked, Secret, no_secret


class KafkaPython:
    """See ``Library``."""

    def topics(self, options: KafkaOptions) -> KafkaTopics:
        """See ``Library``."""
        return KafkaTopics(options)

    def reader(self, options: KafkaOptions) -> KafkaReader:
        """See ``Library``."""
        return KafkaReader(options)

    def producer(self, options: KafkaOptions, transactional_id: str) -> TransactionalProducer:
        """See ``Library``."""
        return TransactionalProducer(options, transactional_id)

    def consumer(
        self, membership: Membership, on_assigned: OnAssigned, on_revoked: OnRevoked
    ) -> GroupConsumer:
        """See ``Library``."""
        return GroupConsumer(membership, on_assigned, on_revoked)


def open_url(url: str, now: Callable[[], float], secret: Secret = no_secret) -> KafkaTransport:
    """Open the URL."""
    return KafkaTransport(parse(url, secret), KafkaPython())
