"""Keeps the view of one stream close to what the store says."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from detectors.features.feature_set import FeatureSet
from detectors.learning.label_model import Labels
from streaming.advisor.snapshot_model import SnapshotModel, restored
from streaming.advisor.view import PartitionView, StreamView, coded
from streaming.advisor.waiting import WaitingRows
from streaming.carry import carried
from streaming.config.load import parse
from streaming.config.model import StreamConfig
from streaming.config_book import ConfigBook
from streaming.errors import ConfigInvalid
from streaming.pipeline import vectors
from triage.errors import NotAvailable
from triage.model import Label
from triage.store.base import SnapshotRow
from triage.store.base_advisor import AdvisorReads, SnapshotMark, Waiting
from triage.store.base_configs import ConfigStore

log = logging.getLogger(__name__)

MOST_WAITING = 50_000
"""Open candidates of a stream that are looked at, the newest; beyond that a look takes too long."""


class AdvisorStore(AdvisorReads, ConfigStore, Protocol):
    """What the advisor needs of a store."""

    def label_position(self, stream: str) -> int:
        """Return the newest position of the stream's label log (0 = empty)."""

    def labels_at(self, stream: str, position: int) -> Sequence[Label]:
        """Return the labels in force at a position."""

    def snapshots(self, stream: str, partition: int) -> Sequence[SnapshotRow]:
        """Return the kept snapshots, newest first."""


class StreamKeeper:
    """Follows the config, the snapshots, the label log and the open candidates of a stream.

    ``refresh`` does what has changed since the last time, and nothing else.
    """

    def __init__(self, store: AdvisorStore, stream: str) -> None:
        self._store, self._stream = store, stream
        self._config: StreamConfig | None = None
        self._features = FeatureSet(())
        self._models: dict[int, SnapshotModel] = {}
        self._numbers: dict[int, int] = {}
        self._rows: dict[int, WaitingRows] = {}
        self._labels: Labels | None = None
        self._labelled: Mapping[str, str] = {}
        self._told: frozenset[str] = frozenset()
        self._trust: Mapping[str, float] = {}
        self._position = -1
        self._seen: object = None
        self._view: StreamView | None = None

    def refresh(self) -> StreamView:
        """Return the view as the store has it now. Raises NotAvailable with what is missing."""
        config = self._follow_config()
        marks = self._store.snapshot_marks(self._stream)
        news = self._store.news(), self._store.label_position(self._stream), config.version, marks
        if self._view is None or news != self._seen:
            self._follow_labels(config, news[1])
            self._follow_snapshots(config, marks)
            self._view = self._look(config, marks)
            self._seen = news
        return self._view

    def _follow_config(self) -> StreamConfig:
        live = self._store.live_config(self._stream)
        if live is None:
            raise NotAvailable(f"{self._stream} has no config yet")
        if self._config is not None and live.version == self._config.version:
            return self._config
        try:
            config = parse(live.text, self._stream)
        except ConfigInvalid as error:
            raise NotAvailable(
                f"the config of {self._stream} is not one of this program: {error.problems[0]}"
            ) from error
        if self._config is None or config.state_version() != self._config.state_version():
            self._models, self._numbers, self._rows, self._view = {}, {}, {}, None
            self._position = -1
        self._config, self._features = config, FeatureSet(config.features)
        return config

    def _follow_labels(self, config: StreamConfig, position: int) -> None:
        if position == self._position and self._labels is not None:
            return
        known = ConfigBook(self._store, self._stream)
        labels = carried(self._store.labels_at(self._stream, position), config, known)
        self._labels = Labels(
            ids=tuple(label.candidate_id for label in labels),
            X=vectors([label.vector for label in labels], len(self._features.names)),
            y=np.array([label.y for label in labels], np.float64),
            weight=np.array([label.weight for label in labels], np.float64),
            times=np.array([label.event_time for label in labels], np.float64),
        )
        self._labelled = {label.candidate_id: label.verdict_id for label in labels}
        self._told = frozenset(label.candidate_id for label in labels if label.source)
        self._trust = self._store.trust(self._stream)
        self._position = position
        for partition, model in self._models.items():
            self._models[partition] = model.relabelled(self._labels)

    def _follow_snapshots(self, config: StreamConfig, marks: Mapping[int, SnapshotMark]) -> None:
        assert self._labels is not None  # noqa: S101 - _follow_labels comes first
        trouble: list[NotAvailable] = []
        for partition, mark in marks.items():
            if self._numbers.get(partition) == mark.number:
                continue
            rows = self._store.snapshots(self._stream, partition)
            try:
                model = restored(config, partition, rows[0], self._features)
            except NotAvailable as error:
                log.debug("%s", error)
                trouble.append(error)
                continue
            self._models[partition] = SnapshotModel(model, rows[0].offset, self._labels)
            self._numbers[partition] = mark.number
            self._rows.pop(partition, None)
        if not self._models:
            raise (
                trouble[0]
                if trouble
                else NotAvailable(
                    f"{self._stream} has no snapshot yet: its detector is still warming up"
                )
            )

    def _look(self, config: StreamConfig, marks: Mapping[int, SnapshotMark]) -> StreamView:
        waiting = self._store.waiting(self._stream, MOST_WAITING)
        codes = coded({one.cluster_id for one in waiting})
        views: dict[int, PartitionView] = {}
        for partition, model in self._models.items():
            rows = self._walked(config, model, partition, waiting)
            places = np.array([codes[name] for name in rows.clusters], np.intp)
            views[partition] = PartitionView(model, rows, places)
        return StreamView(
            features=self._features,
            features_version=config.features_version(),
            partitions=views,
            clusters=tuple(codes),
            labelled=self._labelled,
            told=self._told,
            trust=self._trust,
            position=self._position,
            left_out=len(waiting) - sum(len(view.codes) for view in views.values()),
            behind=sum(
                marks[partition].next_offset - model.offset
                for partition, model in self._models.items()
                if partition in marks
            ),
        )

    def _walked(
        self,
        config: StreamConfig,
        model: SnapshotModel,
        partition: int,
        waiting: Sequence[Waiting],
    ) -> WaitingRows:
        """Return the open candidates of a partition, with the cells that they fall into."""
        width = len(self._features.names)
        before = self._rows.get(partition) or WaitingRows.of(model, (), (), vectors([], width))
        clusters = {
            one.candidate_id: one.cluster_id for one in waiting if one.partition == partition
        }
        known = frozenset(before.ids)
        found = self._store.vectors([name for name in clusters if name not in known])
        version = config.features_version()
        new = [name for name, one in found.items() if one.features_version == version]
        rows = before.now(
            model, clusters, new, vectors([found[name].vector for name in new], width)
        )
        self._rows[partition] = rows
        return rows
