"""What a look at a cluster is worth: the order of the queue lives here, and nowhere else."""

from __future__ import annotations

from triage.drift import SCHEMA_DRIFT
from triage.model import VerdictKind

CERTAIN = 0.1
"""Half width of the band around 0.5 in which the model suggests nothing."""

MOVED = 0.01
"""A cluster whose posterior moved by more than this rose or fell."""


def worth(posterior: float, pull: float = 1.0) -> float:
    """Return the value of a look, 0 to 10, from the cluster's probability of being real.

    ``pull``: which part of it counts; less than 1 where like members were dismissed.
    """
    return 10.0 * pull * min(1.0, max(0.0, posterior))


def suggest(posterior: float, detector: str = "") -> VerdictKind:
    """Return the verdict that the model would give."""
    if detector == SCHEMA_DRIFT:
        return VerdictKind.PIPELINE_FAULT
    if posterior >= 0.5 + CERTAIN:
        return VerdictKind.REAL
    if posterior <= 0.5 - CERTAIN:
        return VerdictKind.SPURIOUS
    return VerdictKind.UNSURE
