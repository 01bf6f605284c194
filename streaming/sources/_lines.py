"""Lines of JSON as rows: shared by files and pipes."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from typing import Any, BinaryIO

import msgspec

from streaming.field_path import Path, leaves
from streaming.sources._values import key_of
from streaming.sources.base import MAX_CHUNK_BYTES, MAX_ROW_BYTES, Chunk, SourceRow


class LineReader:
    """Reads lines in order and counts them; of an overlong one it keeps the beginning.

    ``file`` is at its beginning: a byte order mark there is passed over.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.position = 0
        self.truncated_from = 0
        """How many bytes the last line had if it was overlong, else 0."""

    def skip(self, lines: int | None) -> None:
        """Pass over so many lines (None: over all); stop at the end."""
        while (lines is None or lines > 0) and self.line() is not None:
            lines = None if lines is None else lines - 1

    def line(self) -> bytes | None:
        """Return the next line without its end, None at the end of the file."""
        line = self._file.readline(MAX_ROW_BYTES)
        if not line:
            return None
        self.position += 1
        part, size = line, len(line)
        while part and not part.endswith(b"\n"):
            part = self._file.readline(MAX_ROW_BYTES)
            size += len(part)
        size -= part.endswith(b"\n")  # the end is no part of the line
        self.truncated_from = size if size > MAX_ROW_BYTES else 0
        if self.position == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        return line.rstrip(b"\r\n")

    def chunk(self, max_records: int, key: KeyReader) -> Chunk:
        """Return the rows of the next lines, at most ``max_records`` lines."""
        rows: list[SourceRow] = []
        size = 0
        for _ in range(max_records):
            line = self.line()
            if line is None:
                return Chunk(rows, self.position, done=True)
            if line and not line.isspace():
                rows.append(SourceRow(key.of(line), line, self.truncated_from))
                size += len(line)
                if size > MAX_CHUNK_BYTES:
                    break
        return Chunk(rows, self.position)


class KeyReader:
    """Finds the key in a line, decoding nothing else of it."""

    def __init__(self, path: Path | None) -> None:
        self._depth = len(path or ())
        self._decoder: msgspec.json.Decoder[Any] | None = None
        if path is not None:
            shape: Any = Any
            for name in reversed(path):
                inner = [("key", shape | None, None)]
                shape = msgspec.defstruct("Line", inner, rename={"key": name}, gc=False)
            self._decoder = msgspec.json.Decoder(shape)

    def of(self, line: bytes) -> bytes | None:
        """Return the key's bytes, None where there is none to be found."""
        if self._decoder is None:
            return None
        try:
            value = self._decoder.decode(line)
            for _ in range(self._depth):
                value = None if value is None else value.key
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        return key_of(value) if isinstance(value, str | int | float) else None


def names_in(lines: Iterable[bytes]) -> list[str]:
    """Return the names in the lines' objects, those within others with dots, as they appear."""
    names: dict[str, None] = {}
    for line in lines:
        try:
            found = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        if isinstance(found, dict):
            names.update(dict.fromkeys(".".join(path) for path, _ in leaves(found)))
    return list(names)
