"""Which alert budget reaches a wanted precision or the least cost, from what has been judged.

Pure. The candidates of one version of the config are cut into ten strata by margin. In each, those
that somebody judged stand for all of it: analysts read the top of the queue first, so all judged
ones together would flatter. A stratum's precision is Beta(1 + real, 1 + not real): where nobody has
looked, nothing is known, and the interval says so.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

STRATA = 10
LEVELS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)
"""Shares of the present budget that are looked at; of a larger one nothing is known."""
Z = 1.96  # of a 95 % interval
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate: ``real`` is 1 or 0 by who read it or late truth, None if nobody knows."""

    margin: float
    event_time: float
    real: float | None


@dataclass(frozen=True, slots=True)
class Level:
    """What a budget would come to.

    Attributes:
        budget: as a share of the events. ``per_day``: candidates a day of event time.
        precision, low, high: of them, with its 95 % interval.
        lost_per_day: real ones a day that would no longer be candidates.
    """

    budget: float
    per_day: float
    precision: float
    low: float
    high: float
    lost_per_day: float


class BudgetReads(Protocol):
    """What the advice is made of."""

    def judged(self, stream: str, version: str) -> Sequence[Judged]:
        """Return the candidates of a version of the config."""

    def untold(self, stream: str) -> int:
        """Return how many events late truth calls real that never were candidates."""


def levels(
    candidates: Sequence[Judged], budget: float, asked: float | None = None
) -> Sequence[Level]:
    """Return what budgets from ``budget`` down would come to; at least one candidate.

    ``budget``: under which the candidates were found. ``asked``: one more, if it is smaller.
    """
    ordered = sorted(candidates, key=lambda one: -one.margin)
    times = [one.event_time for one in ordered]
    days = max((max(times) - min(times)) / DAY_S, 1.0 / 24.0)
    strata = _strata(ordered)
    known = [_beta(stratum) for stratum in strata]
    found = []
    shares = {*LEVELS, asked / budget} if asked and asked < budget else {*LEVELS}
    for share in sorted(shares, reverse=True):
        kept = max(1, round(share * len(ordered)))
        parts = _parts(strata, kept)
        mean = math.fsum(n * m for n, (m, _) in zip(parts, known, strict=True)) / kept
        spread = math.sqrt(
            math.fsum((n / kept) ** 2 * v for n, (_, v) in zip(parts, known, strict=True))
        )
        lost = math.fsum(
            (len(stratum) - n) * m for stratum, n, (m, _) in zip(strata, parts, known, strict=True)
        )
        found.append(
            Level(
                budget=budget * share,
                per_day=kept / days,
                precision=mean,
                low=max(0.0, mean - Z * spread),
                high=min(1.0, mean + Z * spread),
                lost_per_day=lost / days,
            )
        )
    return found


def by_precision(found: Sequence[Level], wanted: float) -> Level | None:
    """Return the largest budget whose precision is surely enough, None if there is none."""
    return next((level for level in found if level.low >= wanted), None)


def by_cost(found: Sequence[Level], look: float, miss: float) -> Level:
    """Return the budget with the least cost of looks and of real ones that are missed."""
    return min(found, key=lambda level: cost(level, look, miss))


def cost(level: Level, look: float, miss: float) -> float:
    """Return what a day costs: a look each, and what is missed of what is found now."""
    return level.per_day * look + level.lost_per_day * miss


def _strata(ordered: Sequence[Judged]) -> list[Sequence[Judged]]:
    size = len(ordered)
    cuts = [round(i * size / STRATA) for i in range(STRATA + 1)]
    return [ordered[a:b] for a, b in itertools.pairwise(cuts) if b > a]


def _parts(strata: Sequence[Sequence[Judged]], kept: int) -> list[int]:
    """Return how many of each stratum are among the strongest ``kept``."""
    parts = []
    for stratum in strata:
        parts.append(min(len(stratum), kept))
        kept -= parts[-1]
    return parts


def _beta(stratum: Sequence[Judged]) -> tuple[float, float]:
    """Return mean and variance of a stratum's precision."""
    judged = [one.real for one in stratum if one.real is not None]
    real = 1.0 + math.fsum(judged)
    total = 2.0 + len(judged)
    mean = real / total
    return mean, mean * (1.0 - mean) / (total + 1.0)
