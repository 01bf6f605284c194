"""The fraud among the simulated card payments: three kinds, each labelled.

Incidents are drawn per shift of 4,000 payments and lie inside it, so that any payment can be made
without the ones before it. Over time 0.5 to 1 % of the payments are fraud; the first of each
kind are within the first 8,000 (40 seconds at 200 a second).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from streaming.sources._payments_world import CATEGORIES, CUSTOMERS, TERMINALS, Floats, Ints, World

SHIFT = 4_000  # payments
QUIET = 2_000  # payments at the very beginning without fraud, so that a detector can warm up

KINDS = ("amount_far_above_normal", "compromised_terminal", "stolen_card")
AMOUNT, TERMINAL, CARD = range(3)


@dataclass(frozen=True, slots=True)
class Fraud:
    """The fraudulent payments of a shift, one entry each.

    Attributes:
        place: number of the payment within the shift. ``kind``: index into ``KINDS``.
        factor: amount, in medians of the customer (in a category of factor 1).
    """

    place: Ints
    kind: Ints
    customer: Ints
    terminal: Ints
    factor: Floats


def fraud_of_shift(world: World, seed: int, shift: int) -> Fraud:
    """Draw the incidents of a shift."""
    rng = np.random.default_rng([seed, 1, shift])
    first = QUIET if shift == 0 else 0
    parts = [_far_above_normal(rng, first, 3 if shift == 0 else int(rng.integers(4, 9)))]
    if shift == 1 or (shift > 1 and rng.random() < 0.4):
        parts.append(_compromised_terminal(rng))
    cards = 1 if shift == 0 else int(rng.integers(1, 3))
    parts += [_stolen_card(rng, world, first) for _ in range(cards)]
    places = np.concatenate([part.place for part in parts])
    _, kept = np.unique(places, return_index=True)  # two frauds can't be one payment
    kept.sort()
    return Fraud(
        places[kept],
        np.concatenate([part.kind for part in parts])[kept],
        np.concatenate([part.customer for part in parts])[kept],
        np.concatenate([part.terminal for part in parts])[kept],
        np.concatenate([part.factor for part in parts])[kept],
    )


def _far_above_normal(rng: np.random.Generator, first: int, count: int) -> Fraud:
    """Single payments of 15 to 40 times the usual, anywhere."""
    return Fraud(
        rng.choice(np.arange(first, SHIFT), count, replace=False),
        np.full(count, AMOUNT),
        rng.integers(0, CUSTOMERS, count),
        rng.integers(0, TERMINALS, count),
        rng.uniform(15, 40, count),
    )


def _compromised_terminal(rng: np.random.Generator) -> Fraud:
    """15 to 25 customers pay 4 to 8 times their usual at one terminal within the hour."""
    count = int(rng.integers(15, 26))
    start = int(rng.integers(0, SHIFT - 1_300))
    return Fraud(
        start + rng.choice(1_300, count, replace=False),
        np.full(count, TERMINAL),
        rng.choice(CUSTOMERS, count, replace=False),
        np.full(count, rng.integers(0, TERMINALS)),
        rng.uniform(4, 8, count),
    )


def _stolen_card(rng: np.random.Generator, world: World, first: int) -> Fraud:
    """7 to 12 payments with one card within a quarter of an hour, 3 to 7 times the usual each."""
    count = int(rng.integers(7, 13))
    start = int(rng.integers(first, SHIFT - 400))
    dear = [CATEGORIES.index(name) for name in ("online", "electronics", "clothing", "travel")]
    shops = np.flatnonzero(np.isin(world.terminal_category, dear))
    return Fraud(
        start + rng.choice(400, count, replace=False),
        np.full(count, CARD),
        np.full(count, rng.integers(0, CUSTOMERS)),
        rng.choice(shops, count),
        rng.uniform(3, 7, count),
    )
