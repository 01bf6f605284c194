"""What the file sources share: opening with a clear refusal, and checking the columns."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import BinaryIO

from streaming.errors import SourceInvalid
from streaming.sources.base import Declaration

LISTED_COLUMNS = 12


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


def check_columns(path: Path, columns: Sequence[str], declaration: Declaration) -> None:
    """Raise SourceInvalid if a column is there twice or a declared one is not there."""
    repeated = sorted({column for column in columns if columns.count(column) > 1})
    if repeated:
        raise SourceInvalid(f"{path}: has more than one column {repeated[0]!r}; rename one")
    declared = [*declaration.fields, *([declaration.key] if declaration.key else [])]
    missing = [field for field in declared if field not in columns]
    if missing:
        raise SourceInvalid(missing_column(path, missing[0], columns))


def missing_column(path: Path, field: str, columns: Collection[str]) -> str:
    """Say which declared column a file lacks, and which one may be meant."""
    near = nearest(field, columns)
    listed = ", ".join(list(columns)[:LISTED_COLUMNS]) + ", ..." * (len(columns) > LISTED_COLUMNS)
    hint = f', did you mean "{near}"?' if near else f"; it has {listed}"
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
