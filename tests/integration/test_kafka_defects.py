"""Defects of kafka-python that were met: each can't hit us. ``docs/kafka.md`` has the list."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import closing

import pytest
from kafka import KafkaAdminClient

from streaming.errors import Retry, UnknownTopic
from streaming.records import OutRecord, TopicPartition
from streaming.transports._kafka_library import Library
from streaming.transports._kafka_publisher import TransactionalPublisher
from streaming.transports._kafka_python import consumer as kafka_consumer
from streaming.transports._kafka_python import producer as kafka_producer
from streaming.transports._kafka_python.client import connect
from streaming.transports._kafka_transport import KafkaTransport
from streaming.transports._librdkafka import producer as librdkafka_producer
from streaming.transports.kafka import KAFKA_PYTHON
from streaming.transports.kafka_librdkafka import LIBRDKAFKA
from tests.contract.transport_harness import everything, from_start, ignore, reader, take
from tests.support.java_kafka import JavaKafka, java_can, java_kafka
from tests.support.kafka_clients import options
from tests.support.kafka_clients import transport as transport_to

FRESH = 6  # groups; half of them were stuck at 10 ms
SHORT_POLLS = 200
LIBRARIES: list[Library] = [KAFKA_PYTHON, LIBRDKAFKA]


@pytest.fixture(scope="module")
def broker() -> Iterator[JavaKafka]:
    """A broker of our own, which makes topics for everybody who asks."""
    if not java_can():
        pytest.skip("no Java 17 with Maven (.ci/debian-packages installs them)")
    with java_kafka("auto.create.topics.enable=true\n") as made:
        yield made


def test_short_polls_while_joining_leave_nobody_without_partitions(kafka_bootstrap: str) -> None:
    topic = f"short-{uuid.uuid4().hex[:8]}"
    with closing(transport_to(kafka_bootstrap)) as transport:
        transport.ensure_topic(topic, 2)
        for number in range(FRESH):
            with closing(reader(transport, topic, f"{topic}-{number}")) as consumer:
                for _ in range(SHORT_POLLS):
                    consumer.poll(0.01, 10)
                    if consumer.assignment():
                        break
                assert len(consumer.assignment()) == 2


def test_who_gets_no_answer_of_the_group_joins_anew(
    kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = f"stuck-{uuid.uuid4().hex[:8]}"
    with closing(transport_to(kafka_bootstrap)) as transport:
        transport.ensure_topic(topic, 2)
        stuck = transport.consumer(topic, topic, from_start(transport), ignore)
        assert isinstance(stuck, kafka_consumer.GroupConsumer)
        with closing(stuck):
            first = stuck._consumer
            first.unsubscribe()  # as if its request to join had been lost
            monkeypatch.setattr(kafka_consumer, "STUCK_S", 0.0)
            stuck.poll(0.01, 10)
            monkeypatch.undo()
            assert stuck._consumer is not first
            for _ in range(SHORT_POLLS):
                stuck.poll(0.1, 10)
                if stuck.assignment():
                    break
            assert len(stuck.assignment()) == 2


@pytest.mark.parametrize("library", LIBRARIES, ids=["kafka", "kafka+librdkafka"])
def test_topics_are_never_made_by_asking_for_them(broker: JavaKafka, library: Library) -> None:
    prefix = f"absent-{uuid.uuid4().hex[:8]}"
    topic = f"{prefix}-topic"
    with closing(transport_to(broker.address, prefix, library)) as transport:
        with pytest.raises(UnknownTopic):
            reader(transport, topic)
        with pytest.raises(UnknownTopic):
            transport.read(TopicPartition(topic, 0), 0, 1)
        with closing(transport.publisher("p")) as publisher, pytest.raises(UnknownTopic):
            publisher.publish([OutRecord(topic, b"k", b"v")], 1)
    admin = connect(KafkaAdminClient, options(broker.address))
    made = [name for name in admin.list_topics() if name == topic]
    admin.close()
    assert made == []


@pytest.mark.parametrize("library", LIBRARIES, ids=["kafka", "kafka+librdkafka"])
def test_a_broker_that_stands_still_ends_a_publish_whose_outcome_is_then_asked_for(
    broker: JavaKafka, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = f"frozen-{uuid.uuid4().hex[:8]}"
    topic = f"{prefix}-topic"
    with closing(transport_to(broker.address, prefix, library)) as transport:
        transport.ensure_topic(topic, 1)
        old = transport.publisher("p")
        old.publish([OutRecord(topic, b"k", b"1")], 1)
        for module in (kafka_producer, librdkafka_producer):
            monkeypatch.setattr(module, "PATIENCE_S", 3.0)
        broker.freeze()
        try:
            with pytest.raises(Retry):
                old.publish([OutRecord(topic, b"k", b"2")], 2)
            with pytest.raises(Retry):  # it is of no more use: nothing piles up in it
                old.publish([OutRecord(topic, b"k", b"3")], 3)
            old.close()
        finally:
            broker.wake()
        monkeypatch.undo()
        new = _again(transport, "p")
        with closing(new):
            done = new.last_sequence()
            assert done in (1, 2)
            if done == 1:
                new.publish([OutRecord(topic, b"k", b"2")], 2)
        assert everything(transport, topic) == ["1", "2"]
        with closing(reader(transport, topic)) as consumer:
            assert len(take(consumer, 2)) == 2


def _again(transport: KafkaTransport, name: str) -> TransactionalPublisher:
    """Return a new publisher, as the relay makes one: tried again while the broker wakes up."""
    for _ in range(20):
        try:
            return transport.publisher(name)
        except Retry:
            time.sleep(1)
    raise AssertionError("the broker does not wake up")
