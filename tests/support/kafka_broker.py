"""A real Kafka broker for the tests, from the first of these that is there.

1. ``KAFKA_BOOTSTRAP_SERVERS``: a broker that somebody else runs.
2. A Docker engine: the ``apache/kafka`` image through testcontainers.
3. Java 17 and Maven: the broker's jars from Maven Central, kept in ``.cache/`` of the repository.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator

import pytest
from testcontainers.core.container import DockerContainer

from tests.support.docker import engine_answers
from tests.support.java_kafka import START_SECONDS, java_can, java_kafka, kafka_version
from tests.support.kafka_clients import answers
from tests.support.processes import POLL, free_ports

CLOSING_SECONDS = 10.0  # a client's thread may still be about to end
CLIENT_THREADS = ("kafka-io-", "-network-thread")  # in kafka-python's names of them


@pytest.fixture(scope="session")
def kafka_bootstrap() -> Iterator[str]:
    """The address of a real Kafka broker. It creates no topics by itself: create what you use."""
    given = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    with contextlib.ExitStack() as stack:
        if given:
            yield given
        elif engine_answers():
            yield stack.enter_context(_container())
        elif java_can():
            yield stack.enter_context(java_kafka()).address
        else:
            pytest.skip(
                "no Kafka broker: neither KAFKA_BOOTSTRAP_SERVERS, nor a Docker engine, nor "
                "Java 17 with Maven (.ci/debian-packages installs the last)"
            )


@pytest.fixture(autouse=True)
def _kafka_clients_are_closed() -> Iterator[None]:
    """Fail a test that leaves a client of kafka-python running.

    It would go on on its thread, and reconnect in vain when the broker has ended, long after the
    test: what then goes wrong is nobody's.
    """
    before = _client_threads()
    yield
    for thread in _client_threads() - before:
        thread.join(CLOSING_SECONDS)
        assert not thread.is_alive(), f"a Kafka client was not closed: {thread.name}"


def _client_threads() -> set[threading.Thread]:
    return {
        thread
        for thread in threading.enumerate()
        if any(word in thread.name for word in CLIENT_THREADS)
    }


@contextlib.contextmanager
def _container() -> Iterator[str]:
    (port,) = free_ports(1)
    environment = {
        "CLUSTER_ID": "4L6g3nShT-eMCtK--X86sw",
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": "CONTROLLER://:9093,HOST://:9092",
        "KAFKA_ADVERTISED_LISTENERS": f"HOST://127.0.0.1:{port}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,HOST:PLAINTEXT",
        "KAFKA_INTER_BROKER_LISTENER_NAME": "HOST",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000",
    }
    container = DockerContainer(f"apache/kafka:{kafka_version()}").with_bind_ports(9092, port)
    for name, value in environment.items():
        container.with_env(name, value)
    with container:
        address = f"127.0.0.1:{port}"
        deadline = time.monotonic() + START_SECONDS
        while not answers(address):
            if time.monotonic() > deadline:
                raise RuntimeError(f"Kafka's container did not answer in {START_SECONDS:g} seconds")
            time.sleep(POLL)
        yield address
