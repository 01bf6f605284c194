"""Clients of Kafka for the tests: every one is made by the adapter, which closes what fails."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing

from kafka import KafkaAdminClient, TopicPartition
from kafka.errors import KafkaError

from streaming.errors import StreamingError
from streaming.transports._kafka_library import Library
from streaming.transports._kafka_options import KafkaOptions
from streaming.transports._kafka_python.client import connect
from streaming.transports._kafka_transport import KafkaTransport
from streaming.transports.kafka import KAFKA_PYTHON

DELETED_S = 30.0


def options(bootstrap: str, prefix: str = "triage") -> KafkaOptions:
    """Return how to reach a broker that asks for nothing."""
    return KafkaOptions(tuple(bootstrap.split(",")), prefix)


def transport(
    bootstrap: str, prefix: str = "triage", library: Library | None = None
) -> KafkaTransport:
    """Return a transport, through kafka-python unless told otherwise."""
    return KafkaTransport(options(bootstrap, prefix), library or KAFKA_PYTHON)


def answers(bootstrap: str) -> bool:
    """Tell whether a broker at this address lists its topics."""
    try:
        admin = connect(KafkaAdminClient, options(bootstrap))
    except StreamingError:
        return False
    try:
        admin.list_topics()
    except KafkaError:
        return False
    finally:
        admin.close()
    return True


def delete_topic(bootstrap: str, topic: str) -> None:
    """Delete a topic, and wait until the broker has."""
    with closing(connect(KafkaAdminClient, options(bootstrap))) as admin:
        admin.delete_topics([topic])
        until = time.monotonic() + DELETED_S
        while not admin.describe_topics([topic])[0]["error_code"]:
            if time.monotonic() > until:
                raise TimeoutError(f"topic {topic} is still there after {DELETED_S:.0f} s")
            time.sleep(0.5)


def delete_records(bootstrap: str, topic: str, starts: Mapping[int, int]) -> None:
    """Delete what lies before these offsets, as retention does."""
    wanted = {TopicPartition(topic, number): start for number, start in starts.items()}
    with closing(connect(KafkaAdminClient, options(bootstrap))) as admin:
        admin.delete_records(wanted)
