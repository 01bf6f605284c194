"""Writing to Kafka in transactions, through librdkafka."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, Message
from confluent_kafka import Producer as Client

from streaming.errors import TransportUnavailable
from streaming.records import OutRecord
from streaming.transports._kafka_library import PATIENCE_S
from streaming.transports._kafka_options import KafkaOptions
from streaming.transports._kafka_publisher import TRANSACTION_MS
from streaming.transports._kafka_reach import check_reachable
from streaming.transports._librdkafka.client import settings_of
from streaming.transports._librdkafka.errors import Told, explained

PRODUCER_SETTINGS: Mapping[str, Any] = {
    "linger.ms": 5,
    "batch.size": 128 << 10,
    "message.max.bytes": 2 << 20,
    "partitioner": "murmur2_random",  # the one of Java and kafka-python: a key keeps its partition
    "request.timeout.ms": 10_000,
    "message.timeout.ms": TRANSACTION_MS,
    "transaction.timeout.ms": TRANSACTION_MS,
    "allow.auto.create.topics": False,
}
FULL_S = 0.1  # the queue of what is to be sent is looked at so often while it is full


class TransactionalProducer:
    """See ``Producer``."""

    def __init__(self, options: KafkaOptions, transactional_id: str) -> None:
        check_reachable(options)
        self._what = f"publisher {transactional_id}"
        self._told = Told()
        self._client = Client(
            {
                **settings_of(options, self._told),
                **PRODUCER_SETTINGS,
                "transactional.id": transactional_id,
                "compression.type": options.compression,
            }
        )

    def start(self) -> None:
        """See ``Producer``."""
        with explained(self._what, self._told):
            self._client.init_transactions(PATIENCE_S)

    def transact(self, records: Sequence[OutRecord]) -> None:
        """See ``Producer``."""
        self._told.cause = None
        with explained(self._what, self._told):
            self._client.begin_transaction()
            for record in records:
                self._send(record)
            self._client.commit_transaction(PATIENCE_S)  # raises if one was not delivered

    def close(self, patient: bool) -> None:
        """See ``Producer``."""
        self._client.purge()

    def _send(self, record: OutRecord) -> None:
        deadline = time.monotonic() + PATIENCE_S
        where: dict[str, Any] = {} if record.partition is None else {"partition": record.partition}
        while True:
            try:
                self._client.produce(
                    record.topic,
                    value=record.value,
                    key=record.key,
                    headers=list(record.headers),
                    timestamp=record.timestamp_ms or 0,  # 0 is now
                    on_delivery=self._delivered,
                    **where,
                )
            except BufferError:
                if time.monotonic() > deadline:
                    raise TransportUnavailable(f"{self._what}: nothing goes out") from None
                self._client.poll(FULL_S)
            else:
                return

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        self._told.cause = self._told.cause or error
