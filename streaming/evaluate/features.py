"""What an evaluation sees of a file: by a stream's config, or every column without one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import yaml

from detectors.features.feature_set import FeatureSet
from streaming.config.load import parse
from streaming.config.model import StreamConfig
from streaming.decode import Decoder
from streaming.evaluate.table import LabelledTable, is_input, read_table
from streaming.evaluate.truth import TruthReader
from streaming.records import Record
from streaming.sources.base import Source

CHUNK = 5_000  # rows read at a time
BLOCKS = (64, 1024)  # smallest and largest learning block; in between a twentieth of the file


def config_of_columns(path: Path, label: str) -> StreamConfig:
    """Return a config in which every column is a feature: numbers as they are, texts by frequency.

    Left out are the columns that ``is_input`` refuses, times and nested values. Raises
    SourceInvalid if the file can't be read.
    """
    table = read_table(path)
    types = {
        field.name: kind
        for field in table.schema
        if is_input(field.name, label) and (kind := _field_type(field.type)) is not None
    }
    block = int(np.clip(table.num_rows // 20, *BLOCKS))
    text = yaml.safe_dump(
        {
            "stream": "all-columns",
            "fields": types,
            "features": [
                {"kind": "frequency" if kind == "string" else "number", "field": name}
                for name, kind in types.items()
            ],
            "detectors": [{"kind": "isolation_forest"}],
            "learning": {"block": block, "warm_up": block},
            "alert_budget": "1%",
        },
        sort_keys=False,
        allow_unicode=True,
    )
    return parse(text, f"every column of {path.name}")


def table_by_config(config: StreamConfig, source: Source, label: str) -> LabelledTable:
    """Return the features of a source's good rows, taken in their order, and the labels."""
    decoder, features = Decoder(config.fields), FeatureSet(config.features)
    reader = TruthReader(source.name, label)
    parts, truths = [], []
    position, done = 0, False
    while not done:
        chunk = source.read(position, CHUNK)
        position, done = chunk.position, chunk.done
        truth = reader.read(chunk.rows)
        records = [Record("", 0, i, row.key, row.value) for i, row in enumerate(chunk.rows)]
        decoded = decoder.decode(records)
        if not decoded.events:
            continue
        columns = decoder.columns(decoded.events)
        kept = [record.offset for record in decoded.records]
        times = columns[config.time] if config.time else np.arange(position - len(kept), position)
        parts.append(features.extract(columns, np.asarray(times, np.float64)))
        truths.append(truth[kept])
    if not parts:
        empty = np.empty((0, len(features.names)), np.float32)
        return LabelledTable(features.names, empty, np.empty(0, np.int8))
    return LabelledTable(features.names, np.vstack(parts), np.concatenate(truths))


def _field_type(kind: pa.DataType) -> str | None:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "string"
    return None
