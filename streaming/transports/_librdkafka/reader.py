"""Reading a partition of Kafka without a group, through librdkafka."""

from __future__ import annotations

from collections.abc import Sequence

from confluent_kafka import Consumer, KafkaError, Message
from confluent_kafka import TopicPartition as KafkaPartition

from streaming.errors import TransportUnavailable
from streaming.records import Position, Record, TopicPartition
from streaming.transports._kafka_meanings import beyond_end, out_of_range
from streaming.transports._kafka_options import KafkaOptions
from streaming.transports._librdkafka.client import reading, take, to_record
from streaming.transports._librdkafka.errors import Told, explain, explained

POLL_S = 0.5
POLLS = 60  # then the broker is too slow to be waited for
ANSWER_S = 10.0


class KafkaReader:
    """See ``Reader``; keeps what was fetched ahead for the next read."""

    def __init__(self, options: KafkaOptions) -> None:
        self._options = options
        self._told = Told()
        self._consumer: Consumer | None = None
        self._at: tuple[TopicPartition, Position] | None = None

    def start(self, place: TopicPartition) -> Position:
        """See ``Reader``."""
        return self._ends(place)[0]

    def end(self, place: TopicPartition) -> Position:
        """See ``Reader``."""
        return self._ends(place)[1]

    def first_at(self, place: TopicPartition, timestamp_ms: int) -> Position:
        """See ``Reader``."""
        asked = [KafkaPartition(*place, timestamp_ms)]
        with explained(str(place), self._told):
            (found,) = self._client().offsets_for_times(asked, ANSWER_S)
        return found.offset if found.offset >= 0 else self.end(place)

    def read(self, place: TopicPartition, position: Position, limit: int) -> Sequence[Record]:
        """See ``Reader``."""
        start, end = self._ends(place)
        if position > end:
            raise beyond_end(place, position, end)
        if position < start:
            raise out_of_range(place, position, start, end)
        if position == end:
            return []
        consumer = self._client()
        with explained(str(place), self._told):
            if self._at != (place, position):
                consumer.assign([KafkaPartition(*place, position)])
                self._at = (place, position)
            for _ in range(POLLS):
                found = take(consumer, limit, POLL_S)
                records = [to_record(place.topic, one) for one in found if not one.error()]
                if records:
                    # what else was told is told once only: the next read begins anew
                    alone = len(records) == len(found)
                    self._at = (place, records[-1].offset + 1) if alone else None
                    return records
                if any(self._ended(one, end) for one in found):
                    return []
        raise TransportUnavailable(f"{place.topic}/{place.partition}: nothing came up to {end}")

    def close(self) -> None:
        """See ``Reader``."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None

    def _ended(self, found: Message, end: Position) -> bool:
        """Return whether there is nothing more up to ``end``. Raises what else a message tells."""
        error = found.error()
        if error is None:
            return False
        self._at = None  # it tells of an end once only
        if error.code() != KafkaError._PARTITION_EOF:
            raise explain(error, f"{found.topic()}/{found.partition()}")
        return (found.offset() or 0) >= end

    def _ends(self, place: TopicPartition) -> tuple[Position, Position]:
        with explained(str(place), self._told):
            start, end = self._client().get_watermark_offsets(KafkaPartition(*place), ANSWER_S)
        return start, end

    def _client(self) -> Consumer:
        if self._consumer is None:
            group = f"{self._options.prefix}.reader"  # it is never joined
            self._consumer = reading(self._options, self._told, group_id=group)
        return self._consumer
