"""The logarithm of a number: for quantities with a long tail."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import ConfigDict, Field

from detectors.base import Matrix, Vector
from detectors.features.base import Accepts, Columns, Feature, FeatureParams, as_matrix, numbers
from detectors.features.display import range_text, value_text, words


class Log(Feature):
    """sign(v) * log(1 + |v| / scale).

    Works for amounts, bytes, counts and durations; negative values keep their sign. Values much
    smaller than ``scale`` are hardly told apart: set it to what counts as small.
    """

    kind = "log"
    accepts: ClassVar[Accepts] = {"field": frozenset({"number"})}

    class Params(FeatureParams):
        """Parameters of ``log``."""

        model_config = ConfigDict(
            json_schema_extra={"examples": [{"kind": "log", "field": "amount", "unit": "€"}]}
        )

        kind: Literal["log"]
        field: str = Field(description="A number field.")
        unit: str = Field(
            default="", description="Unit for people; €, $, bytes and s are written out."
        )
        scale: float = Field(
            default=1.0, gt=0, le=1e9, ge=1e-9, description="What counts as small."
        )

    def __init__(self, params: Params) -> None:
        self._field, self._unit, self._scale = params.field, params.unit, params.scale
        self.name = params.name or f"log_{params.field}"
        self.names = (self.name,)
        self.label = params.label or words(params.field)

    def extract(self, columns: Columns, times: Vector) -> Matrix:
        """Return the logarithms."""
        values = numbers(columns, self._field)
        return as_matrix(np.copysign(np.log1p(np.abs(values) / self._scale), values))

    def show(self, values: Sequence[float], fields: Mapping[str, Any]) -> str:
        """Return the value as it stood in the event, not its logarithm."""
        raw = fields.get(self._field)
        return value_text(
            raw if isinstance(raw, int | float) else self.natural(values[0]), self._unit
        )

    def usual(self, low: Sequence[float], high: Sequence[float]) -> str:
        """Return the range of the values, not of their logarithms."""
        return range_text(self.natural(low[0]), self.natural(high[0]), self._unit)

    def natural(self, value: float) -> float | None:
        """Return the value that has this logarithm."""
        return math.copysign(math.expm1(abs(value)) * self._scale, value)
