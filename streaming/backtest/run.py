"""Runs a window through one config or two at once, by the product's own pipeline."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from streaming.backtest.judged import Place
from streaming.backtest.window import Window
from streaming.config.model import StreamConfig
from streaming.errors import Stop
from streaming.grouper import noun_of
from streaming.pipeline import PartitionPipeline
from streaming.records import Position, Record
from triage.model import Candidate
from triage.titles import title_of

LISTED = 3  # reasons of dead letters


@dataclass(frozen=True, slots=True)
class Found:
    """A candidate, as a report shows it."""

    place: Place
    time: float
    margin: float
    entity: str
    title: str


@dataclass(slots=True)
class Side:
    """One config and what came of the window under it.

    Attributes:
        candidates: by place; only those that count.
        events, dead_letters, held_back: of the part that counts; the last are alerts that
            ``alert_limit`` or a drifting field kept from being candidates.
        seconds: of processor time for the part that counts, ``processed`` records; what comes
            before compiles and fills windows.
        records: of the whole window; ``unusable``: how many of them are dead letters, by why.
        hash: SHA-256 of every margin in order: equal for equal detectors.
    """

    config: StreamConfig
    candidates: dict[Place, Found] = field(default_factory=dict)
    events: int = 0
    dead_letters: int = 0
    held_back: int = 0
    seconds: float = 0.0
    processed: int = 0
    records: int = 0
    unusable: Counter[str] = field(default_factory=Counter)
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Runs:
    """All sides, and which part of the window counts.

    Attributes:
        counted: partition -> first offset that counts.
        first, seconds: event time at which it begins, and how long it lasts.
    """

    sides: Sequence[Side]
    counted: Mapping[int, Position]
    first: float
    seconds: float


def run(
    window: Window,
    configs: Sequence[StreamConfig],
    cpu: Callable[[], float],
    progress: Callable[[int], None] = lambda records: None,
) -> Runs:
    """Run the window through all configs side by side.

    Detectors begin new and learn no verdicts: this is what they would find by themselves. An event
    counts from where ``window.compare_from`` says and every detector of its partition has ended its
    warm-up. ``cpu`` gives seconds of processor time. Raises Stop where no event counts, as then
    nothing would be said by silence.
    """
    running = _Running(window, configs, cpu)
    done = 0
    for records in window.batches:
        running.feed(records)
        done += len(records)
        progress(done)
    return running.finished()


class _Running:
    def __init__(
        self, window: Window, configs: Sequence[StreamConfig], cpu: Callable[[], float]
    ) -> None:
        self._window = window
        self._trials = [_Trial(config, window, cpu) for config in configs]
        self._counted: dict[int, Position] = {}
        self._first = math.inf
        self._last = -math.inf

    def feed(self, records: Sequence[Record]) -> None:
        """Process records of one partition, cut where events begin to count."""
        while records:
            partition = records[0].partition
            part = self._next(partition, records)
            counts = partition in self._counted
            self._note_time(partition, counts=counts)
            for trial in self._trials:
                trial.process(part, counts=counts)
            self._note_time(partition, counts=counts)
            records = records[len(part) :]

    def finished(self) -> Runs:
        sides = [trial.finished() for trial in self._trials]
        for side in sides:
            if not side.events:
                raise Stop(_nothing(self._window, side))
        return Runs(sides, self._counted, self._first, self._last - self._first)

    def _note_time(self, partition: int, *, counts: bool) -> None:
        """Widen the part that counts to the latest event so far."""
        time = self._trials[0].time(partition)
        if counts and time is not None:
            self._first, self._last = min(self._first, time), max(self._last, time)

    def _next(self, partition: int, records: Sequence[Record]) -> Sequence[Record]:
        """Return the records up to the next place where something changes.

        The warm-up is ended by accepted records, so a part as long as what is left of it does not
        pass its end: where events begin to count doesn't depend on how records are read.
        """
        if partition in self._counted:
            return records
        start = self._window.compare_from.get(partition, 0)
        if teaching := sum(record.offset < start for record in records):
            return records[:teaching]
        if left := max(trial.warm_up_left(partition) for trial in self._trials):
            return records[:left]
        self._counted[partition] = records[0].offset
        return records


def _nothing(window: Window, side: Side) -> str:
    """Say why no event counts under a config, and what to do."""
    told = f"{window.name}: nothing to compare: of {side.records:,} records none counts"
    told += f" under version {side.config.version[:12]}"
    if bad := side.unusable.total():
        reasons = ", ".join(f"{n:,} {why}" for why, n in side.unusable.most_common(LISTED))
        told += f"; {bad:,} can't be used ({reasons}): mend the config or name the right file"
    warm = side.config.learning.warm_up
    return (
        f"{told}; events count once each partition has accepted {warm:,} (learning.warm_up): take "
        "more of them with --since, --max-events or a longer file"
    )


class _Trial:
    """One config: a pipeline per partition."""

    def __init__(self, config: StreamConfig, window: Window, cpu: Callable[[], float]) -> None:
        self._side = Side(config)
        self._pipelines = [
            PartitionPipeline(config, number, window.topic_id)
            for number in range(window.partitions)
        ]
        self._hashes = [hashlib.sha256() for _ in range(window.partitions)]
        self._noun = noun_of(config)
        self._cpu = cpu

    def process(self, records: Sequence[Record], *, counts: bool) -> None:
        partition = records[0].partition
        started = self._cpu()
        outcome = self._pipelines[partition].process(records)
        seconds = self._cpu() - started
        self._hashes[partition].update(outcome.margins.astype("<f8").tobytes())
        self._side.records += len(records)
        self._side.unusable.update(f"{bad.code} {bad.field}".strip() for bad in outcome.bad)
        if counts:
            self._side.seconds += seconds
            self._side.processed += len(records)
            self._side.events += outcome.counters.accepted
            self._side.dead_letters += outcome.counters.dead_lettered
            self._side.held_back += outcome.counters.held_back
            for candidate in outcome.candidates:
                found = self._found(candidate)
                self._side.candidates[found.place] = found

    def warm_up_left(self, partition: int) -> int:
        return self._pipelines[partition].warm_up_left

    def time(self, partition: int) -> float | None:
        return self._pipelines[partition].last_event_time

    def finished(self) -> Side:
        whole = hashlib.sha256()
        for own in self._hashes:
            whole.update(own.digest())
        self._side.hash = whole.hexdigest()
        return self._side

    def _found(self, candidate: Candidate) -> Found:
        return Found(
            place=(candidate.partition, candidate.offset),
            time=candidate.event_time,
            margin=candidate.margin,
            entity=candidate.entity,
            title=title_of([candidate], 1, self._noun)[0],
        )
