"""Reading a partition of Kafka without a group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kafka import KafkaConsumer
from kafka import TopicPartition as KafkaPartition
from kafka.errors import OffsetOutOfRangeError

from streaming.errors import TransportUnavailable
from streaming.records import Position, Record, TopicPartition
from streaming.transports._kafka_meanings import beyond_end, out_of_range
from streaming.transports._kafka_options import KafkaOptions
from streaming.transports._kafka_python.client import connect
from streaming.transports._kafka_python.errors import explained

POLL_MS = 500
POLLS = 60  # then the broker is too slow to be waited for

READER_SETTINGS: Mapping[str, Any] = {
    "enable_auto_commit": False,
    "auto_offset_reset": "none",
    "isolation_level": "read_committed",
    "allow_auto_create_topics": False,
    "fetch_max_wait_ms": 100,
    "max_partition_fetch_bytes": 4 << 20,
    "metrics_enabled": False,
}


class KafkaReader:
    """Reads committed records from any position; keeps what was fetched ahead for the next read."""

    def __init__(self, options: KafkaOptions) -> None:
        self._options = options
        self._consumer: Any = None
        self._at: tuple[KafkaPartition, Position] | None = None

    def start(self, place: TopicPartition) -> Position:
        """Return the oldest position."""
        key = KafkaPartition(*place)
        with explained(str(place)):
            return int(self._client().beginning_offsets([key])[key])

    def end(self, place: TopicPartition) -> Position:
        """Return the position after the last committed record."""
        key = KafkaPartition(*place)
        with explained(str(place)):
            return int(self._client().end_offsets([key])[key])

    def first_at(self, place: TopicPartition, timestamp_ms: int) -> Position:
        """Return the first position whose record is of that time or later, the end if none is."""
        key = KafkaPartition(*place)
        with explained(str(place)):
            found = self._client().offsets_for_times({key: timestamp_ms}).get(key)
        return self.end(place) if found is None else int(found.offset)

    def read(self, place: TopicPartition, position: Position, limit: int) -> list[Record]:
        """Return what is there now from ``position`` on; see ``Transport.read``."""
        key = KafkaPartition(*place)
        end = self.end(place)
        if position > end:
            raise beyond_end(place, position, end)
        with explained(str(place)):
            try:
                return self._read(key, position, limit, end)
            except OffsetOutOfRangeError:
                raise out_of_range(place, position, self.start(place), end) from None

    def close(self) -> None:
        """Release the connection."""
        if self._consumer is not None:
            self._consumer.close(autocommit=False)
            self._consumer = None

    def _read(
        self, key: KafkaPartition, position: Position, limit: int, end: Position
    ) -> list[Record]:
        consumer = self._client()
        if self._at != (key, position):
            self._at = None  # another partition is assigned, also where nothing is found in it
            consumer.assign([key])
            consumer.seek(key, position)
        for _ in range(POLLS):
            if consumer.position(key) >= end:
                return []
            found = consumer.poll(POLL_MS, max_records=limit).get(key)
            if found:
                self._at = (key, found[-1].offset + 1)
                return [to_record(one) for one in found]
        raise TransportUnavailable(f"{key.topic}/{key.partition}: nothing came up to {end}")

    def _client(self) -> Any:
        if self._consumer is None:
            self._consumer = connect(KafkaConsumer, self._options, group_id=None, **READER_SETTINGS)
        return self._consumer


def to_record(found: Any) -> Record:
    """Return Kafka's record as ours; a null value is an empty one."""
    return Record(
        found.topic,
        found.partition,
        found.offset,
        found.key,
        found.value or b"",
        found.timestamp,
        tuple((name, value or b"") for name, value in found.headers) if found.headers else (),
    )
