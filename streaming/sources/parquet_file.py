"""A Parquet file; its own types, bent to the declared ones where that loses nothing.

A column of structs holds fields with a ``path``. Times become ISO 8601, NaN and infinity null,
dictionary columns their values. Numbers in a column that is declared ``string`` (ids, ports) become
text, text that is declared ``number`` is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from streaming.errors import SourceInvalid
from streaming.field_path import Path as FieldPath
from streaming.sources._files import check_columns, identity_of_whole, open_file
from streaming.sources._values import from_text, plain, rows_of
from streaming.sources.base import Chunk, Declaration, SourceRow, key_path, types_by_path

BATCH_ROWS = 2_000


class ParquetFile:
    """Reads rows in the file's order."""

    resumable = True

    def __init__(self, path: Path, declaration: Declaration) -> None:
        self.name = str(path)
        self._path = path
        open_file(path).close()
        self.identities = identity_of_whole(path)
        try:
            self._file = pq.ParquetFile(path)
        except (pa.ArrowException, OSError) as error:
            raise SourceInvalid(f"{path}: is not a Parquet file, or damaged: {error}") from error
        self._rows = int(self._file.metadata.num_rows)
        self._names = list(self._file.schema_arrow.names)
        check_columns(path, self._names, declaration)
        if not self._rows:
            raise SourceInvalid(f"{path}: has no rows; name a file with data")
        self._key = key_path(declaration)
        self._types = types_by_path(declaration)
        self._position = 0
        self._batches = self._batches_from(0)
        self._waiting: list[SourceRow] = []

    def read(self, position: int, max_records: int) -> Chunk:
        """See ``Source``."""
        if position != self._position:
            self._batches = self._batches_from(position)
            self._waiting = []
            self._position = position
        while len(self._waiting) < max_records:
            batch = self._next_batch()
            if batch is None:
                break
            self._waiting += batch
        rows, self._waiting = self._waiting[:max_records], self._waiting[max_records:]
        self._position += len(rows)
        return Chunk(rows, self._position, done=self._position >= self._rows)

    def total(self) -> int | None:
        """See ``Source``."""
        return self._rows

    def close(self) -> None:
        """See ``Source``."""
        self._file.close()

    def _next_batch(self) -> list[SourceRow] | None:
        try:
            batch = next(self._batches, None)
        except (pa.ArrowException, OSError) as error:
            raise SourceInvalid(f"{self._path}: is damaged: {error}; get it anew") from error
        if batch is None:
            return None
        columns = [
            _values(column, (name,), self._types)
            for name, column in zip(self._names, batch.columns, strict=True)
        ]
        return rows_of(self._names, columns, self._key)

    def _batches_from(self, position: int) -> Iterator[pa.RecordBatch]:
        """Return batches that start at the row ``position``, reading no row group before it."""
        first = 0
        groups: list[int] = []
        for group in range(self._file.metadata.num_row_groups):
            rows = int(self._file.metadata.row_group(group).num_rows)
            if groups or first + rows > position:
                groups.append(group)
            else:
                first += rows
        skip = position - first
        for batch in self._file.iter_batches(BATCH_ROWS, row_groups=groups):
            if skip < batch.num_rows:
                yield batch.slice(skip)
            skip = max(0, skip - batch.num_rows)


def _values(column: pa.Array, path: FieldPath, types: Mapping[FieldPath, str]) -> Sequence[Any]:
    """Return a column's values as JSON can hold them, of the declared types where these fit."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _values(column.dictionary_decode(), path, types)
    if pa.types.is_struct(kind) and kind.num_fields:
        names = [field.name for field in kind]
        parts = zip(names, column.flatten(), strict=True)
        inner = [_values(part, (*path, name), types) for name, part in parts]
        rows = zip(column.is_valid().to_pylist(), zip(*inner, strict=True), strict=True)
        return [dict(zip(names, row, strict=True)) if valid else None for valid, row in rows]
    declared = types.get(path)
    if pa.types.is_float16(kind) or pa.types.is_float32(kind):
        column = column.cast(pa.string()).cast(pa.float64())  # 0.85, not 0.8500000238418579
    elif pa.types.is_decimal(kind):
        is_id = declared == "string" and kind.scale == 0
        column = column.cast(pa.string() if is_id else pa.float64())
    elif pa.types.is_date(kind):
        column = column.cast(pa.timestamp("us"))
    elif pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)
    elif pa.types.is_time(kind):
        column = column.cast(pa.string())
    values: list[Any] = column.to_pylist()
    return _fit(values, column.type, declared)


def _fit(values: list[Any], kind: pa.DataType, declared: str | None) -> list[Any]:
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    if is_text:
        convert = from_text(declared)
        return values if convert is None else [v if v is None else convert(v) for v in values]
    if declared == "string" and (pa.types.is_boolean(kind) or _is_number(kind)):
        return [v if v is None else plain(v) for v in values]
    if declared == "number" and pa.types.is_boolean(kind):
        return [v if v is None else int(v) for v in values]
    if declared == "boolean" and _is_number(kind):
        return [bool(v) if v in (0, 1) else v for v in values]
    return values


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def open_source(name: str, declaration: Declaration) -> ParquetFile:
    """Open the file of this path."""
    return ParquetFile(Path(name), declaration)
