"""A labelled file as a matrix: every column a feature, no config needed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet

from streaming.errors import SourceInvalid
from streaming.sources.registry import PIPE, built_in

_LABEL_PREFIXES = ("label", "row", "LEAK_")
_DESCRIPTIONS = frozenset(
    {"window_id", "part", "capture", "scenario", "tactic", "techniques", "n_red"}
)
"""Columns of public sets that describe the recording, not the event."""


@dataclass(frozen=True, slots=True)
class LabelledTable:
    """A file's rows, in order.

    Attributes:
        names: columns of ``X``. ``truth``: 1 anomaly, 0 normal, -1 not known.
    """

    names: tuple[str, ...]
    X: npt.NDArray[np.float32]
    truth: npt.NDArray[np.int8]


def read_labelled(path: Path, label: str) -> LabelledTable:
    """Read a Parquet, CSV or JSON-lines file. Raises SourceInvalid with the remedy.

    Numbers and booleans are taken as they are; texts as -log of their share of the file; times and
    nested values are left out, as are the columns that ``is_input`` refuses.
    """
    table = read_table(path)
    if label not in table.column_names:
        raise SourceInvalid(
            f"{path}: has no column {label!r}; its columns are {', '.join(table.column_names)}"
        )
    columns = {
        name: values
        for name in table.column_names
        if is_input(name, label) and (values := _numeric(table[name])) is not None
    }
    if not columns or not table.num_rows:
        raise SourceInvalid(f"{path}: has no rows, or no column that can be a feature")
    X = np.column_stack(list(columns.values())).astype(np.float32)
    return LabelledTable(tuple(columns), X, _truth(path, label, table[label]))


def is_input(name: str, label: str) -> bool:
    """Say whether a column may be a feature: not the label, a row number or a give-away."""
    return name != label and name not in _DESCRIPTIONS and not name.startswith(_LABEL_PREFIXES)


def read_table(path: Path) -> pa.Table:
    """Read a Parquet, CSV or JSON-lines file as it stands. Raises SourceInvalid with the remedy."""
    readers = {
        ".parquet": pyarrow.parquet.read_table,
        ".pq": pyarrow.parquet.read_table,
        ".csv": pyarrow.csv.read_csv,
        ".tsv": _read_tsv,
        ".jsonl": pyarrow.json.read_json,
        ".ndjson": pyarrow.json.read_json,
        ".json": pyarrow.json.read_json,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        if path.name == PIPE or path.name.partition("?")[0] in built_in():
            raise SourceInvalid(f"{path}: is no file; say with --stream what its columns are")
        raise SourceInvalid(f"{path}: ends in none of {', '.join(readers)}; rename or convert it")
    try:
        return reader(path)
    except (OSError, pa.ArrowException) as error:
        raise SourceInvalid(f"{path}: can't be read: {error}") from error


def _read_tsv(path: Path) -> pa.Table:
    return pyarrow.csv.read_csv(path, parse_options=pyarrow.csv.ParseOptions(delimiter="\t"))


def _numeric(column: Any) -> npt.NDArray[np.float64] | None:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_boolean(kind):
        column, kind = column.cast(pa.int8()), pa.int8()
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        values = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
        return np.where(np.isfinite(values), np.clip(values, -1e30, 1e30), np.nan)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _rarity(column.to_pylist())
    if pa.types.is_null(kind):
        return np.full(len(column), np.nan)
    return None


def _rarity(texts: Sequence[str | None]) -> npt.NDArray[np.float64]:
    """Return -log of each text's share; a missing one is a text like any other."""
    known = np.array(["" if text is None else f"={text}" for text in texts], dtype=object)
    _, place, counts = np.unique(known.astype(str), return_inverse=True, return_counts=True)
    rarity: npt.NDArray[np.float64] = -np.log(counts / len(texts))[place]
    return rarity


def _truth(path: Path, label: str, column: Any) -> npt.NDArray[np.int8]:
    values = column.to_pylist()
    wrong: Collection[Any] = {value for value in values if value not in (0, 1, -1, None)}
    if wrong:
        raise SourceInvalid(
            f"{path}: column {label!r} holds {min(wrong, key=str)!r}; a label is 1 (anomaly), "
            "0 (normal), or -1 or empty (not known)"
        )
    return np.array([-1 if value is None else int(value) for value in values], np.int8)
