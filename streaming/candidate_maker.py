"""Makes candidates of events: everything that the board needs to know of one."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from detectors.base import Matrix
from streaming.config.model import StreamConfig
from streaming.decode import Columns
from streaming.drift import reasons_of
from streaming.records import Position, Record
from triage.drift import SCHEMA_DRIFT, Drift
from triage.model import Candidate, Influence, Reason

DRIFT_MARGIN = 3.0  # log-odds; it comes first, but not before what surely is an attack


@dataclass(frozen=True, slots=True)
class Batch:
    """Accepted records with everything that scoring and explaining need of them."""

    records: Sequence[Record]
    events: Sequence[Any]
    columns: Columns
    times: npt.NDArray[np.float64]
    entities: Sequence[str] | None  # None: the stream has no key
    X: Matrix


class CandidateMaker:
    """Makes the candidates of one partition under one config."""

    def __init__(self, config: StreamConfig, partition: int, topic_id: str, detector: str) -> None:
        self._config = config
        self._partition = partition
        self._topic_id = topic_id
        self._detector = detector
        self._features_version = config.features_version()

    def of_row(
        self,
        batch: Batch,
        row: int,
        fields: Mapping[str, Any],
        *,
        score: float,
        margin: float,
        threshold: float,
        model_version: Position,
        reasons: tuple[Reason, ...],
        method: str,
        context: tuple[Mapping[str, Any], ...],
        influences: tuple[Influence, ...],
    ) -> Candidate:
        """Return the candidate that a row of the batch is, whose event has these fields."""
        config, record = self._config, batch.records[row]
        event_id = fields.get(config.event_id.field) if config.event_id else None
        return Candidate(
            candidate_id=self._id(record.offset, self._detector),
            stream=config.stream,
            config_version=config.version,
            features_version=self._features_version,
            detector=self._detector,
            partition=self._partition,
            offset=record.offset,
            event_id=None if event_id is None else str(event_id),
            event_time=float(batch.times[row]),
            entity=batch.entities[row] if batch.entities else "",
            entities={
                name: text_of(fields[name]) for name in config.entity_fields() if name in fields
            },
            score=score,
            margin=margin,
            posterior=1.0 / (1.0 + math.exp(-margin)),
            threshold=threshold,
            model_version=model_version,
            vector=batch.X[row].astype("<f4").tobytes(),
            reasons=reasons,
            method=method,
            context=context,
            record=fields,
            influences=influences,
            cohorts={
                name: text_of(fields[name]) for name in config.cohort_fields() if name in fields
            },
        )

    def of_drift(
        self,
        batch: Batch,
        row: int,
        fields: Mapping[str, Any],
        drifts: Sequence[Drift],
        model_version: Position,
    ) -> Candidate:
        """Return what tells of drift at a row of the batch. Nothing is learned from it."""
        plain = self.of_row(
            batch,
            row,
            fields,
            score=float(len(drifts)),
            margin=DRIFT_MARGIN,
            threshold=0.0,
            model_version=model_version,
            reasons=reasons_of(drifts, DRIFT_MARGIN),
            method=SCHEMA_DRIFT,
            context=(),
            influences=(),
        )
        return replace(
            plain,
            candidate_id=self._id(plain.offset, SCHEMA_DRIFT),
            detector=SCHEMA_DRIFT,
            features_version="",
            entity="",
            entities={},
            cohorts={},
        )

    def _id(self, offset: Position, detector: str) -> str:
        """Return the id that an event has under the same config, however often it is scored."""
        version = self._config.version
        name = f"{self._topic_id}/{self._partition}/{offset}/{detector}/{version}"
        return str(uuid.uuid5(uuid.NAMESPACE_OID, name))


def text_of(value: Any) -> str:
    """Return a value as the name of an entity."""
    return "" if value is None else str(value)
