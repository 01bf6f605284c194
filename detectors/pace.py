"""At most so many alerts per hour or day of event time, the strongest of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from detectors.base import Params, SnapshotError, Vector

PERIODS = {"hour": 3_600.0, "day": 86_400.0}  # seconds

_AT_ONCE = 0.25  # of a period's alerts may come at once
_FEWEST_AT_ONCE = 2.0  # or there would be no choice between a strong and a stronger one
_WRONG_CLOCK = 10  # strong events in a row that say so


class AlertLimit(Params):
    """A limit in alerts per hour or day, beside the share of the events."""

    most: int = Field(ge=1, le=10**6, description="Alerts per period, of each partition.")
    per: Literal["hour", "day"] = Field(default="day", description="The period, in event time.")


class Pace:
    """Holds alerts to a limit, whatever comes.

    A stock of alerts fills up evenly, ``most`` in a period; an alert takes one. The emptier the
    stock, the stranger an event has to be: so the strongest of a period are let through and not its
    first, a flood takes at most a quarter of a period's alerts at once and leaves its share to the
    rest, and who alerts less than the limit is not held back. In no span of one period of event
    time, wherever it begins, are there more than ``most + slack``; for events out of order their
    latest time so far counts.

    The state is a pure function of what ``admit`` was given, however it was cut.
    """

    def __init__(self, limit: AlertLimit) -> None:
        self._rate = limit.most / PERIODS[limit.per]
        self._period = PERIODS[limit.per]
        self.slack = max(_FEWEST_AT_ONCE, _AT_ONCE * limit.most)
        self._stock = self.slack
        self._now: float | None = None
        self._before = 0  # events in a row that lie more than a period before

    def admit(
        self, times: Vector, margins: Vector, needed: Callable[[float], float]
    ) -> tuple[npt.NDArray[np.bool_], Vector]:
        """Return which events are let through, and the margin that each needed.

        Args:
            times: event times, seconds since 1970, of events that the share would let alert.
            margins: of the same.
            needed: the part of the share's events that may alert, in (0, 1] -> margin needed.
        """
        through = np.zeros(len(times), bool)
        needs = np.empty(len(times), np.float64)
        for i, (time, margin) in enumerate(zip(times.tolist(), margins.tolist(), strict=True)):
            self._tick(time)
            spare = (self._stock - 1.0) / (self.slack - 1.0)
            needs[i] = needed(min(1.0, spare)) if spare > 0.0 else math.inf
            if margin >= needs[i]:
                through[i] = True
                self._stock -= 1.0
        return through, needs

    def _tick(self, time: float) -> None:
        """Move on to an event's time.

        A time far ahead stops the clock, and the stock would stay empty: when some events in a row
        lie more than a period before it, it goes back.
        """
        if self._now is None:
            self._now = time
        elif time >= self._now:
            self._stock = min(self.slack, self._stock + self._rate * (time - self._now))
            self._now, self._before = time, 0
        elif time >= self._now - self._period:
            self._before = 0
        else:
            self._before += 1
            if self._before == _WRONG_CLOCK:
                self._now, self._before = time, 0

    def state(self) -> dict[str, Any]:
        """Return the state for a snapshot's meta."""
        return {"stock": self._stock / self.slack, "now": self._now, "before": self._before}

    def load(self, state: Any) -> None:
        """Replace the state; of another limit, the stock is as full as it was there."""
        try:
            stock, now, before = float(state["stock"]), state["now"], int(state["before"])
            now = None if now is None else float(now)
        except (KeyError, TypeError, ValueError) as error:
            raise SnapshotError(f"the snapshot of the alert limit is damaged: {error}") from error
        if not 0.0 <= stock <= 1.0:
            raise SnapshotError(f"the snapshot of the alert limit has a stock of {stock}")
        self._stock, self._now, self._before = stock * self.slack, now, before
