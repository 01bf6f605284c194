"""From a cell of a table to a value of a JSON object."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from streaming.field_path import Path, value_at
from streaming.sources.base import SourceRow, row_of

encode = msgspec.json.Encoder(enc_hook=str).encode
"""NaN and infinity become null, times ISO 8601; what JSON doesn't know its text."""


def number(text: str) -> float | int | str:
    """Return the number that the text is; a text that is none (or not finite) stays as it is."""
    try:
        value = float(text)
    except ValueError:
        return text
    if "_" in text or not math.isfinite(value):
        return text
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def boolean(text: str) -> bool | str:
    """Return what true, false, 1 and 0 say; any other text stays as it is."""
    return _BOOLEANS.get(text.strip().lower(), text)


def time(text: str) -> float | int | str:
    """Return a time as ISO 8601 text or a number of seconds; a text that is none stays."""
    value = number(text)
    if not isinstance(value, str):
        return value
    try:
        return dt.datetime.fromisoformat(text.strip()).isoformat()
    except ValueError:
        return text


def plain(value: Any) -> str:
    """Return a number or truth value as text: ``881`` for 881.0, ``true``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def from_text(declared: str | None) -> Callable[[str], Any] | None:
    """Return how a text column is read that is declared as this type; None = as it is."""
    return _FROM_TEXT.get(declared or "")


def rows_of(
    names: Sequence[str], columns: Sequence[Sequence[Any]], key: Path | None
) -> list[SourceRow]:
    """Return one JSON object per row of the columns; ``key``: where its key lies."""
    keys = [value_at(own, key[1:]) for own in columns[names.index(key[0])]] if key else ()
    values = [encode(dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)]
    if key is None:
        return [row_of(None, value) for value in values]
    return [row_of(key_of(own), value) for own, value in zip(keys, values, strict=True)]


def key_of(value: Any) -> bytes | None:
    """Return the bytes of a key field's value."""
    if isinstance(value, str):
        return value.encode(errors="replace")
    return None if value is None else plain(value).encode()


_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_FROM_TEXT: dict[str, Callable[[str], Any]] = {"number": number, "boolean": boolean, "time": time}
