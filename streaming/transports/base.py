"""The contract of a transport: a partitioned, append-only log.

Adapters: ``embedded`` (SQLite), ``kafka`` (kafka-python) and ``kafka+librdkafka``. All pass
``tests/contract/test_transport.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from streaming.errors import Stop
from streaming.records import OutRecord, Position, Record, TopicPartition

OnAssigned = Callable[[Collection[TopicPartition]], Mapping[TopicPartition, Position]]
"""Called inside ``poll`` before the first record of these partitions; returns where to start, for
each of them (Stop otherwise). What it raises comes out of ``poll``; the next poll asks again."""

OnRevoked = Callable[[Collection[TopicPartition]], None]
"""Called inside ``poll`` or ``close`` when these partitions are no longer ours."""

Secret = Callable[[str], str]
"""Returns what a reference (``env:NAME``, ``file:PATH``) stands for now; Stop if nothing."""


def no_secret(reference: str) -> str:
    """Know no secrets."""
    raise Stop(f"{reference}: secrets can't be looked up here")


class Consumer(Protocol):
    """Reads the partitions that it is assigned, from the positions that ``on_assigned`` returns.

    It never commits by itself and never chooses a position by itself.
    """

    def poll(self, timeout_s: float, max_records: int) -> Sequence[Record]:
        """Return the next records, at most ``max_records``, in offset order per partition.

        Waits at most ``timeout_s`` for the first one (longer only while joining the group). Raises
        PositionLost if retention has passed the position, Stop if the position is beyond the log's
        end, Fenced if the group has a newer reader and can't have both, Retry if the log can't be
        reached.
        """

    def assignment(self) -> frozenset[TopicPartition]:
        """Return the partitions that are ours now."""

    def commit(self, positions: Mapping[TopicPartition, Position]) -> None:
        """Tell the log how far we are: a hint, never the truth where to start.

        Lag tools show it, writers are slowed down by it, retention waits for it. Partitions that
        are not ours are passed over.
        """

    def lag(self) -> Mapping[TopicPartition, int]:
        """Return how much ``poll`` has yet to return of what is there now, of each that is ours.

        Offsets that hold nothing for readers (a transaction's end) count until a poll passes them.
        """

    def close(self) -> None:
        """Give the partitions back."""


class Publisher(Protocol):
    """Writes records and a sequence number in one atomic step, so that nothing is sent twice.

    The sequence is the caller's own cursor (a row of a file, a number of the outbox).
    """

    def last_sequence(self) -> int:
        """Return the sequence of the last publish that took effect, 0 if there was none."""

    def publish(self, records: Sequence[OutRecord], sequence: int) -> None:
        """Append all records and store ``sequence``, or nothing at all.

        ``sequence`` must be larger than the last one (Stop otherwise). Raises SlowDown if readers
        are too far behind, Fenced if a newer publisher of the same name exists, Retry if the
        outcome is not known: then make a new publisher and ask ``last_sequence``.
        """

    def close(self) -> None:
        """Release resources; does not publish, never raises."""


class Transport(Protocol):
    """A place where topics live."""

    def ensure_topic(self, topic: str, partitions: int) -> None:
        """Create the topic if it is absent. Raises Stop if it exists with another number."""

    def partitions(self, topic: str) -> int:
        """Return how many partitions the topic has.

        Like every method but ``ensure_topic``, raises UnknownTopic if there is no such topic.
        """

    def topic_id(self, topic: str) -> str:
        """Return an id that changes when the topic is deleted and made again."""

    def consumer(
        self, topic: str, group: str, on_assigned: OnAssigned, on_revoked: OnRevoked
    ) -> Consumer:
        """Join ``group`` and read ``topic`` with it."""

    def read(
        self, partition: TopicPartition, position: Position, max_records: int
    ) -> Sequence[Record]:
        """Read without a group: what is there now from ``position`` on (replay, tail, lists).

        Returns nothing at the end. Raises PositionLost if retention has passed the position.
        """

    def start_position(self, partition: TopicPartition) -> Position:
        """Return the oldest position that can still be read."""

    def end_position(self, partition: TopicPartition) -> Position:
        """Return the position after the newest record that is there now."""

    def position_at(self, partition: TopicPartition, timestamp_ms: int) -> Position:
        """Return the oldest position whose record the log took at that time or later; else the end.

        Where times don't rise from record to record, older records may come after it.
        """

    def publisher(self, name: str) -> Publisher:
        """Return the publisher of this name and fence every older one.

        It sends a record without a partition to the one that its key chooses, always the same, and
        a record without a key to partition 0.
        """

    def close(self) -> None:
        """Release resources."""
