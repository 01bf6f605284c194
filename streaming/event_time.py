"""When an event happened, in seconds since 1970, from what JSON holds of a time."""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

YEAR_2000 = 946_684_800
END_OF_TIME = 7_258_118_400
"""Seconds since 1970 of the year 2200."""

FINER = (1e3, 1e6, 1e9)
"""Milliseconds, microseconds and nanoseconds of a second. Of the years 2000 to 2199 a number in one
of them is none in another, and none of a time in seconds."""


def seconds_of(value: dt.datetime | float | None) -> float | None:
    """Return seconds since 1970; a time without a zone is UTC, the unit of a number is its size's.

    A number that is no time in any unit stays as it is, out of the years 1970 to 2199.
    """
    if value is None:
        return None
    if isinstance(value, dt.datetime):
        return (value if value.tzinfo else value.replace(tzinfo=dt.UTC)).timestamp()
    if value >= END_OF_TIME:
        for unit in FINER:
            if YEAR_2000 <= value / unit < END_OF_TIME:
                return value / unit
    return value


def seconds_of_numbers(values: Floats) -> Floats:
    """Return the same of many numbers."""
    if not (values >= END_OF_TIME).any():
        return values
    seconds = values.copy()
    for unit in FINER:
        scaled = values / unit
        found = (values >= END_OF_TIME) & (scaled >= YEAR_2000) & (scaled < END_OF_TIME)
        seconds[found] = scaled[found]
    return seconds


def is_within_time(seconds: float) -> bool:
    """Return whether a time lies in the years 1970 to 2199."""
    return 0 <= seconds < END_OF_TIME
