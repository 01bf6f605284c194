"""The past of one partition in memory: what a log and a store would hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from streaming.config.model import StreamConfig
from streaming.config_book import ConfigBook
from streaming.past import Past
from streaming.records import Position, Record, TopicPartition
from triage.model import JournalEntry, Label
from triage.policy import Policy
from triage.rollout import Rollout, RolloutKind
from triage.store.base import RetainedState, SnapshotRow


@dataclass
class MemoryPast:
    """``configs`` come into force one after the other, unless ``log`` says otherwise."""

    configs: Sequence[StreamConfig]
    records: Sequence[Record]
    entries: list[JournalEntry]
    labels: Mapping[int, Sequence[Label]] = field(default_factory=dict)
    log: list[Rollout] = field(default_factory=list)
    kept: list[RetainedState] = field(default_factory=list)
    begins_at: Position = 0

    def past(self) -> Past:
        stream = self.configs[0].stream
        partition = TopicPartition(stream, 0)
        return Past(ConfigBook(self, stream), self, self, stream, partition, "topic-id")

    def rollouts(self, stream: str) -> Sequence[Rollout]:
        return self.log or [
            Rollout(stream, number, RolloutKind.APPLY, config.version, previous=number - 1)
            for number, config in enumerate(self.configs, 1)
        ]

    def in_force(self, stream: str) -> Rollout | None:
        return self.rollouts(stream)[-1]

    def config_text(self, stream: str, version: str) -> str | None:
        return next((one.text for one in self.configs if one.version == version), None)

    def config_versions(self, stream: str) -> Sequence[str]:
        return [config.version for config in self.configs]

    def snapshots(self, stream: str, partition: int) -> Sequence[SnapshotRow]:
        return []

    def retained(self, stream: str, partition: int) -> Sequence[RetainedState]:
        return self.kept

    def journal(self, stream: str, partition: int, from_offset: int) -> Sequence[JournalEntry]:
        return [entry for entry in self.entries if entry.offset >= from_offset]

    def labels_at(self, stream: str, position: int, policy: Policy) -> Sequence[Label]:
        return self.labels.get(position, ())

    def read(self, partition: TopicPartition, position: Position, limit: int) -> Sequence[Record]:
        return self.records[position : position + limit]

    def start_position(self, partition: TopicPartition) -> Position:
        return self.begins_at
