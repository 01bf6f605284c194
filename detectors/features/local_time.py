"""The clock on the wall of the people concerned."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator

DAY, WEEK = 86_400.0, 604_800.0  # seconds
MONDAY = 345_600.0  # seconds; 1970-01-05, the first Monday after the epoch
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_EARLIEST, _LATEST = -2.0e9, 7.2e9  # seconds; years 1906 to 2198, beyond is no event's time

Seconds = npt.NDArray[np.float64]


def _known_zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError(f"{value!r} is no time zone; write one like Europe/Paris or UTC")
    return value


Timezone = Annotated[str, AfterValidator(_known_zone)]
"""A field of a config that names a zone."""


class LocalTime:
    """Times of one zone."""

    def __init__(self, timezone: str) -> None:
        self._zone = ZoneInfo(timezone)
        self._is_utc = timezone == "UTC"

    def seconds(self, times: Seconds) -> Seconds:
        """Return local seconds since 1970, NaN for what is no event's time.

        Offsets change on the quarter of an hour at the finest.
        """
        inside = (times >= _EARLIEST) & (times <= _LATEST)
        times = np.where(inside, times, np.nan)
        if self._is_utc or not inside.any():
            return times
        quarters, at = np.unique(np.floor(times[inside] / 900.0), return_inverse=True)
        offsets = [self._offset(quarter * 900.0) for quarter in quarters.tolist()]
        local = times.copy()
        local[inside] += np.array(offsets, np.float64)[at]
        return local

    def _offset(self, seconds: float) -> float:
        moment = dt.datetime.fromtimestamp(seconds, self._zone)
        return (moment.utcoffset() or dt.timedelta()).total_seconds()
