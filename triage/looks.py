"""What analysts' looks have found, as figures with their sample size and a 95 % interval. Pure."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass

from triage.model import VerdictKind

Z = 1.959964  # of a normal distribution: 95 % lie within
LAST = (20, 50, 100)
"""Numbers of newest looks whose precision is told."""


@dataclass(frozen=True, slots=True)
class Look:
    """A cluster that was decided, by the verdict that stands; *unsure* decides nothing.

    Attributes:
        since: when the cluster came to the board; ``at``: when it was decided. Seconds since 1970.
        suggested: what the board suggested then; None where that is unknown, or nothing was.
        touched: when somebody who may decide first had it before the eyes for a second, took it or
            decided it; None where nobody noted that.
        score: of its strongest member, before any label.
        regrouped: members came or went by hand. ``retaken``: a verdict on it was taken back.
        drawn: it was drawn for a random look (``recall.py``).
    """

    verdict_id: str
    cluster_id: str
    title: str
    stream: str
    kind: VerdictKind
    actor: str
    since: float
    at: float
    suggested: VerdictKind | None = None
    touched: float | None = None
    score: float = 0.0
    regrouped: bool = False
    retaken: bool = False
    drawn: bool = False


@dataclass(frozen=True, slots=True)
class Share:
    """``hits`` of ``n``; ``low`` to ``high`` is Wilson's 95 % interval of the share."""

    hits: int
    n: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share itself, 0 where there is nothing."""
        return self.hits / self.n if self.n else 0.0


@dataclass(frozen=True, slots=True)
class Median:
    """Median of ``n`` values; ``low`` to ``high`` is its 95 % interval by order statistics."""

    n: int
    value: float
    low: float
    high: float


def share(hits: int, n: int) -> Share:
    """Return the share with its interval.

    >>> one = share(8, 10)
    >>> round(one.low, 2), round(one.high, 2)
    (0.49, 0.94)
    """
    if n == 0:
        return Share(0, 0, 0.0, 1.0)
    middle = (hits + Z * Z / 2) / (n + Z * Z)
    half = Z / (n + Z * Z) * math.sqrt(hits * (n - hits) / n + Z * Z / 4)
    return Share(hits, n, max(0.0, middle - half), min(1.0, middle + half))


def median(values: Sequence[float]) -> Median | None:
    """Return the median with its interval, None of nothing.

    >>> median([5.0, 1.0, 3.0])
    Median(n=3, value=3.0, low=1.0, high=5.0)
    """
    n = len(values)
    if n == 0:
        return None
    ordered = sorted(values)
    half = Z * math.sqrt(n) / 2
    low = max(0, math.floor(n / 2 - half))
    high = min(n - 1, math.ceil(n / 2 + half))
    middle = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    return Median(n, middle, ordered[low], ordered[high])


def precision(looks: Sequence[Look]) -> Share:
    """Return the share of the looks that found something real; bad data says nothing of it."""
    counted = [look for look in looks if look.kind is not VerdictKind.PIPELINE_FAULT]
    return share(sum(look.kind is VerdictKind.REAL for look in counted), len(counted))


def overrides(looks: Sequence[Look]) -> Share:
    """Return the share of the looks that said the opposite of what the board suggested.

    A board that doubts suggests nothing, bad data says nothing, and the model does not tell
    *spurious* from *expected*.
    """
    counted = [look for look in looks if _says(look)]
    return share(sum(overrode(look) for look in counted), len(counted))


def overrode(look: Look) -> bool:
    """Return whether it said the opposite of what the board suggested."""
    real = VerdictKind.REAL
    return _says(look) and (look.kind is real) != (look.suggested is real)


def _says(look: Look) -> bool:
    suggests = look.suggested in (VerdictKind.REAL, VerdictKind.SPURIOUS)
    return suggests and look.kind is not VerdictKind.PIPELINE_FAULT


def intervened(look: Look) -> bool:
    """Return whether somebody did more on a cluster than take what the board suggested.

    A verdict of another kind (where the board doubted, none is; *expected* is as good as
    *spurious*, which the model can't tell apart), members moved by hand, a verdict taken back.
    Where it is not known what was suggested, and on audits, which suggest nothing: no.
    """
    if look.suggested is None:
        return False
    said = VerdictKind.SPURIOUS if look.kind is VerdictKind.EXPECTED else look.kind
    differs = look.suggested is not VerdictKind.UNSURE and said is not look.suggested
    return differs or look.regrouped or look.retaken


def interventions(looks: Sequence[Look]) -> Share:
    """Return the share of the looks with a suggestion on which somebody intervened."""
    counted = [look for look in looks if look.suggested is not None]
    return share(sum(intervened(look) for look in counted), len(counted))


def time_to_first_touch(looks: Sequence[Look]) -> Median | None:
    """Return how long clusters that were decided waited until somebody had them in hand."""
    return median([max(0.0, k.touched - k.since) for k in looks if k.touched is not None])


def time_to_verdict(looks: Sequence[Look]) -> Median | None:
    """Return how long clusters waited on the board until they were decided."""
    return median([max(0.0, look.at - look.since) for look in looks])


def discovery(looks: Sequence[Look]) -> Sequence[int]:
    """Return how many were real after each look, in the order of time.

    >>> discovery([])
    []
    """
    found: list[int] = []
    for look in looks:
        before = found[-1] if found else 0
        found.append(before + (look.kind is VerdictKind.REAL))
    return found


def without_feedback(looks: Sequence[Look]) -> Sequence[Look]:
    """Return the looks in the order that the scores alone would have given them.

    At the moment of each look the shadow takes, of the clusters that had come to the board by then
    and were decided sooner or later, the one with the highest score before any label. Bad data
    keeps its place: nobody ranks it. So both orders have the same clusters and verdicts, and end
    at the same number; what feedback brought to the board, or kept off it, is in neither.

    ``looks``: in the order of time.
    """
    waiting = sorted(
        (look for look in looks if look.kind is not VerdictKind.PIPELINE_FAULT),
        key=lambda look: (-min(look.since, look.at), look.verdict_id),
    )
    come: list[tuple[float, float, str, Look]] = []
    order: list[Look] = []
    for look in looks:
        while waiting and min(waiting[-1].since, waiting[-1].at) <= look.at:
            one = waiting.pop()
            heapq.heappush(come, (-one.score, one.since, one.verdict_id, one))
        fault = look.kind is VerdictKind.PIPELINE_FAULT
        order.append(look if fault else heapq.heappop(come)[-1])
    return order


def early(looks: Sequence[Look]) -> Share:
    """Return which share of the real clusters the first half of the looks found."""
    found = discovery(looks)
    return share(found[len(found) // 2 - 1] if len(found) > 1 else 0, found[-1] if found else 0)
