"""What only Kafka does: open transactions, shared groups, brokers that are not there."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from kafka import KafkaProducer

from streaming.errors import Fenced, Retry, Stop
from streaming.records import OutRecord, TopicPartition
from streaming.transports._kafka_library import Library
from streaming.transports._kafka_python.client import connect
from streaming.transports._kafka_transport import KafkaTransport
from streaming.transports.base import Consumer
from streaming.transports.kafka import KAFKA_PYTHON
from streaming.transports.kafka_librdkafka import LIBRDKAFKA
from streaming.transports.registry import open_transport
from tests.contract.transport_harness import everything, poll_together, reader, take, write
from tests.support.kafka_clients import options
from tests.support.kafka_clients import transport as transport_to
from tests.support.processes import free_ports


@pytest.fixture
def prefix() -> str:
    return f"test-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def transport(kafka_bootstrap: str, prefix: str) -> Iterator[KafkaTransport]:
    made = transport_to(kafka_bootstrap, prefix)
    yield made
    made.close()


@pytest.fixture
def topic(transport: KafkaTransport, prefix: str) -> str:
    transport.ensure_topic(f"{prefix}.events", 4)
    return f"{prefix}.events"


def open_transaction(bootstrap: str, transactional_id: str, topic: str) -> KafkaProducer:
    """Leave a record in a transaction that is neither committed nor aborted, as a kill does."""
    producer = connect(KafkaProducer, options(bootstrap), transactional_id=transactional_id)
    producer.init_transactions()
    producer.begin_transaction()
    producer.send(topic, key=b"k", value=b"never committed", partition=0)
    producer.flush(10)
    return producer


def test_what_a_killed_publisher_left_open_is_not_there(
    transport: KafkaTransport, topic: str, kafka_bootstrap: str, prefix: str
) -> None:
    killed = open_transaction(kafka_bootstrap, f"{prefix}.p", topic)
    place = TopicPartition(topic, 0)
    assert list(transport.read(place, 0, 10)) == []
    publisher = transport.publisher("p")
    assert publisher.last_sequence() == 0
    publisher.publish([OutRecord(topic, None, b"next")], 1)
    publisher.close()
    assert everything(transport, topic) == ["next"]
    consumer = reader(transport, topic)
    assert [record.value for record in take(consumer, 1)] == [b"next"]
    consumer.close()
    killed._sender.force_close()


def test_nobody_reads_past_an_open_transaction(
    transport: KafkaTransport, topic: str, kafka_bootstrap: str, prefix: str
) -> None:
    place = TopicPartition(topic, 0)
    write(transport, topic, ["before"], key=None)
    other = open_transaction(kafka_bootstrap, f"{prefix}.other", topic)
    write(transport, topic, ["after"], key=None)
    assert everything(transport, topic) == ["before"]
    other.abort_transaction()
    other.close()
    assert everything(transport, topic) == ["before", "after"]
    positions = [record.offset for record in transport.read(place, 0, 10)]
    assert positions == sorted(positions)


def test_the_cursor_is_found_among_many_that_failed(
    transport: KafkaTransport, topic: str, kafka_bootstrap: str, prefix: str
) -> None:
    publisher = transport.publisher("p")
    cursor = publisher._cursor.topic
    publisher.publish([OutRecord(topic, None, b"a")], 41)
    publisher.close()
    for _ in range(12):
        failed = open_transaction(kafka_bootstrap, f"{prefix}.p", cursor)
        failed.abort_transaction()
        failed.close()
    publisher = transport.publisher("p")
    assert publisher.last_sequence() == 41
    publisher.close()


def test_two_readers_share_a_group_and_one_inherits_the_other(
    transport: KafkaTransport, topic: str, kafka_bootstrap: str, prefix: str
) -> None:
    other = transport_to(kafka_bootstrap, prefix)
    first, second = reader(transport, topic, "g"), reader(other, topic, "g")
    assert poll_together(
        [first, second], lambda: len(first.assignment()) == len(second.assignment()) == 2
    )
    assert not first.assignment() & second.assignment()
    first.close()
    assert poll_together([second], lambda: len(second.assignment()) == 4)
    write(transport, topic, ["a", "b"])
    assert [record.value for record in take(second, 2)] == [b"a", b"b"]
    second.close()
    other.close()


both = pytest.mark.parametrize("scheme", ["kafka", "kafka+librdkafka"])


@both
def test_a_member_that_restarts_gets_its_partitions_back(
    kafka_bootstrap: str, prefix: str, topic: str, scheme: str
) -> None:
    for _ in range(2):
        url = f"{scheme}://{kafka_bootstrap}?prefix={prefix}&member=worker-0"
        transport = open_transport(url, lambda: 0.0)
        consumer = reader(transport, topic)
        assert len(take_all(consumer)) == 4
        consumer.close()
        transport.close()


@both
def test_a_member_that_is_there_twice_is_fenced(
    kafka_bootstrap: str, prefix: str, topic: str, scheme: str
) -> None:
    url = f"{scheme}://{kafka_bootstrap}?prefix={prefix}&member=worker-0"
    transport = open_transport(url, lambda: 0.0)
    first = reader(transport, topic)
    assert len(take_all(first)) == 4
    second = reader(transport, topic)
    assert len(take_all(second)) == 4
    with pytest.raises(Fenced):
        take(first, 1)
    first.close()
    second.close()
    transport.close()


def test_a_record_that_no_broker_takes_stops_before_anything_is_sent(
    transport: KafkaTransport, topic: str
) -> None:
    publisher = transport.publisher("p")
    with pytest.raises(Stop, match="Kafka takes 1000000"):
        publisher.publish([OutRecord(topic, None, b"x" * 1_100_000)], 1)
    publisher.publish([OutRecord(topic, None, b"x" * 900_000)], 1)
    publisher.close()


@both
def test_a_broker_that_is_not_there_is_worth_a_retry(scheme: str) -> None:
    (port,) = free_ports(1)
    absent = open_transport(f"{scheme}://127.0.0.1:{port}", lambda: 0.0)
    with pytest.raises(Retry, match=f"127.0.0.1:{port}"):
        absent.partitions("any")
    absent.close()


def take_all(consumer: Consumer) -> frozenset[TopicPartition]:
    """Poll until the consumer has partitions; return them."""
    assert poll_together([consumer], lambda: bool(consumer.assignment()))
    return consumer.assignment()


def test_what_one_library_wrote_the_other_goes_on_with(kafka_bootstrap: str, prefix: str) -> None:
    topic, keys = f"{prefix}.events", [f"key {number}".encode() for number in range(40)]
    partitions: list[dict[bytes | None, int]] = []
    ids = set()
    libraries: list[Library] = [KAFKA_PYTHON, LIBRDKAFKA]
    for number, library in enumerate(libraries):
        transport = transport_to(kafka_bootstrap, prefix, library)
        transport.ensure_topic(topic, 4)
        ids.add(transport.topic_id(topic))
        publisher = transport.publisher("p")
        assert publisher.last_sequence() == number
        publisher.publish([OutRecord(topic, key, b"") for key in keys], number + 1)
        publisher.close()
        partitions.append({})
        for place in (TopicPartition(topic, each) for each in range(4)):
            found = transport.read(place, transport.start_position(place), 100)
            partitions[-1] |= {record.key: record.partition for record in found}
        transport.close()
    assert len(ids) == 1, "the id of a topic is part of the ids of candidates"
    assert partitions[0] == partitions[1]
