"""How many closings can be wrong, at most: a 95 % bound that holds at every look at it. Pure.

Members that nobody read are closed on the word of a verdict. Each is drawn for an audit with a
logged probability; what the audits found wrong bounds what they did not see.

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
together in whole clusters. The probabilities may follow from all that was seen before.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

LEVEL = 0.05  # the bound is ever below the truth in at most this share of runs
STEPS = (0.3, 0.7, 1.5, 3.0, 7.0)
"""Grid of -log(1 - c): small ones are sharp where much is wrong, large ones where nothing is."""
WEIGHTS = (0.15, 0.15, 0.2, 0.2, 0.3)
"""Of the mixture, sum 1; most on the last one: little is wrong where closing is worth having."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Closings that had one probability of being drawn; ``wrong``: drawn, and found wrong."""

    probability: float
    closings: int
    wrong: int = 0


def most_wrong(drawn: Sequence[Drawn]) -> int:
    """Return the upper bound of the number of wrong ones among all closings.

    >>> most_wrong([Drawn(probability=0.05, closings=4_000)])
    68
    """
    ordered = sorted(drawn, key=lambda one: one.probability)
    closings = sum(one.closings for one in ordered)
    wrong = sum(one.wrong for one in ordered)
    excluded = bisect_left(
        range(closings + 1), True, key=lambda count: _excluded(ordered, wrong, count)
    )
    return max(wrong, excluded - 1) if closings else 0


def _excluded(ordered: Sequence[Drawn], wrong: int, count: int) -> bool:
    """Whether so many wrong ones are too many to be believed."""
    terms = [
        math.log(weight) - step * wrong + _surprise(ordered, -math.expm1(-step), count)
        for step, weight in zip(STEPS, WEIGHTS, strict=True)
    ]
    largest = max(terms)
    return largest + math.log(sum(math.exp(term - largest) for term in terms)) >= -math.log(LEVEL)


def _surprise(ordered: Sequence[Drawn], c: float, count: int) -> float:
    """Return the sum of -log(1 - c p) over the ``count`` closings of the smallest probabilities."""
    total = 0.0
    for one in ordered:
        taken = min(count, one.closings)
        total -= taken * math.log1p(-c * one.probability)
        count -= taken
        if not count:
            break
    return total
