"""``-``: JSON lines from standard input, for as long as somebody writes them.

A pipe can't be read twice: what was read but not yet in the log when the process is killed is
lost. Use a file or a topic where that matters.
"""

from __future__ import annotations

import queue
import sys
import threading
from typing import BinaryIO

from streaming.sources._lines import KeyReader, LineReader
from streaming.sources.base import Chunk, Declaration, SourceRow, key_path

READ_AHEAD = 10_000  # lines; then the writer of the pipe has to wait
BLANK = b""


class Pipe:
    """Reads lines on a thread of its own, so that ``read`` never waits for the writer."""

    name = "-"
    identities = (name,)
    resumable = False

    def __init__(self, file: BinaryIO, declaration: Declaration) -> None:
        self._key = KeyReader(key_path(declaration))
        self._position = 0
        self._done = False
        self._lines: queue.Queue[tuple[bytes, int] | None] = queue.Queue(READ_AHEAD)
        threading.Thread(target=self._read_ahead, args=(file,), daemon=True).start()

    def read(self, position: int, max_records: int) -> Chunk:
        """See ``Source``: what has come by now."""
        if position != self._position:
            raise ValueError(f"a pipe is read in order: {self._position} is next, not {position}")
        rows: list[SourceRow] = []
        while len(rows) < max_records and not self._done:
            try:
                read = self._lines.get_nowait()
            except queue.Empty:
                break
            if read is None:
                self._done = True
                break
            line, truncated_from = read
            self._position += 1
            if line and not line.isspace():
                rows.append(SourceRow(self._key.of(line), line, truncated_from))
        return Chunk(rows, self._position, self._done)

    def total(self) -> int | None:
        """See ``Source``: nobody knows."""
        return None

    def close(self) -> None:
        """See ``Source``. The pipe belongs to the process and stays open."""

    def _read_ahead(self, file: BinaryIO) -> None:
        lines = LineReader(file)
        while (line := lines.line()) is not None:
            self._lines.put((line, lines.truncated_from))
        self._lines.put(None)


def open_source(name: str, declaration: Declaration) -> Pipe:
    """Open this process's standard input."""
    return Pipe(sys.stdin.buffer, declaration)
