"""Reading a topic of Kafka with a group, through librdkafka.

librdkafka tells of assigned and revoked partitions in the middle of ``consume``. Our callbacks may
fail and are then asked again, so they run at the end of that ``poll``; until then nothing of a new
partition is fetched.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, Message
from confluent_kafka import TopicPartition as KafkaPartition

from streaming.errors import Stop, StreamingError
from streaming.records import Position, Record, TopicPartition
from streaming.transports._kafka_library import Membership
from streaming.transports._kafka_meanings import out_of_range
from streaming.transports._librdkafka.client import reading, take, to_record
from streaming.transports._librdkafka.errors import Told, explain, explained
from streaming.transports.base import OnAssigned, OnRevoked

ANSWER_S = 3.0  # of a question about the lag, which is not worth more

GROUP_SETTINGS: Mapping[str, Any] = {
    "partition_assignment_strategy": "range",
    "session_timeout_ms": 10_000,
    "heartbeat_interval_ms": 3_000,
    "max_poll_interval_ms": 300_000,
}

Places = frozenset[TopicPartition]


class GroupConsumer:
    """A member of a consumer group; partitions are shared among the members."""

    def __init__(
        self, membership: Membership, on_assigned: OnAssigned, on_revoked: OnRevoked
    ) -> None:
        self._membership = membership
        self._what = f"group {membership.group}"
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._owned: dict[TopicPartition, Position] = {}  # and what has surely been passed
        self._changes: deque[tuple[bool, Places]] = deque()
        self._fetched: list[Record] = []
        self._trouble: StreamingError | None = None
        self._closed = False
        self._told = Told()
        self._consumer = reading(
            membership.options,
            self._told,
            group_id=membership.group,
            group_instance_id=membership.instance,
            **GROUP_SETTINGS,
        )
        with explained(self._what, self._told):
            self._consumer.subscribe(
                [membership.topic], on_assign=self._hold, on_revoke=self._give_back
            )

    def poll(self, timeout_s: float, max_records: int) -> Sequence[Record]:
        """See ``Consumer``."""
        if self._closed:
            raise Stop(f"{self._what}: this consumer has been closed")
        if not self._fetched:
            self._fetched = self._fetch(timeout_s, max_records)
        self._take_changes()  # if a callback can't do its work now, the next poll goes on here
        found, self._fetched = self._fetched, []
        return found

    def assignment(self) -> frozenset[TopicPartition]:
        """See ``Consumer``."""
        return frozenset(self._owned)

    def commit(self, positions: Mapping[TopicPartition, Position]) -> None:
        """See ``Consumer``. Sent without waiting; a failed one is followed by the next."""
        offsets = [KafkaPartition(*p, at) for p, at in positions.items() if p in self._owned]
        if offsets:
            with explained(self._what, self._told):
                self._consumer.commit(offsets=offsets, asynchronous=True)

    def lag(self) -> Mapping[TopicPartition, int]:
        """See ``Consumer``."""
        places = [KafkaPartition(*place) for place in self._owned]
        if not places:
            return {}
        behind = {}
        with explained(self._what, self._told):
            for place in self._consumer.position(places):
                ours = TopicPartition(place.topic, place.partition)
                passed = max(place.offset, self._owned[ours])
                behind[ours] = self._consumer.get_watermark_offsets(place, ANSWER_S)[1] - passed
        return behind

    def close(self) -> None:
        """See ``Consumer``."""
        if not self._closed:
            self._closed = True
            self._consumer.close()
            self._give_back(self._consumer, [])
            self._take_changes()

    def _fetch(self, timeout_s: float, limit: int) -> list[Record]:
        """Return records; an error that came among them is raised when they are processed."""
        if self._trouble is None:
            topic, found = self._membership.topic, []
            with explained(self._what, self._told):
                messages = take(self._consumer, limit, timeout_s)
            for message in messages:
                if message.error() is None:
                    found.append(to_record(topic, message))
                else:
                    self._note(message)
            if found or self._trouble is None:
                return found
        trouble, self._trouble = self._trouble, None
        raise trouble

    def _note(self, message: Message) -> None:
        """Take note of what is no record: an end has been reached, or something is wrong."""
        error = message.error()
        place = TopicPartition(str(message.topic()), message.partition() or 0)
        at = message.offset() or 0
        if error is None:
            return
        if error.code() == KafkaError._PARTITION_EOF:
            if place in self._owned:
                self._owned[place] = max(self._owned[place], at)
        elif error.code() == KafkaError._AUTO_OFFSET_RESET:
            with explained(self._what, self._told):
                ends = self._consumer.get_watermark_offsets(KafkaPartition(*place))
            self._trouble = out_of_range(place, at, *ends)
        elif error.code() == KafkaError._FATAL:  # nothing else is fatal to a consumer
            fenced = KafkaError(KafkaError.FENCED_INSTANCE_ID, error.str())
            self._trouble = explain(fenced, self._what)
        else:
            self._trouble = explain(error, self._what)

    def _hold(self, consumer: Consumer, assigned: Collection[KafkaPartition]) -> None:
        """Take the partitions, but fetch nothing before we know where to start."""
        consumer.assign([])
        self._changes.append((True, _ours(assigned)))

    def _give_back(self, consumer: Consumer, revoked: Collection[KafkaPartition]) -> None:
        """Lose all partitions: between two assignments a member has none."""
        self._changes.append((False, frozenset(self._owned) | _ours(revoked)))

    def _take_changes(self) -> None:
        """Tell the callbacks what has happened to our partitions, in its order."""
        while self._changes:
            assigned, places = self._changes[0]
            if not assigned:
                # what was fetched before is of no use, even if the partition comes back at once
                self._fetched = []
                gone = sorted(places & self._owned.keys())
                self._owned = {}
                if gone:
                    self._on_revoked(gone)
            elif places and not self._closed:
                self._start(sorted(places))
            self._changes.popleft()

    def _start(self, places: Sequence[TopicPartition]) -> None:
        starts = self._on_assigned(places)
        missing = [place for place in places if place not in starts]
        if missing:
            raise Stop(f"{self._what}: no position was given for {missing}")
        with explained(self._what, self._told):
            self._consumer.assign([KafkaPartition(*place, starts[place]) for place in places])
        self._owned = {place: starts[place] for place in places}


def _ours(places: Collection[KafkaPartition]) -> Places:
    return frozenset(TopicPartition(place.topic, place.partition) for place in places)
