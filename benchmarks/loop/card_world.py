"""Card payments as in *Reproducible Machine Learning for Credit Card Fraud Detection*.

Written from the book's description of its simulator, at its size: 5,000 customers and 10,000
terminals on a square of 100 x 100, 183 days, about 1.75 million payments, 0.8 % of them fraud. A
customer pays at terminals within 5 of home, up to four times a day, an amount about the customer's
mean, around noon. Three kinds of fraud: every amount above 220 (1); each day two terminals are
taken over and all their payments of the next 28 days are fraud (2); each day three cards are stolen
and a third of their payments of the next 14 days is fraud of five times the amount (3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

CUSTOMERS, TERMINALS, DAYS = 5_000, 10_000, 183
DAY_S = 86_400
LARGE, TERMINAL, CARD = 1, 2, 3

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Payments:
    """Payments in the order of time; columns are parallel.

    Attributes:
        time: seconds since the first midnight. ``day``: whole days of it.
        kind: 0 genuine, else which kind of fraud.
    """

    time: Ints
    day: Ints
    card: Ints
    terminal: Ints
    amount: Floats
    kind: Ints

    def __len__(self) -> int:
        return len(self.time)

    def days(self, first: int, end: int) -> Payments:
        """Return the payments of the days ``first`` to ``end - 1``."""
        start, stop = np.searchsorted(self.day, [first, end]).tolist()
        part = slice(start, stop)
        return Payments(
            self.time[part],
            self.day[part],
            self.card[part],
            self.terminal[part],
            self.amount[part],
            self.kind[part],
        )


def simulate(seed: int, days: int = DAYS) -> Payments:
    """Draw the payments of the first ``days`` days of a world."""
    rng = np.random.default_rng(seed)
    home, place = rng.uniform(0, 100, (CUSTOMERS, 2)), rng.uniform(0, 100, (TERMINALS, 2))
    mean, pace = rng.uniform(5, 100, CUSTOMERS), rng.uniform(0, 4, CUSTOMERS)
    starts, counts, near = _within_reach(home, place)
    pace[counts == 0] = 0.0  # nowhere to pay

    number = rng.poisson(pace, (days, CUSTOMERS))
    day, card = (np.repeat(axis, number[number > 0]) for axis in np.nonzero(number))
    second = rng.normal(DAY_S / 2, 20_000, len(day))
    kept = (second > 0) & (second < DAY_S)
    day, card, second = day[kept], card[kept], second[kept]
    amount = rng.normal(mean[card], mean[card] / 2)
    amount = np.where(amount < 0, rng.uniform(0, 2 * mean[card]), amount)
    pick = (rng.random(len(card)) * counts[card]).astype(np.int64)
    terminal = near[starts[card] + pick]

    time = day * DAY_S + second.astype(np.int64)
    order = np.argsort(time, kind="stable")
    time, day, card = time[order], day[order], card[order]
    terminal, amount = terminal[order], amount[order].round(2)
    kind = np.where(amount > 220, LARGE, 0)
    _take_over(rng, day, terminal, kind, days)
    _steal(rng, day, card, amount, kind, days)
    return Payments(time, day, card, terminal, amount.round(2), kind)


def _within_reach(home: Floats, place: Floats) -> tuple[Ints, Ints, Ints]:
    """Return where each customer's terminals start, how many they are, and all of them in a row."""
    near = [np.flatnonzero(((place - one) ** 2).sum(axis=1) < 25.0) for one in home]
    counts = np.array([len(one) for one in near])
    return np.cumsum(counts) - counts, counts, np.concatenate(near)


def _take_over(rng: np.random.Generator, day: Ints, terminal: Ints, kind: Ints, days: int) -> None:
    for first in range(days):
        taken = rng.choice(TERMINALS, 2, replace=False)
        start, stop = np.searchsorted(day, [first, first + 28]).tolist()
        kind[start:stop][np.isin(terminal[start:stop], taken)] = TERMINAL


def _steal(
    rng: np.random.Generator, day: Ints, card: Ints, amount: Floats, kind: Ints, days: int
) -> None:
    for first in range(days):
        stolen = rng.choice(CUSTOMERS, 3, replace=False)
        start, stop = np.searchsorted(day, [first, first + 14]).tolist()
        own = start + np.flatnonzero(np.isin(card[start:stop], stolen))
        used = rng.choice(own, len(own) // 3, replace=False)
        amount[used] *= 5.0
        kind[used] = CARD
