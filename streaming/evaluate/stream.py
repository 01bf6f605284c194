"""``triage evaluate --mode stream``: a file replayed in order, an oracle in the analyst's place.

The file runs through the product's own pipeline and clusters. Every so often the analyst looks at
the top of the queue as it is at that time; what the answers teach is in force for what comes after.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from streaming.config.model import StreamConfig
from streaming.evaluate.analyst import Analyst
from streaming.evaluate.late_truth import LateTruth
from streaming.evaluate.measures import average_precision, found_at, roc_auc, rounded
from streaming.evaluate.queue import Cluster, Member, Queue
from streaming.evaluate.random_looks import RandomLooks
from streaming.evaluate.rests import Closing, Rests
from streaming.evaluate.span import EventTimes, Moment, Span
from streaming.evaluate.truth import UNKNOWN, TruthReader
from streaming.pipeline import PartitionPipeline
from streaming.records import Record
from streaming.sources.base import Source, SourceRow
from triage.model import Candidate, Label, VerdictKind
from triage.shares import Shares

CHUNK = 2_000  # rows read at a time
RATE = 200  # events a second, where events carry no time; as in the demo
TOPIC_ID = "evaluate"
EVERY = Span(1_000)
AT_ONCE = Span(0)

Floats = npt.NDArray[np.float64]

Found = Callable[[int, int], None]
"""Place of an event in the file, events replayed when it was read."""


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """How the analyst is asked.

    Attributes:
        budget: looks per ``every``. ``delay``: from a look to its answer.
        error: probability of a wrong verdict.
        seed: of the wrong verdicts, and added to the config's own: another forest per seed.
        feedback: learn from the answers; else they only empty the queue.
        together: who errs errs on all that was in a cluster, audits included.
        closing: what becomes of members that nobody read.
        late_truth: from an event to when its truth becomes known without a look; None = never. It
            counts in the records of entities, and with ``feedback`` it teaches as a verdict does.
        random: open any cluster of the queue instead of the top one.
    """

    budget: int = 3
    every: Span = EVERY
    delay: Span = AT_ONCE
    error: float = 0.0
    seed: int = 0
    feedback: bool = True
    late_truth: Span | None = None
    random: bool = False
    together: bool = False
    closing: Closing = Closing.AUDITED

    def __post_init__(self) -> None:
        if self.budget < 1:
            raise ValueError(f"budget must be at least 1, not {self.budget}")
        if self.every.size <= 0:
            raise ValueError("every must be at least 1 event or a duration above 0")
        if not 0.0 <= self.error <= 1.0:
            raise ValueError(f"error is a probability, not {self.error}")


def evaluate_stream(
    config: StreamConfig,
    source: Source,
    label: str,
    settings: StreamSettings,
    clock: Callable[[], float],
    progress: Callable[[int], None] = lambda events: None,
    found: Found = lambda place, events: None,
) -> dict[str, Any]:
    """Replay the source to its end; return the result as a JSON-able dict.

    The last look comes with the end of the file, however short the interval.

    Args:
        config: of the stream.
        source: the labelled events; read from its beginning.
        label: its column that says 1 (anomaly), 0 (normal), or -1 or nothing (not known).
        settings: how the analyst is asked.
        clock: seconds, for ``events_per_second`` only.
        progress: told the number of events replayed, now and then.
        found: told of each real anomaly that is read.

    Raises:
        SourceInvalid: the source has no such column, or it holds something else.
    """
    started = clock()
    truth = TruthReader(source.name, label)
    seeded = config.model_copy(update={"seed": config.seed + settings.seed})
    replay = _Replay(seeded, settings, found)
    position, done = 0, False
    while not done:
        chunk = source.read(position, CHUNK)
        replay.feed(chunk.rows, truth.read(chunk.rows).tolist())
        position, done = chunk.position, chunk.done
        progress(position)
    replay.finish()
    return replay.result(max(clock() - started, 1e-9))


@dataclass(slots=True, eq=False)
class _Answer:
    """A verdict that is on its way."""

    due: float
    verdict: VerdictKind
    cluster: Cluster
    read: Sequence[Member]


@dataclass(slots=True)
class _Partition:
    """A partition's pipeline, and what is known of its records, by offset.

    Attributes:
        places: where the record stands in the file.
        margins: of the accepted ones, before anything was learned from them.
        held_back: how many the alert limit kept from the queue.
    """

    pipeline: PartitionPipeline
    places: list[int] = field(default_factory=list)
    truths: list[int] = field(default_factory=list)
    margins: dict[int, float] = field(default_factory=dict)
    held_back: int = 0


class _Replay:
    """The stream, its queue and its analyst."""

    def __init__(self, config: StreamConfig, settings: StreamSettings, found: Found) -> None:
        self._config = config
        self._settings = settings
        self._found = found
        self._partitions = [
            _Partition(PartitionPipeline(config, number, TOPIC_ID))
            for number in range(config.source.partitions)
        ]
        spans = [settings.every, settings.delay, settings.late_truth]
        self._times = EventTimes(config, needed=any(span and span.in_time for span in spans))
        self._late_truth: LateTruth | None = None
        if settings.late_truth is not None:
            self._late_truth = LateTruth(config, settings.late_truth, teaches=settings.feedback)
        chance = np.random.default_rng([settings.seed, 3]) if settings.random else None
        self._queue = Queue(config, chance)
        self._analyst = Analyst(settings.error, settings.seed, together=settings.together)
        self._rests = Rests(config.stream, self._queue, config.policy, settings.closing)
        policy = settings.closing.policy(config.policy)
        self._shares = Shares(policy.audit_share, policy.uncertain_share, policy.random_share)
        self._random = RandomLooks(config.stream, policy)
        self._taught = 0  # labels that came or went
        self._real_clusters: set[str] = set()
        self._now = Moment(0, 0.0)
        self._next_look: float | None = None
        self._looked_at = 0
        self._answers: list[_Answer] = []
        self._labels: list[Label] = []
        self._hits: list[bool] = []
        self._asked: set[tuple[int, int]] = set()
        self._looks = 0
        self._propagated = 0

    def feed(self, rows: Sequence[SourceRow], truths: Sequence[int]) -> None:
        """Process rows, and between them what falls due there."""
        records = [self._place(row, truth) for row, truth in zip(rows, truths, strict=True)]
        first, start = self._now.events, 0
        for i, time in enumerate(self._times.latest(records)):
            self._now = Moment(first + i, time)
            if self._next_look is None and math.isfinite(time):
                self._next_look = self._settings.every.after(self._now)
            if self._is_due():
                self._process(records[start:i])
                start = i
                self._catch_up()
        self._process(records[start:])
        self._now = Moment(first + len(records), self._now.time)

    def finish(self) -> None:
        """Look once more, if events have come since the last look."""
        self._take_answers(self._now)
        if self._now.events > self._looked_at:
            self._look(self._now)

    def result(self, seconds: float) -> dict[str, Any]:
        """Return the figures, ready for JSON."""
        margins, truths, asked = self._scored()
        is_anomaly = truths == 1
        labels = len(self._hits)
        return {
            "found": found_at(self._hits, labels),
            "found_by_propagation": self._propagated,
            "real_clusters": len(self._real_clusters),
            "looks": self._looks,
            "labels": labels,
            "items": len(truths),
            "anomalies": int(is_anomaly.sum()),
            "precision": rounded(sum(self._hits) / max(labels, 1)),
            "auc": rounded(roc_auc(margins, is_anomaly)),
            "ap": rounded(average_precision(margins, is_anomaly)),
            "ap_unseen": rounded(average_precision(margins[~asked], is_anomaly[~asked])),
            "held_back": [partition.held_back for partition in self._partitions],
            "events_per_second": round(self._now.events / seconds, 1),
            **self._rests.figures(),
            **self._random.figures(),
            "seed": self._settings.seed,
            "config": self._config.version,
        }

    def _place(self, row: SourceRow, truth: int) -> Record:
        """Append a row to a partition as the log would."""
        number = zlib.crc32(row.key) % len(self._partitions) if row.key is not None else 0
        partition = self._partitions[number]
        place = sum(len(one.places) for one in self._partitions)
        partition.places.append(place)
        partition.truths.append(truth)
        return Record(
            topic=self._config.source.topic,
            partition=number,
            offset=len(partition.places) - 1,
            key=row.key,
            value=row.value,
            timestamp_ms=place * 1000 // RATE,
        )

    def _process(self, records: Sequence[Record]) -> None:
        """Score and learn the records; put candidates into the queue in the order of the file."""
        candidates: list[Candidate] = []
        missed: list[Record] = []
        for number, partition in enumerate(self._partitions):
            own = [record for record in records if record.partition == number]
            outcome = partition.pipeline.process(own)
            offsets = [record.offset for record in outcome.accepted]
            partition.margins.update(zip(offsets, outcome.margins.tolist(), strict=True))
            candidates += outcome.candidates
            partition.held_back += outcome.counters.held_back
            known = {one.offset for one in outcome.candidates}
            missed += [
                record
                for record in outcome.accepted
                if partition.truths[record.offset] == 1 and record.offset not in known
            ]
        candidates.sort(key=lambda one: self._partitions[one.partition].places[one.offset])
        truths = [self._partitions[one.partition].truths[one.offset] for one in candidates]
        self._random.arrive(self._queue.add(candidates, truths), self._looks)
        if self._late_truth:
            self._late_truth.note(candidates, truths, missed, self._now.events)

    def _is_due(self) -> bool:
        every, delay = self._settings.every, self._settings.delay
        return every.reached(self._next_look, self._now) or any(
            delay.reached(answer.due, self._now) for answer in self._answers
        )

    def _catch_up(self) -> None:
        """Do what has fallen due, in its order: several rounds if event time has leapt."""
        every = self._settings.every
        while self._next_look is not None and every.reached(self._next_look, self._now):
            at = every.moment(self._next_look, self._now)
            self._take_answers(at)
            self._look(at)
            self._next_look += every.size
            if not self._queue.waiting():
                self._next_look = max(self._next_look, every.next(self._next_look, self._now))
        self._take_answers(self._now)

    def _look(self, at: Moment) -> None:
        """Let the analyst open the top of the queue, as often as the budget says."""
        self._looked_at = self._now.events
        for _ in range(self._settings.budget):
            cluster = self._queue.open_next(self._shares.purpose(self._looks))
            if cluster is None:
                return
            read = self._analyst.read(cluster)
            known = [member for member in read if member.truth != UNKNOWN]
            self._looks += 1
            places = [(member.partition, member.offset) for member in known]
            for member, place in zip(known, places, strict=True):
                hit = member.truth == 1 and place not in self._asked  # found but once
                self._hits.append(hit)
                if hit:
                    self._real_clusters.add(cluster.root)
                    row = self._partitions[member.partition].places[member.offset]
                    self._found(row, self._now.events)
            self._asked.update(places)
            verdict = self._analyst.verdict(read, cluster.root)
            self._answers.append(_Answer(self._settings.delay.after(at), verdict, cluster, read))
            self._take_answers(at)

    def _take_answers(self, at: Moment) -> None:
        """Let the verdicts and truths that have arrived teach, and the queue follow."""
        delay = self._settings.delay
        arrived = [answer for answer in self._answers if delay.reached(answer.due, at)]
        revealed = self._late_truth.due(at) if self._late_truth else ()
        if not arrived and not revealed:
            return
        self._answers = [answer for answer in self._answers if answer not in arrived]
        for answer in arrived:
            self._queue.close(answer.cluster)
            self._learn(answer)
        self._labels += revealed
        self._taught += len(revealed)
        if self._labels:
            for number, partition in enumerate(self._partitions):
                partition.pipeline.apply_labels(self._labels, self._taught)
                self._queue.rescore(number, partition.pipeline.posteriors)

    def _learn(self, answer: _Answer) -> None:
        """Take a verdict in; it may make the guesses of an earlier one vanish."""
        if answer.verdict is VerdictKind.REAL:
            unread = [one for one in answer.cluster.members if one not in answer.read]
            self._propagated += sum(member.truth == 1 for member in unread)
        self._random.decided(answer.cluster, answer.verdict)
        new, gone = self._rests.decided(answer.cluster, answer.verdict, answer.read)
        if not self._settings.feedback:
            return
        kept = [one for one in self._labels if one.verdict_id != gone or not one.inferred]
        self._taught += len(self._labels) - len(kept) + len(new)
        self._labels = [*kept, *new]

    def _scored(self) -> tuple[Floats, npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Return margin, truth and whether it was asked about, of each item with a known truth."""
        rows = [
            (margin, partition.truths[offset], (number, offset) in self._asked)
            for number, partition in enumerate(self._partitions)
            for offset, margin in partition.margins.items()
            if partition.truths[offset] != UNKNOWN
        ]
        table = np.array(rows, np.float64).reshape(len(rows), 3)
        return table[:, 0], table[:, 1].astype(np.int64), table[:, 2].astype(bool)
