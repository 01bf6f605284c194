"""``kafka://HOST:PORT[,HOST:PORT...][?option=value&...]``: Apache Kafka 2.8 or newer.

Through kafka-python. The options are in ``_kafka_options.py``.
"""

from __future__ import annotations

from collections.abc import Callable

from streaming.transports._kafka_library import Library
from streaming.transports._kafka_options import parse
from streaming.transports._kafka_python.consumer import GroupConsumer
from streaming.transports._kafka_python.producer import TransactionalProducer
from streaming.transports._kafka_python.reader import KafkaReader
from streaming.transports._kafka_python.topics import KafkaTopics
from streaming.transports._kafka_transport import KafkaTransport
from streaming.transports.base import Secret, no_secret

KAFKA_PYTHON = Library(KafkaTopics, KafkaReader, TransactionalProducer, GroupConsumer)


def open_url(url: str, now: Callable[[], float], secret: Secret = no_secret) -> KafkaTransport:
    """Open the URL."""
    return KafkaTransport(parse(url, secret), KAFKA_PYTHON)
