"""The contract of a source: rows of a file, a pipe or a simulator, on their way to the log.

Every source passes ``tests/contract/test_source.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from streaming.field_path import Path, path_of

MAX_ROW_BYTES = 900_000
"""A longer row is cut there and arrives as a bad record: Kafka takes 1 MiB a message."""

MAX_CHUNK_BYTES = 8 << 20
"""A source ends a chunk early after so much, to bound memory."""


class SourceRow(NamedTuple):
    """One row as it goes to the log: the key's text, and a JSON object (or what stood there).

    ``truncated_from``: how many bytes the row had if ``value`` is only its beginning, else 0.
    """

    key: bytes | None
    value: bytes
    truncated_from: int = 0


def row_of(key: bytes | None, value: bytes) -> SourceRow:
    """Return a row, cut if it is too long."""
    if len(value) <= MAX_ROW_BYTES:
        return SourceRow(key, value)
    return SourceRow(key, value[:MAX_ROW_BYTES], len(value))


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one ``read`` found.

    Attributes:
        position: where to read next; rises by more than the rows where blank lines were skipped.
        done: nothing will ever come after ``position``.
    """

    rows: Sequence[SourceRow]
    position: int
    done: bool = False


class Source(Protocol):
    """Rows in a fixed order. A position is the number of the row that is next to read, from 0.

    A bad row (broken quoting, bytes that are no text) is handed on as it stands: the decoder
    makes a dead letter of it. Only a file that can't be read on at all raises SourceInvalid.
    """

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def identities(self) -> Sequence[str]:
        """What tells its rows from others: they are remembered as sent under the first.

        Others are what it was known as when it was shorter: how far it was sent under one of these
        counts if nothing was sent under the first.
        """

    @property
    def resumable(self) -> bool:
        """Whether any position can be read again, also by another process, with equal rows."""

    def read(self, position: int, max_records: int) -> Chunk:
        """Return at most ``max_records`` rows from ``position`` on, without waiting for more.

        A source that is not ``resumable`` must be read in order, from 0.
        """

    def total(self) -> int | None:
        """Return how many positions there are in all, None if nobody knows."""

    def close(self) -> None:
        """Release resources."""


class FieldDeclaration(Protocol):
    """What a source needs to know of a declared field."""

    @property
    def type(self) -> str:
        """``number``, ``string``, ``boolean`` or ``time``."""

    @property
    def path(self) -> Path | None:
        """The keys that lead to it in an event, None: it stands there under its own name."""


class Declaration(Protocol):
    """What a source needs to know of the stream; a ``StreamConfig`` is one."""

    @property
    def key(self) -> str | None:
        """Field whose value becomes the records' key."""

    @property
    def fields(self) -> Mapping[str, FieldDeclaration]:
        """The declared fields by name."""


def key_path(declaration: Declaration) -> Path | None:
    """Return where the key lies in an event, None if the stream has none."""
    if declaration.key is None:
        return None
    field = declaration.fields.get(declaration.key)
    return (declaration.key,) if field is None else path_of(declaration.key, field)


def types_by_path(declaration: Declaration) -> Mapping[Path, str]:
    """Return the declared types by where the fields lie in an event."""
    return {path_of(name, field): field.type for name, field in declaration.fields.items()}
