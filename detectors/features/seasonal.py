"""How unusual an event is for its hour."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import ConfigDict, Field

from detectors.base import Matrix, Snapshot, Vector
from detectors.duration import Duration, parse_duration
from detectors.features.base import Accepts, Columns, Feature, FeatureParams, as_matrix, numbers
from detectors.features.display import share_text, value_text, words
from detectors.features.hour_baselines import HourBaselines
from detectors.features.keys import keys_of
from detectors.features.local_time import DAY, MONDAY, WEEK, LocalTime, Timezone

_HOUR = 3_600.0  # seconds
_PERIODS = {"hour_of_day": (DAY, 24), "hour_of_week": (WEEK, 168)}


class Seasonal(Feature):
    """An event against what is usual at its hour of the day or week.

    Without ``field``: how rare it is that the entity does anything at this hour, as -log of (the
    hour's share of its past events times the number of hours). With it: by how many standard
    deviations the value is off what is usual at this hour. Each entity has its own baseline, shrunk
    to that of all events while little is known of it; ``entity`` may also be a cohort, like a
    country or a role. The past fades. Works where work has a rhythm and an anomaly is an ordinary
    event at the wrong hour, which `cyclic_time` alone can't tell where entities keep different
    hours. Says little before some weeks have been seen.
    """

    kind = "seasonal"
    accepts: ClassVar[Accepts] = {
        "field": frozenset({"number"}),
        "entity": frozenset({"string", "number", "boolean"}),
    }

    class Params(FeatureParams):
        """Parameters of ``seasonal``."""

        model_config = ConfigDict(
            json_schema_extra={
                "examples": [
                    {"kind": "seasonal", "entity": "user"},
                    {
                        "kind": "seasonal",
                        "field": "bytes",
                        "entity": "host",
                        "unit": "B",
                        "period": "hour_of_day",
                        "half_life": "2h",
                        "max_entities": 2,
                    },
                    {"kind": "seasonal", "field": "requests", "timezone": "Europe/Paris"},
                ]
            }
        )

        kind: Literal["seasonal"]
        field: str | None = Field(
            default=None, description="The value; left out: that anything happens at this hour."
        )
        entity: str | None = Field(
            default=None, description="Field whose values have baselines of their own."
        )
        period: Literal["hour_of_day", "hour_of_week"] = Field(
            default="hour_of_week", description="What the rhythm is of."
        )
        half_life: Duration = Field(
            default="28d", description="Time after which an event counts half."
        )
        timezone: Timezone = Field(
            default="UTC", description="Zone of the people, like Europe/Paris."
        )
        unit: str = Field(default="", description="Unit of the value, for people.")
        max_entities: int = Field(
            default=2_000, ge=1, le=10**5, description="Entities remembered at a time."
        )

    def __init__(self, params: Params) -> None:
        self._field, self._unit = params.field, params.unit
        self.entity = params.entity
        self._length, self._slots = _PERIODS[params.period]
        self._clock = LocalTime(params.timezone)
        self._baselines = HourBaselines(
            self._slots, parse_duration(params.half_life), params.max_entities
        )
        self.most_bytes = self._baselines.most_bytes if params.entity else 0
        what = ("seasonal", params.field, params.entity and f"by_{params.entity}", params.period)
        self.name = params.name or "_".join(part for part in what if part)
        self.names = (self.name,)
        of = f" of {words(params.entity)}" if params.entity else ""
        self.label = params.label or f"{words(params.field or 'activity')}{of} for the hour"

    def extract(self, columns: Columns, times: Vector) -> Matrix:
        """Return how unusual each event is for its hour, given the events before it."""
        times = np.asarray(times, np.float64)
        slots = self._slots_of(times)
        keys = [key or "" for key in keys_of(columns[self.entity])] if self.entity else None
        if self._field is None:
            return as_matrix(self._baselines.rarity(keys, slots, times))
        values = numbers(columns, self._field)
        return as_matrix(self._baselines.deviations(keys, slots, times, values))

    def _slots_of(self, times: Vector) -> npt.NDArray[np.int64]:
        place = np.mod(self._clock.seconds(times) - MONDAY, self._length) / _HOUR
        return np.where(np.isnan(place), -1.0, np.minimum(place, self._slots - 1)).astype(np.int64)

    def show(self, values: Sequence[float], fields: Mapping[str, Any]) -> str:
        """Return ``1 in 2,300 at this hour`` or ``412 €, 3.2 deviations above its hour's``."""
        value = values[0]
        if math.isnan(value):
            return "missing"
        if self._field is None:
            return f"{share_text(self._slots * math.exp(value))} at this hour"
        raw = fields.get(self._field)
        shown = f"{value_text(raw, self._unit)}, " if isinstance(raw, int | float) else ""
        side = "above" if value >= 0 else "below"
        return f"{shown}{abs(value):.1f} deviations {side} its hour's"

    def usual(self, low: Sequence[float], high: Sequence[float]) -> str:
        """Return the usual shares, or deviations."""
        if math.isnan(low[0]) or math.isnan(high[0]):
            return ""
        if self._field is not None:
            return f"{low[0]:.1f} to {high[0]:.1f} deviations"
        first, last = (share_text(self._slots * math.exp(one[0])) for one in (low, high))
        return first if first == last else f"{first} to {last}"

    def snapshot(self) -> Snapshot:
        """Return the baselines."""
        return self._baselines.snapshot()

    def restore(self, snapshot: Snapshot) -> None:
        """Replace the baselines."""
        self._baselines.restore(snapshot)
