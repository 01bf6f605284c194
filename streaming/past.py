"""What log and store hold of one partition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from streaming.config_book import ConfigBook
from streaming.records import Position, Record, TopicPartition
from streaming.track import hash_of
from triage.model import JournalEntry, Label
from triage.policy import Policy
from triage.store.base import RetainedState, SnapshotRow
from triage.store.base_configs import ConfigReader

READ_RECORDS = 2_048


class JournalStore(ConfigReader, Protocol):
    """What recovery reads of a store."""

    def snapshots(self, stream: str, partition: int) -> Sequence[SnapshotRow]:
        """Return the kept snapshots, newest first."""

    def retained(self, stream: str, partition: int) -> Sequence[RetainedState]:
        """Return the retained states, newest first."""

    def journal(self, stream: str, partition: int, from_offset: int) -> Sequence[JournalEntry]:
        """Return the entries at ``from_offset`` or later, in the order they took effect."""

    def labels_at(self, stream: str, position: int, policy: Policy) -> Sequence[Label]:
        """Return the labels in force at a position, weighed by a policy."""


class Log(Protocol):
    """What recovery reads of a transport."""

    def read(self, partition: TopicPartition, position: Position, limit: int) -> Sequence[Record]:
        """Return up to ``limit`` records from ``position`` on."""

    def start_position(self, partition: TopicPartition) -> Position:
        """Return the first position that is still there."""


class Past:
    """What log and store hold of one partition, and what a replay has retained on its way."""

    def __init__(
        self,
        book: ConfigBook,
        store: JournalStore,
        transport: Log,
        stream: str,
        partition: TopicPartition,
        topic_id: str,
    ) -> None:
        self.book = book
        self.stream = stream
        self.partition = partition
        self.topic_id = topic_id
        self._store = store
        self._transport = transport
        self._retained: list[RetainedState] = []

    def read(self, position: Position, limit: int) -> Sequence[Record]:
        """Return up to ``limit`` records from ``position`` on."""
        return self._transport.read(self.partition, position, limit)

    def records(self, start: Position, end: Position) -> Iterator[Sequence[Record]]:
        """Yield the records from ``start`` to before ``end``, in pieces."""
        position = start
        while position < end:
            limit = min(READ_RECORDS, end - position)
            records = [record for record in self.read(position, limit) if record.offset < end]
            if not records:
                return  # offsets may have gaps, also at the end
            yield records
            position = records[-1].offset + 1

    def begins(self) -> Position:
        """Return the first position that the log still has."""
        return self._transport.start_position(self.partition)

    def journal(self, from_offset: Position) -> Sequence[JournalEntry]:
        """Return the entries from there on, in the order they took effect."""
        return self._store.journal(self.stream, self.partition.partition, from_offset)

    def labels_at(self, position: Position, policy: Policy) -> Sequence[Label]:
        """Return the labels in force at a position, as the config weighs them that took them in."""
        return self._store.labels_at(self.stream, position, policy)

    def snapshots(self) -> Sequence[SnapshotRow]:
        """Return the kept snapshots, newest first."""
        return self._store.snapshots(self.stream, self.partition.partition)

    def retain(self, state: RetainedState) -> None:
        """Keep a state that was replaced."""
        self._retained.insert(0, state)

    def retained(self, state_version: str, base: Position | None = None) -> RetainedState | None:
        """Return the newest sound one of the state version (of ``base``), None if there is none."""
        kept = self._store.retained(self.stream, self.partition.partition)
        for one in (*self._retained, *kept):
            if one.state_version != state_version or base not in (None, one.offset):
                continue
            if hash_of(one.blob, b"") == one.sha256:
                return one
        return None
