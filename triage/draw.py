"""Who is drawn for a look that nobody chose, and with which probability. Pure."""

from __future__ import annotations

import hashlib
import json
import math

CREDIT = 10
"""Looks that count as made before the first, so that draws begin with it."""

GRID = 1.05
"""Probabilities are powers of it: few different ones occur, so the bound of many is cheap."""


def probability(share: float, looks: int, before: int, new: int) -> float:
    """Return with which probability each of ``new`` ones is drawn.

    So that of the looks this share go to what was drawn, however many there are to draw from.

    Args:
        share: of the looks.
        looks: given so far. ``before``: how many could be drawn so far.
        new: how many come now.
    """
    wanted = share * (looks + 1 + CREDIT) / max(1, before + new)
    if wanted <= 0 or wanted >= 1:
        return min(1.0, wanted)
    return float(GRID ** math.floor(math.log(wanted, GRID)))


def is_drawn(seed: int, name: tuple[str, ...], chance: float) -> bool:
    """Return whether one is drawn: chance from its ids, the same at each replay.

    They must be ids that no client chooses, so that nobody can choose what is drawn.
    """
    digest = hashlib.sha256(json.dumps([seed, *name]).encode()).digest()
    return int.from_bytes(digest[:7], "big") < chance * 2**56
