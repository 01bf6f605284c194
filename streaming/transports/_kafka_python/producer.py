"""Writing to Kafka in transactions, through kafka-python."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError

from streaming.records import OutRecord
from streaming.transports._kafka_library import PATIENCE_S
from streaming.transports._kafka_options import KafkaOptions
from streaming.transports._kafka_publisher import TRANSACTION_MS
from streaming.transports._kafka_python.client import connect
from streaming.transports._kafka_python.errors import explain

PRODUCER_SETTINGS: Mapping[str, Any] = {
    "linger_ms": 5,
    "batch_size": 128 << 10,
    "max_request_size": 2 << 20,
    "max_block_ms": int(PATIENCE_S * 1000),
    "request_timeout_ms": 10_000,
    "delivery_timeout_ms": 20_000,
    "transaction_timeout_ms": TRANSACTION_MS,
    "allow_auto_create_topics": False,
    "metrics_enabled": False,
}


class TransactionalProducer:
    """See ``Producer``. kafka-python waits for a commit without limit; here it does not."""

    def __init__(self, options: KafkaOptions, transactional_id: str) -> None:
        self._what = f"publisher {transactional_id}"
        self._producer = connect(
            KafkaProducer,
            options,
            transactional_id=transactional_id,
            compression_type=None if options.compression == "none" else options.compression,
            **PRODUCER_SETTINGS,
        )

    def start(self) -> None:
        """See ``Producer``."""
        self._wait_for(self._producer.init_transactions)

    def transact(self, records: Sequence[OutRecord]) -> None:
        """See ``Producer``."""
        self._wait_for(lambda: self._transact(records))

    def close(self, patient: bool) -> None:
        """See ``Producer``."""
        try:
            self._producer.close(timeout=PATIENCE_S if patient else 0)
        except KafkaError:  # records of a broken transaction are waiting to be sent
            self._producer._sender.force_close()
            self._producer._closed = True

    def _transact(self, records: Sequence[OutRecord]) -> None:
        producer = self._producer
        producer.begin_transaction()
        sent = [
            producer.send(
                record.topic,
                key=record.key,
                value=record.value,
                headers=list(record.headers),
                partition=record.partition,
                timestamp_ms=record.timestamp_ms,
            )
            for record in records
        ]
        producer.flush(PATIENCE_S)
        for future in sent:
            future.get(0)
        producer.commit_transaction()

    def _wait_for(self, work: Callable[[], None]) -> None:
        """Do ``work`` on a thread that can be left behind."""
        failures: list[Exception] = []

        def run() -> None:
            try:
                work()
            except (KafkaError, ValueError, AssertionError) as error:
                failures.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(PATIENCE_S)
        if thread.is_alive():
            failures.append(KafkaTimeoutError(f"no answer within {PATIENCE_S:.0f} s"))
        if failures:
            raise explain(failures[0], self._what) from failures[0]
