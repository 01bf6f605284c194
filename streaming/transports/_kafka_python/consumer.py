"""Reading a topic of Kafka with a group.

kafka-python tells of assigned and revoked partitions on its own thread, in the middle of ``poll``.
Our callbacks open databases and replay records, so they run on the caller's thread, at the end of
that ``poll``; until then a new partition is paused.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from kafka import ConsumerRebalanceListener, KafkaConsumer
from kafka import TopicPartition as KafkaPartition
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.errors import KafkaError, OffsetOutOfRangeError
from kafka.structs import OffsetAndMetadata

from streaming.errors import Stop
from streaming.records import Position, Record, TopicPartition
from streaming.transports._kafka_library import Membership
from streaming.transports._kafka_meanings import out_of_range
from streaming.transports._kafka_python.client import connect
from streaming.transports._kafka_python.errors import explained
from streaming.transports._kafka_python.reader import READER_SETTINGS, to_record
from streaming.transports.base import OnAssigned, OnRevoked

JOIN_MS = (
    1_000  # a shorter poll while joining can leave kafka-python 3.0 without partitions for ever
)
STUCK_S = 60.0  # without an answer of the group for so long, join anew
CLOSE_MS = 5_000
LAG_MS = 3_000  # the answer is not worth more; kafka-python would wait for 30 s
HINT_S = 5.0  # positions are committed again so often: only so a fenced static member finds out

GROUP_SETTINGS: Mapping[str, Any] = {
    "partition_assignment_strategy": (RangePartitionAssignor,),
    "session_timeout_ms": 10_000,
    "heartbeat_interval_ms": 3_000,
    "max_poll_interval_ms": 300_000,
}


class GroupConsumer:
    """A member of a consumer group; partitions are shared among the members."""

    def __init__(
        self, membership: Membership, on_assigned: OnAssigned, on_revoked: OnRevoked
    ) -> None:
        self._membership = membership
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._owned: frozenset[KafkaPartition] = frozenset()
        self._hints: dict[KafkaPartition, Position] = {}
        self._hinted_at = 0.0
        self._closed = False
        self._fetched: Mapping[KafkaPartition, Sequence[Any]] = {}
        self._join()

    def poll(self, timeout_s: float, max_records: int) -> Sequence[Record]:
        """See ``Consumer``. While joining it waits a second."""
        if self._closed:
            raise Stop(f"group {self._membership.group}: this consumer has been closed")
        joined = self._changes.joined
        if not joined and time.monotonic() - self._joining_since > STUCK_S:
            self._leave()
            self._join()
        timeout_ms = max(int(timeout_s * 1000), 0 if joined else JOIN_MS)
        if not self._fetched:
            with explained(f"group {self._membership.group}"):
                try:
                    self._fetched = self._consumer.poll(timeout_ms, max_records=max_records)
                except OffsetOutOfRangeError as error:
                    raise self._out_of_range(error) from None
        self._take_changes()  # if a callback can't do its work now, the next poll goes on here
        found, self._fetched = self._fetched, {}
        if time.monotonic() - self._hinted_at > HINT_S:
            self._send_hints()
        return [
            to_record(one)
            for place, records in found.items()
            if place in self._owned
            for one in records
        ]

    def assignment(self) -> frozenset[TopicPartition]:
        """See ``Consumer``."""
        return frozenset(_ours(place) for place in self._owned)

    def commit(self, positions: Mapping[TopicPartition, Position]) -> None:
        """See ``Consumer``. Sent without waiting; a failed one is followed by the next."""
        self._hints.update({KafkaPartition(*place): at for place, at in positions.items()})
        self._send_hints()

    def lag(self) -> Mapping[TopicPartition, int]:
        """See ``Consumer``."""
        if not self._owned:
            return {}
        with explained(f"group {self._membership.group}"):
            ends = self._consumer.end_offsets(sorted(self._owned), timeout_ms=LAG_MS)
            return {
                _ours(place): int(end) - self._consumer.position(place)
                for place, end in ends.items()
            }

    def close(self) -> None:
        """See ``Consumer``."""
        if not self._closed:
            self._closed = True
            self._leave()

    def _join(self) -> None:
        membership = self._membership
        self._changes = _Changes()
        self._joining_since = time.monotonic()
        self._consumer = connect(
            KafkaConsumer,
            membership.options,
            group_id=membership.group,
            group_instance_id=membership.instance,
            **READER_SETTINGS,
            **GROUP_SETTINGS,
        )
        self._changes.consumer = self._consumer
        with explained(f"group {membership.group}"):
            self._consumer.subscribe([membership.topic], listener=self._changes)
            self._consumer.partitions_for_topic(membership.topic)  # joining needs it, see JOIN_MS

    def _leave(self) -> None:
        try:
            self._consumer.close(autocommit=False, timeout_ms=CLOSE_MS)
        except KafkaError:
            self._changes.on_partitions_lost(self._owned)  # the group finds out by itself
        finally:
            self._consumer._client.close()  # which a failure above has left running
        self._take_changes()

    def _send_hints(self) -> None:
        offsets = {
            place: OffsetAndMetadata(position, "", -1)
            for place, position in self._hints.items()
            if place in self._owned
        }
        self._hinted_at = time.monotonic()
        if offsets:
            with explained(f"group {self._membership.group}"):
                self._consumer.commit_async(offsets, callback=_ignore)

    def _take_changes(self) -> None:
        """Tell the callbacks what has happened to our partitions, in its order."""
        while (change := self._changes.first()) is not None:
            assigned, places = change
            if not assigned:
                # what was fetched before is of no use, even if the partition comes back at once
                self._fetched = {p: found for p, found in self._fetched.items() if p not in places}
                gone = self._owned & places
                self._owned -= places
                self._joining_since = time.monotonic()
                if gone:
                    self._on_revoked([_ours(place) for place in sorted(gone)])
            elif places and not self._closed:
                self._start(sorted(places))
            self._changes.drop_first()

    def _start(self, places: Sequence[KafkaPartition]) -> None:
        starts = self._on_assigned([_ours(place) for place in places])
        missing = [place for place in places if _ours(place) not in starts]
        if missing:
            raise Stop(f"group {self._membership.group}: no position was given for {missing}")
        for place in places:
            self._hints[place] = starts[_ours(place)]
            self._consumer.seek(place, self._hints[place])
        self._consumer.resume(*places)
        self._owned |= frozenset(places)

    def _out_of_range(self, error: OffsetOutOfRangeError) -> Exception:
        ((place, position),) = error.args[0].items()
        start = int(self._consumer.beginning_offsets([place])[place])
        end = int(self._consumer.end_offsets([place])[place])
        return out_of_range(_ours(place), int(position), start, end)


class _Changes(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python has no types
    """Collects what happens to partitions; called on kafka-python's thread.

    Attributes:
        joined: whether the group has given us our share, be it nothing.
    """

    def __init__(self) -> None:
        self.consumer: Any = None
        self.joined = False
        self._lock = threading.Lock()
        self._waiting: list[tuple[bool, frozenset[KafkaPartition]]] = []

    def on_partitions_assigned(self, assigned: Collection[KafkaPartition]) -> None:
        """Hold the partitions until the caller's thread knows where to start."""
        for place in assigned:
            self.consumer.seek(place, 0)  # any position keeps it from asking for the committed one
        self.consumer.pause(*assigned)
        self._add(True, assigned)

    def on_partitions_revoked(self, revoked: Collection[KafkaPartition]) -> None:
        self._add(False, revoked)

    def on_partitions_lost(self, lost: Collection[KafkaPartition]) -> None:
        self._add(False, lost)

    def first(self) -> tuple[bool, frozenset[KafkaPartition]] | None:
        """Return the oldest of what has happened and was not dropped yet."""
        with self._lock:
            return self._waiting[0] if self._waiting else None

    def drop_first(self) -> None:
        """Forget the oldest: it has been dealt with."""
        with self._lock:
            self._waiting.pop(0)

    def _add(self, assigned: bool, places: Collection[KafkaPartition]) -> None:
        with self._lock:
            self.joined = assigned
            self._waiting.append((assigned, frozenset(places)))


def _ours(place: KafkaPartition) -> TopicPartition:
    return TopicPartition(place.topic, place.partition)


def _ignore(offsets: object, outcome: object) -> None:
    """A lost hint is followed by the next."""
