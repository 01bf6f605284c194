"""Bounds of a part: so many rounds, for so many seconds."""

from __future__ import annotations

import time
from collections.abc import Iterator

LEAST = 3  # rounds that a figure needs


def rounds(number: int, seconds: float) -> Iterator[int]:
    """Count to ``number``, but no longer than so many seconds; at least to ``LEAST``."""
    begun = time.monotonic()
    for one in range(number):
        if one >= LEAST and time.monotonic() - begun > seconds:
            return
        yield one
