"""Readable boxes around confirmed anomalies, and how sure one can be of them.

Boxes are grown on one half of what is known and judged on the other. What was confirmed together
(the members of one cluster) is alike, so it lies in one half as a whole and counts once: a bound
over single members would be far too sure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.arrays import Matrix
from detectors.base import Vector

MOST_CONDITIONS = 4  # limited features; more can't be read
MOST_CUTS = 60  # limits tried per feature and side
FEWEST_GROUPS = 3  # confirmed groups that a box has to cover in the half that it is grown on
CONFIDENCE = 0.95

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Box:
    """Limits per feature, both included; minus and plus infinity where there is none."""

    low: Vector
    high: Vector

    def holds(self, X: Matrix) -> Flags:
        """Return which rows lie inside; a missing value is within no limit."""
        limited = np.isfinite(self.low) | np.isfinite(self.high)
        below, above = self.low > X, self.high < X
        outside = (below | above | np.isnan(X)) & limited
        return np.asarray(~outside.any(axis=1), np.bool_)

    def limited(self) -> Sequence[int]:
        """Return the features that have a limit."""
        places: list[int] = np.flatnonzero(np.isfinite(self.low) | np.isfinite(self.high)).tolist()
        return places


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of rows, parallel.

    Attributes:
        X: feature vectors.
        groups: what was confirmed together; every ordinary row is a group of its own, ``-1``.
        real: confirmed anomalies. ``benign``: confirmed not to be. Neither: presumed ordinary.
    """

    X: Matrix
    groups: npt.NDArray[np.int64]
    real: Flags
    benign: Flags

    def take(self, where: Flags) -> Known:
        """Return some of the rows."""
        return Known(self.X[where], self.groups[where], self.real[where], self.benign[where])


@dataclass(frozen=True, slots=True)
class Judged:
    """A box and what the half that it was not grown on says of it.

    Attributes:
        hit_groups: confirmed groups inside, over both halves.
        right: confirmed groups inside, of the judging half; ``wrong``: presumed ordinary rows.
        precision: lower bound of right / (right + wrong).
        ordinary: upper bound of the share of ordinary rows inside.
        contradicted: rows inside that were confirmed not to be anomalies, in either half.
    """

    box: Box
    hit_groups: int
    right: int
    wrong: int
    precision: float
    ordinary: float
    contradicted: int


def mine(known: Known, growing: Flags, most: int = 5) -> Sequence[Judged]:
    """Return boxes around confirmed anomalies, in the order found, judged on the rows left out.

    Grown greedily: the limit that best tells confirmed anomalies from all other rows (FOIL's
    gain) is added until no other row is inside, then limits that are not needed are dropped and
    each is moved half way to the nearest row that it keeps out. What a box covers is done; the next
    is grown on the rest. All bounds together hold with 95 % confidence (Bonferroni).

    Args:
        known: all rows. Rows with the same group must be on the same side of ``growing``.
        growing: the rows that boxes are grown on.
        most: boxes at most.
    """
    half, rest = known.take(growing), known.take(~growing)
    other = half.X[~half.real]
    left = half.take(half.real)
    boxes: list[Box] = []
    while len(boxes) < most and len(np.unique(left.groups)) >= FEWEST_GROUPS:
        box = grown(left.X, other)
        if box is None:
            break
        inside = box.holds(left.X)
        if len(np.unique(left.groups[inside])) < FEWEST_GROUPS:
            break
        boxes.append(box)
        left = left.take(~inside)
    risk = (1.0 - CONFIDENCE) / max(1, 2 * len(boxes))  # two bounds of each
    return [_judged(box, known, rest, risk) for box in boxes]


def lower_bound(right: int, total: int, risk: float) -> float:
    """Return the share that is too low with probability ``risk`` at most (Clopper and Pearson).

    >>> round(lower_bound(14, 14, 0.05), 3), lower_bound(0, 9, 0.05)
    (0.807, 0.0)
    """
    if right == 0:
        return 0.0
    low, high = 0.0, right / total
    for _ in range(60):
        middle = (low + high) / 2.0
        if _at_least(right, total, middle) > risk:
            high = middle
        else:
            low = middle
    return low


def upper_bound(hits: int, total: int, risk: float) -> float:
    """Return the share that is too high with probability ``risk`` at most; 1 of nothing."""
    return 1.0 - lower_bound(total - hits, total, risk) if total else 1.0


def _at_least(right: int, total: int, share: float) -> float:
    """Return the probability of so many or more of ``total`` at this share."""
    if share <= 0.0:
        return 0.0
    if share >= 1.0:
        return 1.0
    terms = [
        math.lgamma(total + 1)
        - math.lgamma(k + 1)
        - math.lgamma(total - k + 1)
        + k * math.log(share)
        + (total - k) * math.log1p(-share)
        for k in range(right, total + 1)
    ]
    return min(1.0, math.fsum(math.exp(term) for term in terms))


def _judged(box: Box, known: Known, rest: Known, risk: float) -> Judged:
    inside = box.holds(known.X)
    judging = box.holds(rest.X)
    right = len(np.unique(rest.groups[judging & rest.real]))
    presumed = ~rest.real & ~rest.benign
    wrong = int(np.count_nonzero(judging & presumed))
    return Judged(
        box=box,
        hit_groups=len(np.unique(known.groups[inside & known.real])),
        right=right,
        wrong=wrong,
        precision=lower_bound(right, right + wrong, risk),
        ordinary=upper_bound(wrong, int(np.count_nonzero(presumed)), risk),
        contradicted=int(np.count_nonzero(inside & known.benign)),
    )


def grown(real: Matrix, other: Matrix) -> Box | None:
    """Return a readable box with some of ``real`` and no other row inside, None if none was found.

    See ``mine`` for how.
    """
    box = Box(np.full(real.shape[1], -np.inf), np.full(real.shape[1], np.inf))
    while box.holds(other).any():
        inside, outside = real[box.holds(real)], other[box.holds(other)]
        step = _best_limit(inside, outside, box)
        if step is None:
            return None
        box = _limited(box, *step)
        if len(box.limited()) > MOST_CONDITIONS:
            return None
    return _eased(_pruned(box, other), real, other) if box.limited() else None


def _best_limit(inside: Matrix, outside: Matrix, box: Box) -> tuple[int, str, float] | None:
    """Return feature, side and limit of the largest gain, None if nothing gains."""
    before = math.log2(len(inside) / (len(inside) + len(outside)))
    best, found = 1e-9, None
    for feature in range(inside.shape[1]):
        if len(box.limited()) >= MOST_CONDITIONS and feature not in box.limited():
            continue
        mine, others = np.sort(inside[:, feature]), np.sort(outside[:, feature])
        mine, others = mine[~np.isnan(mine)], others[~np.isnan(others)]
        if not len(mine):
            continue
        cuts = np.unique(mine)
        cuts = cuts[np.linspace(0, len(cuts) - 1, min(len(cuts), MOST_CUTS)).astype(np.intp)]
        for side in ("low", "high"):
            if side == "low":
                kept = len(mine) - np.searchsorted(mine, cuts, "left")
                wrong = len(others) - np.searchsorted(others, cuts, "left")
            else:
                kept = np.searchsorted(mine, cuts, "right")
                wrong = np.searchsorted(others, cuts, "right")
            gains = kept * (np.log2(kept / (kept + wrong)) - before)
            place = int(gains.argmax())
            if gains[place] > best:
                best, found = float(gains[place]), (feature, side, float(cuts[place]))
    return found


def _limited(box: Box, feature: int, side: str, limit: float) -> Box:
    low, high = box.low.copy(), box.high.copy()
    (low if side == "low" else high)[feature] = limit
    return Box(low, high)


def _pruned(box: Box, other: Matrix) -> Box:
    """Drop limits without which no other row comes inside."""
    for feature in box.limited():
        for side, none in (("low", -np.inf), ("high", np.inf)):
            wider = _limited(box, feature, side, none)
            if wider.limited() and not wider.holds(other).any():
                box = wider
    return box


def _eased(box: Box, real: Matrix, other: Matrix) -> Box:
    """Move each limit half way to the nearest row that it alone keeps out."""
    for feature in box.limited():
        for side, none in (("low", -np.inf), ("high", np.inf)):
            limit = float((box.low if side == "low" else box.high)[feature])
            if not math.isfinite(limit):
                continue
            kept_out = other[_limited(box, feature, side, none).holds(other)][:, feature]
            nearest = kept_out.max() if side == "low" else kept_out.min()
            middle = float(np.float32((limit + float(nearest)) / 2.0))
            wider = _limited(box, feature, side, middle)
            if not wider.holds(other).any() and wider.holds(real).any():
                box = wider
    return box
