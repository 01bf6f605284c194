"""Fields of a stream that no longer come as they used to, as the board and the store know them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from triage.model import Candidate

SCHEMA_DRIFT = "schema_drift"
"""Detector of the candidates that say so; they are in one cluster, and nothing learns from them."""


@dataclass(frozen=True, slots=True)
class Drift:
    """A field that has drifted.

    Attributes:
        kind: ``missing``, ``nulls``, ``retyped``, ``range`` or ``new``.
        detail: what it was and is, for people; only numbers and names of types.
        since: offset at which it was noticed.
    """

    field: str
    kind: str
    detail: str
    since: int


@dataclass(frozen=True, slots=True)
class PartitionDrift:
    """A drift of one partition."""

    partition: int
    drift: Drift


class DriftReads(Protocol):
    """What the board shows of drift."""

    def drifts(self, stream: str) -> Sequence[PartitionDrift]:
        """Return what is in drift, by field and partition."""


def drift_title(members: Sequence[Candidate]) -> tuple[str, str]:
    """Return (title, subtitle) of a cluster of drift."""
    details: dict[str, str] = {}
    for member in members:
        for reason in member.reasons:
            details.setdefault(reason.label, reason.text)
    names = sorted(details)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    fields = ", ".join(names[:3]) + more
    partitions = len({member.partition for member in members})
    where = f"{partitions} partitions" if partitions > 1 else "1 partition"
    return f"Data changed: {fields}", f"{details[names[0]]} · {where}"
