"""When an event happened, in seconds since 1970, from what JSON holds of a time."""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

YEAR_2000 = 946_684_800
END_OF_TIME = 7_258_118_400
"""Seconds since 1970 of the year 2200."""

THOUSAND = 1e3
FINER = 3
"""Milliseconds, microseconds and nanoseconds: each a thousandth of the one before. A number of one
of them is none of another from the 26th of March 1970 on, where the coarser one ends."""


def seconds_of(value: dt.datetime | float | None) -> float | None:
    """Return seconds since 1970; a time without a zone is UTC, the unit of a number is its size's.

    A number that is no time in any unit lies out of the years 1970 to 2199.
    """
    if value is None:
        return None
    if isinstance(value, dt.datetime):
        return (value if value.tzinfo else value.replace(tzinfo=dt.UTC)).timestamp()
    for _ in range(FINER):
        if value >= END_OF_TIME:
            value /= THOUSAND
    return value


def seconds_of_numbers(values: Floats) -> Floats:
    """Return the same of many numbers."""
    for _ in range(FINER):
        finer = values >= END_OF_TIME
        if finer.any():
            values = np.where(finer, values / THOUSAND, values)
    return values


def is_within_time(seconds: float) -> bool:
    """Return whether a time lies in the years 1970 to 2199."""
    return 0 <= seconds < END_OF_TIME
