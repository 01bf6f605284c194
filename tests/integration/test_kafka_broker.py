"""The broker of the tests is a real one: what goes in comes out, transactions included."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

from streaming.transports._kafka_python.client import connect
from tests.support.kafka_clients import options


@pytest.fixture
def topic(kafka_bootstrap: str) -> Iterator[str]:
    name = f"smoke-{uuid.uuid4().hex}"
    admin = connect(KafkaAdminClient, options(kafka_bootstrap))
    admin.create_topics({name: {"num_partitions": 1, "replication_factor": 1}})
    yield name
    admin.delete_topics([name])
    admin.close()


def test_committed_records_come_out_and_aborted_ones_do_not(
    kafka_bootstrap: str, topic: str
) -> None:
    producer = connect(KafkaProducer, options(kafka_bootstrap), transactional_id=topic)
    producer.init_transactions()
    for value, commit in ((b"kept", True), (b"dropped", False), (b"last", True)):
        producer.begin_transaction()
        producer.send(topic, value)
        producer.flush()
        if commit:
            producer.commit_transaction()
        else:
            producer.abort_transaction()
    producer.close()

    consumer = connect(
        KafkaConsumer,
        options(kafka_bootstrap),
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    partition = TopicPartition(topic, 0)
    consumer.assign([partition])
    seen: list[bytes] = []
    for _ in range(20):
        for records in consumer.poll(timeout_ms=1000).values():
            seen.extend(record.value for record in records)
        if len(seen) >= 2:
            break
    consumer.close()
    assert seen == [b"kept", b"last"]
