"""Records and where they stand in a topic."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec


class TopicPartition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


Position = int
"""An offset, always of the record that is *next to read*."""

Headers = tuple[tuple[str, bytes], ...]

TRUNCATED_FROM = "triage.truncated-from"
"""Header of a record of which only the beginning is kept: how many bytes it had."""


class Record(msgspec.Struct, frozen=True, gc=False):
    """A record as read: bytes, nothing decoded.

    A struct, since millions are made: that takes a tenth of a dataclass's time, and the garbage
    collector has nothing to look at.

    Attributes:
        offset: its place in the partition; offsets rise, gaps are allowed.
        timestamp_ms: when the log took it, in milliseconds since 1970 (not the event's own time).
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes
    timestamp_ms: int = 0
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class OutRecord:
    """A record to be written. ``partition=None``: the transport chooses by the key."""

    topic: str
    key: bytes | None
    value: bytes
    headers: Headers = ()
    partition: int | None = None
    timestamp_ms: int | None = field(default=None)


def by_partition(records: Sequence[Record]) -> Mapping[int, list[Record]]:
    """Return the records of each partition, in their order."""
    grouped: dict[int, list[Record]] = defaultdict(list)
    for record in records:
        grouped[record.partition].append(record)
    return grouped
