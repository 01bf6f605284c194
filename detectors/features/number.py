"""A number as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from detectors.base import Matrix, Vector
from detectors.features.base import Accepts, Columns, Feature, FeatureParams, as_matrix, numbers
from detectors.features.display import range_text, value_text, words


class Number(Feature):
    """The field's value, unchanged; a boolean is 0 or 1.

    Works when the values spread evenly. A quantity with a long tail (amounts, bytes, durations)
    wants ``log``, or its largest values take up most of a tree's cuts.
    """

    kind = "number"
    accepts: ClassVar[Accepts] = {"field": frozenset({"number", "boolean"})}

    class Params(FeatureParams):
        """Parameters of ``number``."""

        model_config = ConfigDict(
            json_schema_extra={"examples": [{"kind": "number", "field": "v"}]}
        )

        kind: Literal["number"]
        field: str = Field(description="A number or boolean field.")
        unit: str = Field(
            default="", description="Unit for people; €, $, bytes and s are written out."
        )

    def __init__(self, params: Params) -> None:
        self._field, self._unit = params.field, params.unit
        self.name = params.name or params.field
        self.names = (self.name,)
        self.label = params.label or words(params.field)

    def extract(self, columns: Columns, times: Vector) -> Matrix:
        """Return the field's values."""
        return as_matrix(numbers(columns, self._field))

    def show(self, values: Sequence[float], fields: Mapping[str, Any]) -> str:
        """Return the value as it stood in the event."""
        raw = fields.get(self._field)
        if isinstance(raw, bool):
            return "yes" if raw else "no"
        return value_text(raw if isinstance(raw, int | float) else values[0], self._unit)

    def usual(self, low: Sequence[float], high: Sequence[float]) -> str:
        """Return the range with its unit."""
        return range_text(low[0], high[0], self._unit)

    def natural(self, value: float) -> float | None:
        """Return the value itself."""
        return value
