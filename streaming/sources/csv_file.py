"""A CSV file with a header line: comma, semicolon, tab or bar; UTF-8.

Cells are text unless the stream declares another type; an empty cell is null. A cell that is not
of its declared type stays text, and a line with too few or too many cells goes on as it stands:
both end as dead letters.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streaming.errors import SourceInvalid
from streaming.field_path import path_of
from streaming.sources._files import check_columns, identities_of_lines, open_file
from streaming.sources._values import encode, from_text, key_of
from streaming.sources.base import (
    MAX_CHUNK_BYTES,
    MAX_ROW_BYTES,
    Chunk,
    Declaration,
    SourceRow,
    key_path,
    row_of,
    types_by_path,
)

DELIMITERS = ",;\t|"


class CsvFile:
    """Reads rows in order; a blank line is passed over but has a position."""

    resumable = True

    def __init__(self, path: Path, declaration: Declaration) -> None:
        self.name = str(path)
        self._path = path
        open_file(path).close()
        self.identities = identities_of_lines(path, 2)  # the header and a row
        self._total: int | None = None
        self._names = _header(path, declaration)
        self._rows = _RawRows(path)
        types = types_by_path(declaration)
        self._convert = [from_text(types.get((name,))) for name in self._names]
        self._key = key_path(declaration)

    def read(self, position: int, max_records: int) -> Chunk:
        """See ``Source``."""
        if position < self._rows.position:
            self._rows.close()
            self._rows = _RawRows(self._path)
        while self._rows.position < position and self._rows.next() is not None:
            pass
        rows: list[SourceRow] = []
        size = 0
        for _ in range(max_records):
            raw = self._rows.next()
            if raw is None:
                return Chunk(rows, self._rows.position, done=True)
            if raw.text.strip():
                row = self._row(raw)
                rows.append(row)
                size += len(row.value)
                if size > MAX_CHUNK_BYTES:
                    break
        return Chunk(rows, self._rows.position)

    def total(self) -> int | None:
        """See ``Source``. Counts the rows once."""
        if self._total is None:
            rows = _RawRows(self._path)
            while rows.next() is not None:
                pass
            rows.close()
            self._total = rows.position
        return self._total

    def close(self) -> None:
        """See ``Source``."""
        self._rows.close()

    def _row(self, raw: _RawRow) -> SourceRow:
        cells = raw.cells
        if len(cells) != len(self._names):
            return _as_it_stands(raw)
        values = {
            name: _value(cell, convert)
            for name, cell, convert in zip(self._names, cells, self._convert, strict=True)
        }
        try:
            value = encode(values)
        except UnicodeEncodeError:
            return _as_it_stands(raw)
        key = None if self._key is None else key_of(values[self._key[0]])
        return row_of(key, value)


@dataclass(frozen=True, slots=True)
class _RawRow:
    """One row: its cells (none if the quoting is broken) and the text it was read from."""

    cells: Sequence[str]
    text: str


class _RawRows:
    """The rows of one pass over the file."""

    def __init__(self, path: Path) -> None:
        # surrogateescape: bytes that are no UTF-8 survive until they are a dead letter
        self._file = path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")
        first = self._file.readline(MAX_ROW_BYTES)
        if "\0" in first:
            self._file.close()
            raise SourceInvalid(f"{path}: is not a text file; save it as CSV in UTF-8")
        delimiter = max(DELIMITERS, key=first.count)
        cells = next(csv.reader(io.StringIO(first), delimiter=delimiter), [])
        self.header = [cell.strip() for cell in cells]
        self._reader = csv.reader(self._lines(), delimiter=delimiter, strict=True)
        self._taken: list[str] = []
        self._put_back: list[str] = []
        self.position = 0

    def next(self) -> _RawRow | None:
        """Return the next row, None at the end.

        A quote that is never closed would swallow the good lines after it: of a bad row with
        several lines the first is returned and the others are read again.
        """
        self._taken = []
        try:
            cells = next(self._reader, None)
        except csv.Error:
            cells = []
        if cells is None:
            return None
        self.position += 1
        if len(cells) != len(self.header) and len(self._taken) > 1:
            self._put_back = self._taken[1:] + self._put_back
            return _RawRow((), self._taken[0])
        return _RawRow(cells, "".join(self._taken))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _lines(self) -> Iterator[str]:
        while (
            line := self._put_back.pop(0) if self._put_back else self._file.readline(MAX_ROW_BYTES)
        ):
            self._taken.append(line)
            yield line


def _header(path: Path, declaration: Declaration) -> list[str]:
    """Return the columns' names. Raises SourceInvalid if the file can't be the stream's."""
    rows = _RawRows(path)
    try:
        for name, field in declaration.fields.items():
            if len(path_of(name, field)) > 1:
                raise SourceInvalid(
                    f'{path}: a cell holds no object, but "{name}" has a path of several keys: '
                    "name a JSON-lines or Parquet file, or leave the path out"
                )
        check_columns(path, rows.header, declaration)
        if rows.next() is None:
            raise SourceInvalid(f"{path}: has a header and no rows; name a file with data")
    finally:
        rows.close()
    return rows.header


def _value(cell: str, convert: Callable[[str], Any] | None) -> Any:
    if not cell:
        return None
    return cell if convert is None else convert(cell)


def _as_it_stands(raw: _RawRow) -> SourceRow:
    line = raw.text.rstrip("\r\n").encode(errors="surrogateescape")
    return row_of(None, line)


def open_source(name: str, declaration: Declaration) -> CsvFile:
    """Open the file of this path."""
    return CsvFile(Path(name), declaration)
