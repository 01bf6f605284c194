"""A file with one JSON object per line; lines go to the log byte by byte as they stand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from streaming.errors import SourceInvalid
from streaming.field_path import Path as FieldPath
from streaming.sources._files import identities_of_lines, missing_column, open_file
from streaming.sources._lines import KeyReader, LineReader, names_in
from streaming.sources.base import Chunk, Declaration, SourceRow, key_path

SAMPLE_LINES = 200  # looked at for a declared key before anything is sent


class JsonLinesFile:
    """Reads lines; a blank one is passed over but has a position."""

    resumable = True

    def __init__(self, path: Path, declaration: Declaration) -> None:
        self.name = str(path)
        self._path = path
        key = key_path(declaration)
        self._key = KeyReader(key)
        self._total: int | None = None
        with open_file(path) as file:
            _check(path, LineReader(file).chunk(SAMPLE_LINES, self._key).rows, key)
        self._file = open_file(path)
        self.identities = identities_of_lines(path, 1)
        self._lines = LineReader(self._file)

    def read(self, position: int, max_records: int) -> Chunk:
        """See ``Source``."""
        if position < self._lines.position:
            self._file.seek(0)
            self._lines = LineReader(self._file)
        self._lines.skip(position - self._lines.position)
        return self._lines.chunk(max_records, self._key)

    def total(self) -> int | None:
        """See ``Source``. Counts the lines once."""
        if self._total is None:
            with self._path.open("rb") as file:
                lines = LineReader(file)
                lines.skip(None)
                self._total = lines.position
        return self._total

    def close(self) -> None:
        """See ``Source``."""
        self._file.close()


def _check(path: Path, rows: Sequence[SourceRow], key: FieldPath | None) -> None:
    """Refuse what can't be meant: no line at all, a JSON array, a key that no line has."""
    if not rows:
        raise SourceInvalid(f"{path}: has no data, only blank lines")
    if rows[0].value.lstrip().startswith(b"["):
        raise SourceInvalid(f"{path}: holds a JSON array; write one object per line")
    if key is not None and all(row.key is None for row in rows):
        names = names_in(row.value for row in rows)
        if names and ".".join(key) not in names:
            raise SourceInvalid(missing_column(path, ".".join(key), names))


def open_source(name: str, declaration: Declaration) -> JsonLinesFile:
    """Open the file of this path."""
    return JsonLinesFile(Path(name), declaration)
