"""Going on after records that retention has deleted before they were processed.

Nothing is skipped by itself: the worker stops, and a person accepts the gap. The detector goes on
with the state of its newest sound snapshot; what it had seen since is not learned again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from streaming.config.model import StreamConfig
from streaming.config_book import ConfigBook
from streaming.past import Past
from streaming.records import Position, TopicPartition
from streaming.replay import newest_sound
from streaming.track import Track
from streaming.transports.base import Transport
from triage.model import Counters, PartitionState
from triage.store.base import PartitionCommit, SnapshotRow, WorkerStore

REMEDY = (
    "Nothing was skipped. `triage accept-gap --stream FILE` says what is lost, and lets the stream"
    " go on after it"
)


@dataclass(frozen=True, slots=True)
class Gap:
    """Records of a partition that its detector can no longer read.

    Attributes:
        state: the partition, which is ours by now.
        start: the oldest position that can still be read.
        snapshot: the newest sound one, None if there is none.
    """

    state: PartitionState
    start: Position
    snapshot: SnapshotRow | None
    track: Track

    @property
    def lost(self) -> int:
        """Offsets that were never processed and are gone."""
        return max(0, self.start - self.state.next_offset)

    @property
    def forgotten(self) -> int:
        """Offsets that were processed, and that the detector can't be taken through again."""
        since = self.snapshot.offset if self.snapshot else 0
        return max(0, self.state.next_offset - since)


def gaps(config: StreamConfig, transport: Transport, store: WorkerStore) -> Iterator[Gap]:
    """Yield the gaps of a stream's partitions. Takes them over: stop the workers first."""
    rollout = store.in_force(config.stream)
    if rollout is None:
        return  # it never ran
    topic = config.source.topic
    topic_id = transport.topic_id(topic)
    book = ConfigBook(store, config.stream)
    for partition in range(transport.partitions(topic)):
        state = store.own(config.stream, partition, topic_id, rollout.version, rollout.number)
        place = TopicPartition(topic, partition)
        past = Past(book, store, transport, config.stream, place, topic_id)
        snapshot, track = newest_sound(past, state)
        begun = snapshot is not None or state.next_offset > 0
        if begun and past.begins() > (snapshot.offset if snapshot else 0):
            yield Gap(state, past.begins(), snapshot, track)


def accept(config: StreamConfig, store: WorkerStore, gap: Gap, at: float) -> None:
    """Let the partition go on after the gap, in one transaction: position, count, snapshot."""
    state, live = gap.state, gap.track.live
    position = max(state.next_offset, gap.start)
    commit = PartitionCommit(
        partition=state.partition,
        epoch=state.epoch,
        config_version=live.config.version,
        next_offset=position,
        label_position=gap.track.label_position,
        counters=Counters(skipped=gap.lost),
        snapshot=gap.track.row(position),
        warm_up_left=live.warm_up_left,
        last_event_time=live.last_event_time,
        rollout=gap.track.rollout.number,
    )
    store.commit(config.stream, [commit], at)
