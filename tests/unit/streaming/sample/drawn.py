"""Samples made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from streaming.sample.draw import Sample


def sample_of(*stretches: Sequence[Mapping[str, Any]], cells: bool = False) -> Sample:
    """Return a sample of these stretches of events."""
    return Sample("events.jsonl", None, 1, stretches, cells, sum(map(len, stretches)), 0)


def column(*values: object) -> Sample:
    """Return a sample of events with one field, ``x``."""
    return sample_of([{"x": value} for value in values])
