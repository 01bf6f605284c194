"""Who pays where: the customers and terminals of the simulated card payments.

Everything is drawn once from the seed and then fixed; see ``payments_simulator``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CUSTOMERS = 5_000
TERMINALS = 1_000
FAVOURITES = 6  # terminals near home where most of a customer's payments are made
ONLINE_KM = 0.0

COUNTRIES = ("NL", "DE", "BE", "FR", "GB", "ES", "IT", "PL", "US", "TR", "BR", "NG")
COUNTRY_SHARES = (0.42, 0.2, 0.12, 0.08, 0.05, 0.04, 0.03, 0.02, 0.015, 0.01, 0.008, 0.007)
COUNTRY_X = (0, 400, 100, -150, -350, -900, 700, 900, -6_500, 2_500, -8_500, 1_000)  # km east
COUNTRY_Y = (0, 0, -150, -450, 100, -1_400, -1_100, 100, -500, -1_400, -7_500, -5_000)  # km north

CATEGORIES = (
    "grocery", "restaurant", "transport", "fuel", "pharmacy",
    "clothing", "entertainment", "online", "electronics", "travel",
)  # fmt: skip
CATEGORY_SHARES = (0.27, 0.18, 0.12, 0.09, 0.07, 0.08, 0.07, 0.07, 0.03, 0.02)
CATEGORY_FACTORS = (
    1.0,
    0.9,
    0.4,
    1.5,
    0.7,
    1.6,
    0.9,
    1.3,
    3.0,
    4.0,
)  # of a customer's usual amount


@dataclass(frozen=True, slots=True)
class World:
    """The fixed part of the simulation.

    Attributes:
        usual: each customer's median amount in a category of factor 1, in euros.
        spread: standard deviation of the logarithm of a customer's amounts.
        activity: cumulated share of payments, by customer.
        favourites: terminals that a customer uses most, customers x FAVOURITES.
    """

    usual: Floats
    spread: Floats
    activity: Floats
    favourites: Ints
    customer_x: Floats
    customer_y: Floats
    terminal_x: Floats
    terminal_y: Floats
    terminal_country: Ints
    terminal_category: Ints

    def distance(self, customers: Ints, terminals: Ints) -> Floats:
        """Return kilometres from a customer's home to a terminal; none to an online shop."""
        km = np.hypot(
            self.customer_x[customers] - self.terminal_x[terminals],
            self.customer_y[customers] - self.terminal_y[terminals],
        )
        online = self.terminal_category[terminals] == CATEGORIES.index("online")
        return np.where(online, ONLINE_KM, km)


def make_world(seed: int) -> World:
    """Draw customers and terminals."""
    rng = np.random.default_rng([seed, 0])
    home = _countries(rng, CUSTOMERS)
    place = _countries(rng, TERMINALS)
    customer_x, customer_y = _around(rng, home)
    terminal_x, terminal_y = _around(rng, place)
    activity = rng.gamma(1.5, size=CUSTOMERS)
    return World(
        usual=np.exp(rng.normal(np.log(28.0), 0.5, CUSTOMERS)),
        spread=rng.uniform(0.25, 0.5, CUSTOMERS),
        activity=np.cumsum(activity) / activity.sum(),
        favourites=_nearest(customer_x, customer_y, terminal_x, terminal_y),
        customer_x=customer_x,
        customer_y=customer_y,
        terminal_x=terminal_x,
        terminal_y=terminal_y,
        terminal_country=place,
        terminal_category=rng.choice(len(CATEGORIES), TERMINALS, p=CATEGORY_SHARES),
    )


def _countries(rng: np.random.Generator, count: int) -> Ints:
    return rng.choice(len(COUNTRIES), count, p=COUNTRY_SHARES)


def _around(rng: np.random.Generator, country: Ints) -> tuple[Floats, Floats]:
    """Return places scattered about 80 km around the countries' centres."""
    x = np.array(COUNTRY_X, dtype=np.float64)[country] + rng.normal(0, 80, len(country))
    y = np.array(COUNTRY_Y, dtype=np.float64)[country] + rng.normal(0, 80, len(country))
    return x, y


def _nearest(cx: Floats, cy: Floats, tx: Floats, ty: Floats) -> Ints:
    squared = (cx[:, None] - tx) ** 2 + (cy[:, None] - ty) ** 2
    nearest = np.argpartition(squared, FAVOURITES, axis=1)[:, :FAVOURITES]
    return np.sort(nearest, axis=1).astype(np.int64)
