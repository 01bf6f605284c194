"""One partition of one stream: records in, candidates out. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from detectors.base import Matrix, Snapshot, SnapshotError
from detectors.features.feature_set import FeatureSet
from detectors.learning.label_model import Labels
from detectors.model import Scored, StreamModel
from detectors.registry import build as build_detector
from detectors.state import nest, pack, unnest, unpack
from streaming.candidate_maker import Batch, CandidateMaker, text_of
from streaming.carry import ColumnKeys, carried
from streaming.config.model import StreamConfig
from streaming.decode import BadRecord, Decoder
from streaming.drift import DriftWatch, Explained
from streaming.entity_history import EntityHistory
from streaming.known import truths_of
from streaming.recent_ids import RecentIds
from streaming.records import Position, Record
from triage.drift import Drift
from triage.model import Candidate, Counters, Influence, Label, Reason

SNAPSHOT_FORMAT = 1
NOTHING_KNOWN: Mapping[str, ColumnKeys] = MappingProxyType({})
INFLUENCES = 5  # labels that a candidate tells of


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a batch of records came to.

    Attributes:
        margins: of the accepted records in order, before anything was learned from them.
        X: what the detector saw of them.
    """

    candidates: tuple[Candidate, ...]
    bad: tuple[BadRecord, ...]
    counters: Counters
    accepted: tuple[Record, ...]
    margins: npt.NDArray[np.float64]
    scores: npt.NDArray[np.float64]
    X: Matrix


class PartitionPipeline:
    """Decodes, scores, explains and learns the records of one partition, in order.

    Learning blocks are cut by the count of accepted records, never by how the records were handed
    in: any split of the same records gives the same candidates and the same state. The state is a
    pure function of the records, the label positions at which ``apply_labels`` was called, the
    config and its seed.
    """

    def __init__(self, config: StreamConfig, partition: int, topic_id: str) -> None:
        self._config = config
        self._partition = partition
        self._topic_id = topic_id
        self._decoder = Decoder(config.fields)
        self._features = FeatureSet(config.features)
        detector = build_detector(config.detectors, self._features.names, config.seed)
        self._maker = CandidateMaker(config, partition, topic_id, detector.kind)
        self._model = StreamModel(detector, config.learning_settings(), config.seed)
        self._ids = RecentIds(config.event_id.horizon) if config.event_id else None
        self._history = EntityHistory(config.context_fields())
        self._drift = DriftWatch(config.fields)
        self._explained = Explained(config)
        self._pending = np.empty((config.learning.block, len(self._features.names)), np.float32)
        self._pending_scores = np.empty(config.learning.block, np.float64)
        self._pending_margins = np.empty(config.learning.block, np.float64)
        self._pending_rows = 0
        self._last_event_time: float | None = None

    @property
    def config(self) -> StreamConfig:
        """The config that it works by."""
        return self._config

    @property
    def partition(self) -> int:
        """Number of its partition."""
        return self._partition

    @property
    def topic_id(self) -> str:
        """Id of its topic."""
        return self._topic_id

    @property
    def columns(self) -> Sequence[str]:
        """What the detector sees of an event."""
        return self._features.names

    @property
    def drifts(self) -> tuple[Drift, ...]:
        """The fields that no longer come as they used to."""
        return self._drift.open

    @property
    def model_version(self) -> int:
        """Label position in force."""
        return self._model.model_version

    @property
    def warm_up_left(self) -> int:
        """Accepted records until alerts start: they do at the end of a block."""
        block = len(self._pending)
        blocks = -(-self._model.warm_up_left // block)
        return max(0, blocks * block - self._pending_rows)

    @property
    def threshold(self) -> float:
        """Margin that a record needs to become a candidate; infinite before the first block."""
        return self._model.threshold

    @property
    def last_event_time(self) -> float | None:
        """Largest event time seen, seconds since 1970."""
        return self._last_event_time

    def process(self, records: Sequence[Record]) -> Outcome:
        """Score the records, learn each block that they fill, and return what came of them."""
        drifting, turns = self._drift.open, self._drift.add(records)
        decoded = self._decoder.decode(records)
        good, events, duplicates = self._without_duplicates(decoded.records, decoded.events)
        candidates: list[Candidate] = []
        held_back = 0
        margins = np.empty(len(good), np.float64)
        scores = np.empty(len(good), np.float64)
        X = np.empty((0, len(self._features.names)), np.float32)
        if good:
            batch = self._extract(good, events)
            X = batch.X
            start = 0
            while start < len(good):
                stop = min(len(good), start + len(self._pending) - self._pending_rows)
                scored = self._model.score(batch.X[start:stop])
                margins[start:stop], scores[start:stop] = scored.margin, scored.z
                let = self._model.admit(scored, batch.times[start:stop])
                held_back += int(scored.alert.sum() - let.alert.sum())
                candidates += self._candidates(batch, start, let)
                self._learn(batch.X[start:stop], scored)
                start = stop
            found = len(candidates)
            candidates = self._explained.others(candidates, drifting, turns)
            held_back += found - len(candidates)
            if told := self._drifted(batch):
                candidates = sorted([*candidates, *told], key=lambda one: one.offset)
        counters = Counters(
            accepted=len(good),
            dead_lettered=len(decoded.bad),
            duplicates=duplicates,
            candidates=len(candidates),
            held_back=held_back,
        )
        return Outcome(
            tuple(candidates), tuple(decoded.bad), counters, tuple(good), margins, scores, X
        )

    def apply_labels(
        self,
        labels: Sequence[Label],
        position: Position,
        known: Mapping[str, ColumnKeys] = NOTHING_KNOWN,
    ) -> bool:
        """Take in exactly the labels in force at ``position``; return whether scores change by it.

        They don't where the log has grown by a truth about no candidate of ours. All labels count
        in the records of their entities. The label model is refitted from those whose vectors have
        columns of ours; ``known``: the columns of other versions of features.
        """
        if self._features.takes_truths:
            self._features.set_truths(truths_of(labels))
        labels = carried(labels, self._config, known)
        return self._model.set_labels(
            Labels(
                ids=tuple(label.candidate_id for label in labels),
                X=vectors([label.vector for label in labels], len(self._features.names)),
                y=np.array([label.y for label in labels], np.float64),
                weight=np.array([label.weight for label in labels], np.float64),
                times=np.array([label.event_time for label in labels], np.float64),
            ),
            position,
        )

    def posteriors(self, blobs: Sequence[bytes]) -> npt.NDArray[np.float64]:
        """Return the probabilities of kept feature vectors under the model as it is now."""
        return sigmoid(self._model.margins(vectors(blobs, len(self._features.names))))

    def snapshot(self) -> bytes:
        """Return the whole state."""
        parts = {
            "features": self._features.snapshot(),
            "model": self._model.snapshot(),
            "history": self._history.snapshot(),
            "drift": self._drift.snapshot(),
            "pending": Snapshot(
                {"last_event_time": self._last_event_time},
                {
                    "X": self._pending[: self._pending_rows],
                    "scores": self._pending_scores[: self._pending_rows],
                    "margins": self._pending_margins[: self._pending_rows],
                },
            ),
            "header": Snapshot(
                {
                    "format": SNAPSHOT_FORMAT,
                    "state": self._config.state_version(),
                    "topic_id": self._topic_id,
                    "partition": self._partition,
                },
                {},
            ),
        }
        if self._ids:
            parts["ids"] = self._ids.snapshot()
        return pack(nest(parts))

    def restore(self, blob: bytes) -> None:
        """Replace the state. Raises SnapshotError if the blob is damaged or of something else."""
        parts = unnest(unpack(blob))
        expected = {
            "format": SNAPSHOT_FORMAT,
            "state": self._config.state_version(),
            "topic_id": self._topic_id,
            "partition": self._partition,
        }
        for name, value in expected.items():
            if (found := parts["header"].meta.get(name)) != value:
                raise SnapshotError(f"snapshot is of {name} {found!r}, this is {value!r}")
        self._features.restore(parts["features"])
        self._model.restore(parts["model"])
        self._history.restore(parts["history"])
        if "drift" in parts:  # snapshots of earlier programs have none
            self._drift.restore(parts["drift"])
        if self._ids:
            self._ids.restore(parts["ids"])
        pending = parts["pending"]
        self._last_event_time = pending.meta["last_event_time"]
        self._pending_rows = len(pending.arrays["X"])
        self._pending[: self._pending_rows] = pending.arrays["X"]
        self._pending_scores[: self._pending_rows] = pending.arrays["scores"]
        self._pending_margins[: self._pending_rows] = pending.arrays["margins"]

    def _without_duplicates(
        self, records: Sequence[Record], events: Sequence[Any]
    ) -> tuple[Sequence[Record], Sequence[Any], int]:
        if self._ids is None or self._config.event_id is None:
            return records, events, 0
        column = self._decoder.columns(events)[self._config.event_id.field]
        new = [i for i, event_id in enumerate(column) if self._ids.is_new(str(event_id))]
        kept = [records[i] for i in new], [events[i] for i in new]
        return *kept, len(records) - len(new)

    def _extract(self, records: Sequence[Record], events: Sequence[Any]) -> Batch:
        columns = self._decoder.columns(events)
        if self._config.time:
            times = np.asarray(columns[self._config.time], np.float64)
        else:
            times = np.array([record.timestamp_ms for record in records], np.float64) / 1000
        latest = float(times.max())
        self._last_event_time = max(latest, self._last_event_time or latest)
        entities = None
        if self._config.key:
            entities = [text_of(value) for value in columns[self._config.key]]
        X = self._features.extract(columns, times)
        return Batch(records, events, columns, times, entities, X)

    def _learn(self, X: Matrix, scored: Scored) -> None:
        rows = slice(self._pending_rows, self._pending_rows + len(X))
        self._pending[rows] = X
        self._pending_scores[rows], self._pending_margins[rows] = scored.z, scored.margin
        self._pending_rows += len(X)
        if self._pending_rows == len(self._pending):
            self._model.learn(self._pending, self._pending_scores, self._pending_margins)
            self._pending_rows = 0

    def _candidates(self, batch: Batch, start: int, scored: Scored) -> list[Candidate]:
        """Make candidates of the alerting rows; remember every row in its entity's history."""
        alerting = np.flatnonzero(scored.alert)
        span = slice(start, start + len(scored.z))
        contexts = self._history.before(
            alerting,
            batch.times[span],
            {name: batch.columns[name][span] for name in self._history.fields},
            batch.entities[span] if batch.entities else None,
        )
        if not len(alerting):
            return []
        rows = batch.X[start + alerting]
        why = self._model.explain(rows)
        low, high = self._model.usual_range()
        influences = self._model.influences(rows, INFLUENCES)
        candidates = []
        for k, i in enumerate(alerting):
            row = start + int(i)
            fields = self._decoder.fields(batch.events[row])
            reasons = self._features.reasons(rows[k], why.values[k], fields, low, high)
            candidates.append(
                self._maker.of_row(
                    batch,
                    row,
                    fields,
                    score=float(scored.z[i]),
                    margin=float(scored.margin[i]),
                    threshold=float(scored.threshold[i]),
                    model_version=self.model_version,
                    reasons=tuple(
                        Reason(
                            feature=reason.feature,
                            label=reason.label,
                            contribution=reason.contribution,
                            value=reason.value,
                            text=reason.text,
                            usual=reason.usual,
                            ratio=reason.ratio,
                            entity=reason.entity,
                        )
                        for reason in reasons
                    ),
                    method=why.explained_by(k),
                    context=contexts[k],
                    influences=tuple(
                        Influence(each.label_id, each.y, each.shift) for each in influences[k]
                    ),
                )
            )
        return candidates

    def _drifted(self, batch: Batch) -> list[Candidate]:
        """Return what tells of drift, at the first accepted record from where it was noticed."""
        told: list[Candidate] = []
        for row, record in enumerate(batch.records):
            if self._drift.untold is None:
                break
            if drifts := self._drift.tell(record.offset):
                fields = self._decoder.fields(batch.events[row])
                told.append(self._maker.of_drift(batch, row, fields, drifts, self.model_version))
        return told


def vectors(blobs: Sequence[bytes], features: int) -> Matrix:
    """Return kept feature vectors as a matrix."""
    if not blobs:
        return np.empty((0, features), np.float32)
    return np.frombuffer(b"".join(blobs), "<f4").reshape(len(blobs), features).astype(np.float32)


def sigmoid(margin: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return 1 / (1 + exp(-margin)) without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * margin))
