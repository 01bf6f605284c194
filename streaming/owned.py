"""A partition that a worker owns, and what its next commit will say of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from streaming.bad_share import BadShare
from streaming.past import Past
from streaming.records import Position
from streaming.track import Track
from triage.drift import Drift
from triage.lag import Lag
from triage.model import Candidate, Counters, JournalEntry
from triage.store.base import NewDeadLetter, PartitionCommit, RetainedState
from triage.trial import Trial

SNAPSHOT_EVERY = 50_000  # records of a partition; bounds the replay after a crash to about a second
SNAPSHOT_AFTER_S = 60.0  # seconds; on a slow stream the advisor must not answer from an old model
NO_TRIAL = Trial()


@dataclass(slots=True)
class Owned:
    """A partition that is ours, and what the next commit will say of it."""

    track: Track
    past: Past
    bad_share: BadShare
    epoch: int
    position: Position
    snapshot_at: Position
    snapshot_time: float
    counters: Counters = field(default_factory=Counters)
    candidates: list[Candidate] = field(default_factory=list)
    dead_letters: list[NewDeadLetter] = field(default_factory=list)
    journal: list[JournalEntry] = field(default_factory=list)
    rescored: dict[str, float] = field(default_factory=dict)
    retained: RetainedState | None = None
    trial: Trial = NO_TRIAL
    told_drifts: tuple[Drift, ...] | None = None  # as the store has them, None: not known
    read_ms: int = 0  # when the log took the last record since the last commit
    newest_ms: int = 0  # when the log took the last record, 0 before the first one
    dirty: bool = False
    was_warm: bool = False

    def warm_up_has_ended(self) -> bool:
        """Return whether it has since the last call."""
        before, self.was_warm = self.was_warm, self.track.live.warm_up_left == 0
        return self.was_warm and not before

    def want_snapshot(self) -> None:
        """Let the next commit hold a snapshot."""
        self.snapshot_at = self.position - SNAPSHOT_EVERY

    def _snapshot_is_due(self, at: float) -> bool:
        new = self.position - self.snapshot_at
        return new >= SNAPSHOT_EVERY or (new > 0 and at - self.snapshot_time >= SNAPSHOT_AFTER_S)

    def committed(self) -> None:
        """Forget what has been written."""
        self.counters = Counters()
        self.candidates, self.dead_letters, self.journal, self.rescored = [], [], [], {}
        self.retained, self.trial = None, NO_TRIAL
        self.told_drifts = self.track.live.drifts
        self.read_ms, self.dirty = 0, False

    def lag(self, partition: int, records: int, at: float) -> Lag:
        """Return how far it is behind its log, of which so many records wait."""
        age = max(0.0, at - self.newest_ms / 1000) if self.newest_ms else None
        return Lag(partition, records, age if records else 0.0, at)

    def part(self, partition: int, at: float, *, snapshot: bool) -> PartitionCommit:
        """Return what the next commit says of it, at a time; with a snapshot if due."""
        due = snapshot or self._snapshot_is_due(at)
        live = self.track.live
        return PartitionCommit(
            partition=partition,
            epoch=self.epoch,
            config_version=live.config.version,
            next_offset=self.position,
            label_position=self.track.label_position,
            counters=self.counters,
            candidates=tuple(self.candidates),
            dead_letters=tuple(self.dead_letters),
            journal=tuple(self.journal),
            rescored=dict(self.rescored),
            snapshot=self.track.row(self.position) if due else None,
            warm_up_left=live.warm_up_left,
            last_event_time=live.last_event_time,
            rollout=self.track.rollout.number,
            retained=self.retained,
            drifts=None if live.drifts == self.told_drifts else live.drifts,
            trial=None if self.trial is NO_TRIAL else self.trial,
            delay=max(0.0, at - self.read_ms / 1000) if self.read_ms else None,
        )
