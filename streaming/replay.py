"""From a journal back to the state that it describes."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from detectors.base import SnapshotError
from streaming.config.model import StreamConfig
from streaming.errors import Stop
from streaming.pipeline import Outcome, PartitionPipeline, state_version_of
from streaming.records import Position, Record, TopicPartition
from streaming.transports.base import Transport
from triage.model import JournalEntry, Label, PartitionState
from triage.store.base import SnapshotRow

log = logging.getLogger(__name__)

READ_RECORDS = 2_048
REMEDY = "Restore the store from a backup, or start with an empty data folder."

Read = Callable[[Position, int], Sequence[Record]]
LabelsAt = Callable[[Position], Sequence[Label]]


class JournalStore(Protocol):
    """What recovery reads of a store."""

    def config_versions(self, stream: str) -> Sequence[str]:
        """Return the versions of the stream's config that were ever registered."""

    def snapshots(self, stream: str, partition: int) -> Sequence[SnapshotRow]:
        """Return the kept snapshots, newest first."""

    def journal(self, stream: str, partition: int, from_offset: int) -> Sequence[JournalEntry]:
        """Return the entries at ``from_offset`` or later, in the order they took effect."""

    def labels_at(self, stream: str, position: int) -> Sequence[Label]:
        """Return the labels in force at a position."""


def replay(
    pipeline: PartitionPipeline,
    read: Read,
    start: Position,
    end: Position,
    journal: Sequence[JournalEntry],
    labels_at: LabelsAt,
) -> Iterator[Outcome]:
    """Bring a pipeline that stands at ``start`` to ``end``; yield what came of the records.

    Each journal entry takes effect exactly at its offset, as it did the first time.
    """
    position = start
    for entry in journal:
        yield from _process(pipeline, read, position, entry.offset)
        position = entry.offset
        pipeline.apply_labels(labels_at(entry.label_position), entry.label_position)
    yield from _process(pipeline, read, position, end)


def keeps_state(config: StreamConfig, state: PartitionState, store: JournalStore) -> bool:
    """Return whether a changed config can go on with the state of the one before it.

    So it is where what the state follows from is equal: then the new config, from the old one's
    snapshot and over the same records and labels, comes to the very state that was there.
    """
    rows = store.snapshots(state.stream, state.partition)
    return bool(rows) and state_version_of(rows[0].blob) == config.state_version()


def recover(
    config: StreamConfig, state: PartitionState, transport: Transport, store: JournalStore
) -> PartitionPipeline:
    """Return the pipeline of a partition as it was at its committed position.

    Starts from the newest sound snapshot and replays up to ``state.next_offset`` with the output
    suppressed. Raises Stop where that would give another state than the one that was lost: no
    snapshot is sound and the log no longer has the first records, or the config has changed since.
    """
    partition = TopicPartition(config.source.topic, state.partition)
    for row in store.snapshots(state.stream, state.partition):
        pipeline = _restored(config, state, row)
        if pipeline is None:
            continue
        journal = [
            entry
            for entry in store.journal(state.stream, state.partition, row.offset)
            if entry.label_position > row.label_position
        ]
        for _ in replay(
            pipeline,
            lambda position, limit: transport.read(partition, position, limit),
            row.offset,
            state.next_offset,
            journal,
            lambda position: store.labels_at(state.stream, position),
        ):
            pass
        return pipeline
    return _from_the_beginning(config, state, transport, store)


def _restored(
    config: StreamConfig, state: PartitionState, row: SnapshotRow
) -> PartitionPipeline | None:
    where = f"{state.stream}[{state.partition}]: snapshot at offset {row.offset}"
    if hashlib.sha256(row.blob).hexdigest() != row.sha256:
        log.warning("%s is damaged (its hash does not match); trying an older one", where)
        return None
    pipeline = PartitionPipeline(config, state.partition, state.topic_id)
    try:
        pipeline.restore(row.blob)
    except SnapshotError as error:
        raise Stop(f"{where} is not of this program and config ({error}). {REMEDY}") from error
    return pipeline


def _from_the_beginning(
    config: StreamConfig, state: PartitionState, transport: Transport, store: JournalStore
) -> PartitionPipeline:
    partition = TopicPartition(config.source.topic, state.partition)
    pipeline = PartitionPipeline(config, state.partition, state.topic_id)
    if state.next_offset == 0:
        return pipeline
    where = f"{state.stream}[{state.partition}]: no usable snapshot"
    if (start := transport.start_position(partition)) > 0:
        raise Stop(f"{where}, and the log no longer has what came before offset {start}. {REMEDY}")
    if len(store.config_versions(state.stream)) > 1:
        raise Stop(f"{where}, and the config has changed since the first record. {REMEDY}")
    log.warning("%s[%d]: rebuilding from offset 0", state.stream, state.partition)
    for _ in replay(
        pipeline,
        lambda position, limit: transport.read(partition, position, limit),
        0,
        state.next_offset,
        store.journal(state.stream, state.partition, 0),
        lambda position: store.labels_at(state.stream, position),
    ):
        pass
    return pipeline


def _process(
    pipeline: PartitionPipeline, read: Read, start: Position, end: Position
) -> Iterator[Outcome]:
    position = start
    while position < end:
        records = [r for r in read(position, min(READ_RECORDS, end - position)) if r.offset < end]
        if not records:
            return  # offsets may have gaps, also at the end
        yield pipeline.process(records)
        position = records[-1].offset + 1
