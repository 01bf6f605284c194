"""How many closings can be wrong, at most: a 95 % bound that holds at every look at it. Pure.

Members that nobody read are closed on the word of a verdict. Each is drawn for an audit with a
logged probability; what the audits found wrong bounds what they did not see. The same bounds how
many clusters can be real by those that were drawn for a look (``recall.py``): a *hit* is a wrong
closing here, a real cluster there.

Be K the wrong ones among all closings, H those of them that were drawn. For any 0 < c < 1

    L = (1 - c)^H / prod over the wrong ones of (1 - c p_i)

is a non-negative martingale that begins at 1: a wrong closing, drawn with p_i, multiplies it by
(1 - c) or 1, in the mean by 1 - c p_i. So is a mixture of them over c, and by Ville's inequality it
ever reaches 20 in at most 5 % of all runs (the method of mixtures: Robbins, "Statistical methods
related to the law of the iterated logarithm", 1970; as confidence sequences by betting:
Waudby-Smith & Ramdas, "Estimating means of bounded random variables by betting", JRSS B 2024). A
number K with which the mixture has reached 20 is excluded. *Which* closings are wrong is unknown:
those with the smallest probabilities make L smallest, so these are taken.

The draws alone are random here. Nothing is assumed of the closings: they may drift, and be wrong
together in whole clusters. The probabilities may follow from all that was seen before. But what the
audits find wrong is what readers find: an error that all of them share passes (``most_hits``).

Late truth is an independent witness. If it speaks of an audited member with the same chance g
whether it is real or not (or sooner of the real ones), a wrong closing is drawn *and told real*
with p_i g: the martingale above with smaller probabilities, and no reader in it. g is unknown: the
same mixture excludes values too large for the number of audits that were told, so that its lower
limit is too high in 1 % of runs. With that limit the bound is too low in 4 % (``most_hits_told``;
5 % together, by Bonferroni's inequality; for whole runs if truth comes in the order of the draws,
else for each look by itself). The larger of both bounds holds if either readers or late truth can
be trusted.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

LEVEL = 0.05  # the bound is ever below the truth in at most this share of runs
TOLD_LEVEL = 0.01  # the part of it for how often late truth speaks
CHANCES = 1_000  # grid of that chance
STEPS = (0.3, 0.7, 1.5, 3.0, 7.0)
"""Grid of -log(1 - c): small ones are sharp where much is wrong, large ones where nothing is."""
WEIGHTS = (0.15, 0.15, 0.2, 0.2, 0.3)
"""Of the mixture, sum 1; most on the last one: little is wrong where closing is worth having."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """How many had one probability of being drawn.

    ``hits``: drawn, and hits. ``told_real``: those of them that late truth calls real.
    """

    probability: float
    count: int
    hits: int = 0
    told_real: int = 0


def most_hits(drawn: Sequence[Drawn], level: float = LEVEL) -> int:
    """Return the upper bound of the number of hits among all, drawn or not.

    >>> most_hits([Drawn(probability=0.05, count=4_000)])
    68
    >>> most_hits([Drawn(probability=0.05, count=6_000, hits=30)])  # the best guess is 600
    995
    """
    ordered = sorted(drawn, key=lambda one: one.probability)
    total = sum(one.count for one in ordered)
    hits = sum(one.hits for one in ordered)
    excluded = bisect_left(
        range(total + 1), True, key=lambda count: _excluded(ordered, hits, count, level)
    )
    return max(hits, excluded - 1) if total else 0


def most_hits_told(drawn: Sequence[Drawn], audits: int, told: int) -> int:
    """Return the upper bound that late truth gives alone, having spoken of so many of the audits.

    >>> most_hits_told([Drawn(probability=0.05, count=4_000)], audits=200, told=200)
    75
    """
    chance = least_chance(audits, told, TOLD_LEVEL)
    thinned = [Drawn(one.probability * chance, one.count, one.told_real) for one in drawn]
    return most_hits(thinned, LEVEL - TOLD_LEVEL)


def least_chance(tries: int, hits: int, level: float) -> float:
    """Return the lower limit of a chance of which ``hits`` of so many tries came true.

    >>> least_chance(200, 50, level=0.05)
    0.162
    """
    misses = tries - hits
    excluded = bisect_left(
        range(CHANCES),
        True,
        key=lambda chance: _excluded([Drawn(chance / CHANCES, tries)], misses, tries, level),
    )
    return (CHANCES - excluded) / CHANCES


def _excluded(ordered: Sequence[Drawn], hits: int, count: int, level: float) -> bool:
    """Whether so many hits in all are too many to be believed."""
    terms = [
        math.log(weight) - step * hits + _surprise(ordered, -math.expm1(-step), count)
        for step, weight in zip(STEPS, WEIGHTS, strict=True)
    ]
    largest = max(terms)
    return largest + math.log(sum(math.exp(term - largest) for term in terms)) >= -math.log(level)


def _surprise(ordered: Sequence[Drawn], c: float, count: int) -> float:
    """Return the sum of -log(1 - c p) over the ``count`` ones of the smallest probabilities."""
    total = 0.0
    for one in ordered:
        taken = min(count, one.count)
        total -= taken * math.log1p(-c * one.probability)
        count -= taken
        if not count:
            break
    return total
