"""Where an event lies in the day or the week."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import ConfigDict, Field

from detectors.base import Matrix, Vector
from detectors.features.base import Accepts, Columns, Feature, FeatureParams, numbers
from detectors.features.display import words
from detectors.features.local_time import DAY, DAYS, MONDAY, WEEK, LocalTime, Timezone

_STEPS = {"hour_of_day": 96, "day_of_week": 7, "hour_of_week": 168}


class CyclicTime(Feature):
    """Sine and cosine of the hour of day, the day of week or the hour of week.

    Two columns, so that 23:59 and 00:00 are neighbours. Works where activity has a daily or weekly
    rhythm; where events come evenly it only adds noise.
    """

    kind = "cyclic_time"
    accepts: ClassVar[Accepts] = {"field": frozenset({"time"})}

    class Params(FeatureParams):
        """Parameters of ``cyclic_time``."""

        model_config = ConfigDict(
            json_schema_extra={
                "examples": [
                    {"kind": "cyclic_time", "period": "hour_of_day"},
                    {
                        "kind": "cyclic_time",
                        "period": "hour_of_week",
                        "field": "created",
                        "timezone": "Europe/Paris",
                    },
                    {"kind": "cyclic_time", "period": "day_of_week"},
                ]
            }
        )

        kind: Literal["cyclic_time"]
        period: Literal["hour_of_day", "day_of_week", "hour_of_week"] = Field(
            default="hour_of_day", description="What the rhythm is of."
        )
        field: str | None = Field(
            default=None, description="A time field; the event's own time if left out."
        )
        timezone: Timezone = Field(
            default="UTC", description="Zone of the people, like Europe/Paris."
        )

    def __init__(self, params: Params) -> None:
        self._field, self._period = params.field, params.period
        self._clock = LocalTime(params.timezone)
        self.name = params.name or "_".join(filter(None, (params.period, params.field)))
        self.names = (f"{self.name}.sin", f"{self.name}.cos")
        self.label = params.label or words(self.name)

    def extract(self, columns: Columns, times: Vector) -> Matrix:
        """Return sine and cosine of each event's place in the period."""
        seconds = numbers(columns, self._field) if self._field else np.asarray(times, np.float64)
        angle = 2.0 * math.pi * self._place(self._clock.seconds(seconds))
        return np.column_stack((np.sin(angle), np.cos(angle))).astype(np.float32)

    def _place(self, local: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the share of the period that has passed, in [0, 1)."""
        if self._period == "hour_of_day":
            return np.mod(local, DAY) / DAY
        week = np.mod(local - MONDAY, WEEK)
        return (np.floor(week / DAY) / 7.0) if self._period == "day_of_week" else week / WEEK

    def show(self, values: Sequence[float], fields: Mapping[str, Any]) -> str:
        """Return the local time: ``02:14``, ``Tue``, ``Tue 02:14``."""
        sine, cosine = values
        if math.isnan(sine) or math.isnan(cosine):
            return "missing"
        return self._text(math.atan2(sine, cosine) / (2.0 * math.pi) % 1.0)

    def _text(self, place: float) -> str:
        if self._period == "day_of_week":
            return DAYS[round(place * 7) % 7]
        minutes = round(place * (1_440 if self._period == "hour_of_day" else 10_080))
        clock = f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"
        return clock if self._period == "hour_of_day" else f"{DAYS[minutes // 1440 % 7]} {clock}"

    def usual(self, low: Sequence[float], high: Sequence[float]) -> str:
        """Return the arc of the period that fits both ranges; "" if it is most of the period."""
        if any(map(math.isnan, (*low, *high))):
            return ""
        steps = _STEPS[self._period]
        angle = 2.0 * math.pi * np.arange(steps) / steps
        slack = 1.0 / steps  # a grid step must not fall between two close bounds
        inside = np.ones(steps, bool)
        for axis, wave in enumerate((np.sin(angle), np.cos(angle))):
            inside &= (wave >= low[axis] - slack) & (wave <= high[axis] + slack)
        at = np.flatnonzero(inside)
        if len(at) == 0:
            return ""
        gaps = np.diff(np.append(at, at[0] + steps))
        widest = int(np.argmax(gaps))
        if gaps[widest] < 0.2 * steps:
            return ""
        first, last = int(at[(widest + 1) % len(at)]), int(at[widest])
        if first == last:
            return self._text(first / steps)
        return f"{self._text(first / steps)}–{self._text(last / steps)}"
