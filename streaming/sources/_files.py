"""What the file sources share: opening with a clear refusal, and checking the columns."""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import BinaryIO

from streaming.errors import SourceInvalid
from streaming.field_path import path_of
from streaming.sources.base import Declaration, key_path
from triage.plain import plain

LISTED_COLUMNS = 12
LONGEST_NAME = 60  # characters of a column in a message
FINGERPRINT_BYTES = 64 << 10
RECORD_BYTES = 4 << 10  # of the beginning, in which the first record is looked for


def open_file(path: Path) -> BinaryIO:
    """Open a file for reading. Raises SourceInvalid if there is none, or none that can be read."""
    if path.is_dir():
        raise SourceInvalid(f"{path}: is a folder; name one file in it")
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise SourceInvalid(f"{path}: no such file{_similar_file(path)}") from error
    except OSError as error:
        raise SourceInvalid(f"{path}: can't be read: {error.strerror}") from error
    if not file.read(1):
        file.close()
        raise SourceInvalid(f"{path}: the file is empty; name a file with data")
    file.seek(0)
    return file


def identities_of_lines(path: Path, lines: int) -> tuple[str, ...]:
    """Return the identities of a file that may grow at its end; see ``Source``.

    A file replaced by another is another source, one that has grown is the same. So the path goes
    with a fingerprint of the first 64 kB, or, of a smaller file, of the first ``lines`` lines that
    are not blank: a small file that is replaced by one with the same first record has, as far as
    can be told, grown.
    """
    with path.open("rb") as file:
        head = file.read(FINGERPRINT_BYTES)
    filled = [line for line in head[:RECORD_BYTES].splitlines() if line.strip()]
    small = _identity(path, b"\n".join(filled[:lines]))
    return (_identity(path, head), small) if len(head) == FINGERPRINT_BYTES else (small,)


def identity_of_whole(path: Path) -> tuple[str, ...]:
    """Return the identity of a file that never grows: by its beginning and its end."""
    with path.open("rb") as file:
        head = file.read(FINGERPRINT_BYTES)
        file.seek(max(0, file.seek(0, os.SEEK_END) - FINGERPRINT_BYTES))
        return (_identity(path, head + file.read()),)


def _identity(path: Path, content: bytes) -> str:
    return f"{path.resolve()}#{hashlib.sha256(content).hexdigest()[:12]}"


def check_columns(path: Path, columns: Sequence[str], declaration: Declaration) -> None:
    """Raise SourceInvalid if a column is there twice or a declared one is not there."""
    repeated = sorted({column for column in columns if columns.count(column) > 1})
    if repeated:
        raise SourceInvalid(f"{path}: has more than one column {repeated[0]!r}; rename one")
    places = [path_of(name, field) for name, field in declaration.fields.items()]
    declared = [path[0] for path in (*places, key_path(declaration)) if path]
    missing = [field for field in declared if field not in columns]
    if missing:
        raise SourceInvalid(missing_column(path, missing[0], columns))


def missing_column(path: Path, field: str, columns: Collection[str]) -> str:
    """Say which declared column a file lacks, and which one may be meant."""
    near = nearest(field, columns)
    names = [plain(column, LONGEST_NAME) for column in list(columns)[:LISTED_COLUMNS]]
    listed = ", ".join(names) + ", ..." * (len(columns) > LISTED_COLUMNS)
    hint = f', did you mean "{plain(near, LONGEST_NAME)}"?' if near else f"; it has {listed}"
    return f'{path}: has no column "{field}", which the stream declares{hint}'


def nearest(name: str, known: Collection[str]) -> str | None:
    """Return the known name that was most likely meant."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def _similar_file(path: Path) -> str:
    if not path.parent.is_dir():
        return f", and no folder {path.parent}"
    near = nearest(path.name, [other.name for other in path.parent.iterdir() if other.is_file()])
    return f'; did you mean "{path.parent / near}"?' if near else "; is the path right?"
