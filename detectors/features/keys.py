"""Texts as dictionary keys of bounded length, and as arrays in a snapshot."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from detectors.base import SnapshotError
from detectors.features.base import Column

_LONGEST = 128  # characters; what a key of an entity or a category may hold of a text


def keys_of(column: Column) -> list[str | None]:
    """Return each value as a key: texts shortened to a bounded length, numbers as text."""
    if isinstance(column, np.ndarray):
        return [None if math.isnan(v) else f"{v:.15g}" for v in column.tolist()]
    return [v if v is None or len(v) <= _LONGEST else _shortened(v) for v in column]


def _shortened(text: str) -> str:
    """Return its beginning and a hash of the whole, so that different texts stay different."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{text[: _LONGEST - 33]}#{digest[:32]}"


def pack_texts(name: str, texts: Iterable[str]) -> dict[str, npt.NDArray[Any]]:
    """Return two arrays, named after ``name``, that hold the texts."""
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    return {
        f"{name}_bytes": np.frombuffer(b"".join(encoded), np.uint8),
        f"{name}_lengths": np.array([len(text) for text in encoded], np.int64),
    }


def unpack_texts(name: str, arrays: Any) -> Sequence[str]:
    """Return the texts. Raises SnapshotError if the arrays are missing or don't fit together."""
    if f"{name}_bytes" not in arrays or f"{name}_lengths" not in arrays:
        raise SnapshotError(f"the snapshot has no texts {name!r}")
    blob, lengths = arrays[f"{name}_bytes"].tobytes(), arrays[f"{name}_lengths"]
    ends = np.cumsum(lengths).tolist()
    if (ends[-1] if ends else 0) != len(blob) or (lengths < 0).any():
        raise SnapshotError(f"the snapshot's texts {name!r} are damaged")
    starts = [0, *ends][:-1]
    return [blob[a:b].decode("utf-8", "surrogatepass") for a, b in zip(starts, ends, strict=True)]
