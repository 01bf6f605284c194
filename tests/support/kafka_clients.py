"""Clients of Kafka for the tests: every one is made by the adapter, which closes what fails."""

from __future__ import annotations

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from streaming.errors import StreamingError
from streaming.transports._kafka_client import connect
from streaming.transports._kafka_options import KafkaOptions


def options(bootstrap: str, prefix: str = "triage") -> KafkaOptions:
    """Return how to reach a broker that asks for nothing."""
    return KafkaOptions(tuple(bootstrap.split(",")), prefix)


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
