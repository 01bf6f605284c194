"""Clients of Kafka for the tests: every one is made by the adapter, which closes what fails."""

from __future__ import annotations

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from streaming.errors import StreamingError
from streaming.transports._kafka_library import Library
from streaming.transports._kafka_options import KafkaOptions
from streaming.transports._kafka_python.client import connect
from streaming.transports._kafka_transport import KafkaTransport
from streaming.transports.kafka import KafkaPython


def options(bootstrap: str, prefix: str = "triage") -> KafkaOptions:
    """Return how to reach a broker that asks for nothing."""
    return KafkaOptions(tuple(bootstrap.split(",")), prefix)


def transport(
    bootstrap: str, prefix: str = "triage", library: Library | None = None
) -> KafkaTransport:
    """Return a transport, through kafka-python unless told otherwise."""
    return KafkaTransport(options(bootstrap, prefix), library or KafkaPython())


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
