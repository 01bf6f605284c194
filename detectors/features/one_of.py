"""Whether a category is one of some that are named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import ConfigDict, Field

from detectors.base import Matrix, Vector
from detectors.features.base import Accepts, Columns, Feature, FeatureParams, as_matrix
from detectors.features.display import words
from detectors.features.keys import keys_of

_TOLD = 5  # values in words; of more the rest is counted
_LONGEST = 30  # characters of a value in words


class OneOf(Feature):
    """1 if the field's value is among ``values``, else 0; missing stays missing.

    For what people know of categories: countries under embargo, test accounts, night tariffs. A
    rule on it reads *country in KP, IR*. It adds little to a forest where the values are common;
    how rare a category is tells ``frequency``.
    """

    kind = "one_of"
    accepts: ClassVar[Accepts] = {"field": frozenset({"string", "number"})}

    class Params(FeatureParams):
        """Parameters of ``one_of``."""

        model_config = ConfigDict(
            json_schema_extra={
                "examples": [{"kind": "one_of", "field": "country", "values": ["a", "b"]}]
            }
        )

        kind: Literal["one_of"]
        field: str = Field(description="A field whose values are names or codes.")
        values: list[str] = Field(
            min_length=1, max_length=1000, description="The values, in quotes, numbers too."
        )

    def __init__(self, params: Params) -> None:
        self._field, self._values = params.field, tuple(dict.fromkeys(params.values))
        self._keys = frozenset(keys_of(self._values))
        self.name = params.name or f"one_of_{params.field}"
        self.names = (self.name,)
        self.label = params.label or words(params.field)

    def extract(self, columns: Columns, times: Vector) -> Matrix:
        """Return 1 where the value is among them, 0 where it is another, NaN where none is."""
        keys = keys_of(columns[self._field])
        return as_matrix([np.nan if key is None else float(key in self._keys) for key in keys])

    def show(self, values: Sequence[float], fields: Mapping[str, Any]) -> str:
        """Return the value, and whether it is listed: ``KP (listed)``."""
        raw = fields.get(self._field)
        if isinstance(raw, float) and raw.is_integer():
            raw = int(raw)
        if raw is None:
            return "missing"
        return f"{_short(str(raw))} ({self._listed(values[0])})"

    def usual(self, low: Sequence[float], high: Sequence[float]) -> str:
        """Return whether the usual values are listed, if all or none of them are."""
        return self._listed(low[0]) if low[0] == high[0] else ""

    def limited(self, low: float | None, high: float | None) -> str | None:
        """Return limits in words: ``in KP, IR``."""
        told = ", ".join(_short(value) for value in self._values[:_TOLD])
        if len(self._values) > _TOLD:
            told += f" and {len(self._values) - _TOLD} more"
        inside = asks_for_listed(low, high)
        return None if inside is None else f"{'in' if inside else 'not in'} {told}"

    @staticmethod
    def _listed(value: float) -> str:
        return "listed" if value == 1.0 else "not listed"


def asks_for_listed(low: float | None, high: float | None) -> bool | None:
    """Return whether limits on such a column let listed values in, or the others; None: both."""
    inside, outside = ((low or 0.0) <= x <= (1.0 if high is None else high) for x in (1.0, 0.0))
    return None if inside == outside else inside


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
