"""Whose turn the next look is: the most worth, the most uncertain, an audit, or one drawn. Pure.

Looks are counted through: the n-th look of a store has one purpose, whoever gives it and whatever
came before. So the list does not shuffle as its head is worked off, and shares hold over any time.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

HEAD = 100
"""Rows in which the shares hold; nobody works off more before the order is asked for again."""


class Purpose(enum.Enum):
    """What a look is for."""

    WORTH = "worth"
    UNCERTAIN = "uncertain"
    AUDIT = "audit"
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares of the looks; what is left goes to the most worth."""

    audit: float = 0.1
    uncertain: float = 0.1
    random: float = 0.05

    def purpose(self, look: int) -> Purpose:
        """Return what the look of this number is for, evenly spread.

        Where several fall on one look, the first of them has it.

        >>> [n for n in range(40) if Shares(0.1, 0.1).purpose(n) is Purpose.AUDIT]
        [9, 19, 29, 39]
        """
        for purpose, share, begun in (
            (Purpose.AUDIT, self.audit, 0.0),
            (Purpose.UNCERTAIN, self.uncertain, 0.5),
            (Purpose.RANDOM, self.random, 0.15),  # not where the others fall, for common shares
        ):
            before = look * share + begun + 1e-9
            if int(before + share) > int(before):
                return purpose
        return Purpose.WORTH

    def wanted(self, purpose: Purpose, look: int) -> int:
        """Return how many looks of the head are for this, from the look of this number on."""
        return sum(self.purpose(look + i) is purpose for i in range(HEAD))


def mixed(
    by_worth: Sequence[str],
    uncertain: Sequence[str],
    audits: Sequence[str],
    drawn: Sequence[str],
    shares: Shares,
    look: int,
) -> Sequence[str]:
    """Return the head of the queue: each cluster once, as the next looks go.

    Args:
        by_worth: the head in order of worth. ``uncertain``: the most uncertain first.
        audits: the oldest first. ``drawn``: clusters drawn for a look, the oldest first.
        shares: of the looks.
        look: number of looks before.

    Where nothing is left for a purpose, the look goes to the most worth.
    """
    sources: dict[Purpose, Iterator[str]] = {
        Purpose.WORTH: iter(by_worth),
        Purpose.UNCERTAIN: iter(uncertain),
        Purpose.AUDIT: iter(audits),
        Purpose.RANDOM: iter(drawn),
    }
    order: dict[str, None] = {}
    for place in range(HEAD):
        for purpose in (shares.purpose(look + place), Purpose.WORTH):
            found = next((one for one in sources[purpose] if one not in order), None)
            if found is not None:
                order[found] = None
                break
        else:
            break
    return list(order)
