"""A labelled source as a matrix: the features that a stream's config declares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from detectors.features.feature_set import FeatureSet
from streaming.config.model import StreamConfig
from streaming.decode import Decoder
from streaming.errors import SourceInvalid
from streaming.evaluate.stream import CHUNK, RATE
from streaming.evaluate.table import LabelledTable
from streaming.evaluate.truth import TruthReader
from streaming.records import Record
from streaming.sources.base import Source, SourceRow


def read_declared(config: StreamConfig, source: Source, label: str) -> LabelledTable:
    """Read the source to its end; bad records are left out.

    Raises:
        SourceInvalid: the source has no such column, it holds something else, or no row is good.
    """
    truth_reader = TruthReader(source.name, label)
    decoder, features = Decoder(config.fields), FeatureSet(config.features)
    parts: list[npt.NDArray[np.float32]] = []
    truths: list[npt.NDArray[np.int8]] = []
    position, rows, done = 0, 0, False
    while not done:
        chunk = source.read(position, CHUNK)
        truth = truth_reader.read(chunk.rows)
        decoded = decoder.decode(_records(config, chunk.rows, rows))
        good = np.array([record.offset - rows for record in decoded.records], np.intp)
        columns = decoder.columns(decoded.events)
        times = (good + rows) / RATE
        if config.time:
            times = np.asarray(columns[config.time], np.float64)
        parts.append(features.extract(columns, times))
        truths.append(truth[good])
        rows += len(chunk.rows)
        position, done = chunk.position, chunk.done
    X = np.concatenate(parts) if parts else np.empty((0, len(features.names)), np.float32)
    if not len(X):
        raise SourceInvalid(f"{source.name}: has no row that fits stream {config.stream}")
    return LabelledTable(features.names, X, np.concatenate(truths))


def _records(config: StreamConfig, rows: Sequence[SourceRow], first: int) -> Sequence[Record]:
    return [Record(config.stream, 0, first + i, row.key, row.value) for i, row in enumerate(rows)]
