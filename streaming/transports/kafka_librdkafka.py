"""``kafka+librdkafka://HOST:PORT...``: the same as ``kafka://``, through confluent-kafka.

An optional extra: librdkafka is written in C, and several times as fast.
"""

from __future__ import annotations

from collections.abc import Callable

from streaming.transports._kafka_library import Library
from streaming.transports._kafka_options import parse
from streaming.transports._kafka_transport import KafkaTransport
from streaming.transports._librdkafka.consumer import GroupConsumer
from streaming.transports._librdkafka.producer import TransactionalProducer
from streaming.transports._librdkafka.reader import KafkaReader
from streaming.transports._librdkafka.topics import KafkaTopics
from streaming.transports.base import Secret, no_secret

LIBRDKAFKA = Library(KafkaTopics, KafkaReader, TransactionalProducer, GroupConsumer)


def open_url(url: str, now: Callable[[], float], secret: Secret = no_secret) -> KafkaTransport:
    """Open the URL."""
    return KafkaTransport(parse(url, secret), LIBRDKAFKA)
