"""How rare a category is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import ConfigDict, Field

from detectors.base import Matrix, Snapshot, SnapshotError, Vector
from detectors.features.base import Accepts, Columns, Feature, FeatureParams, as_matrix
from detectors.features.display import share_text, words
from detectors.features.keys import keys_of, pack_texts, unpack_texts

_RESCALE = 1e100  # weight of the newest event at which all weights are scaled back to 1


class Frequency(Feature):
    """-log of the category's share of the past events; rare and unknown categories are high.

    The past fades with a half-life in events. A missing value is a category like any other. Works
    for codes and names with few to some thousands of values; for identifiers that hardly repeat it
    says nothing. When there are more categories than ``max_categories``, the rarest quarter is
    forgotten.
    """

    kind = "frequency"
    accepts: ClassVar[Accepts] = {"field": frozenset({"string", "boolean", "number"})}

    class Params(FeatureParams):
        """Parameters of ``frequency``."""

        model_config = ConfigDict(
            json_schema_extra={
                "examples": [
                    {"kind": "frequency", "field": "service"},
                    {"kind": "frequency", "field": "code", "half_life": 10, "max_categories": 3},
                ]
            }
        )

        kind: Literal["frequency"]
        field: str = Field(description="A field whose values are names or codes.")
        half_life: int = Field(
            default=50_000, ge=1, le=10**9, description="Events after which one counts half."
        )
        max_categories: int = Field(
            default=10_000, ge=1, le=10**6, description="Categories remembered at a time."
        )

    def __init__(self, params: Params) -> None:
        self._field, self._limit = params.field, params.max_categories
        self._growth = 2.0 ** (1.0 / params.half_life)
        self.name = params.name or f"frequency_{params.field}"
        self.names = (self.name,)
        self.label = params.label or words(params.field)
        # Instead of fading all counts at each event, the newest event weighs ever more.
        self._weights: dict[str, float] = {}
        self._total = 0.0
        self._newest = 1.0

    def extract(self, columns: Columns, times: Vector) -> Matrix:
        """Return -log share of each event's category among the events before it."""
        out = []
        weights, total, newest, growth = self._weights, self._total, self._newest, self._growth
        for key in keys_of(columns[self._field]):
            category = "" if key is None else f"={key}"
            before = weights.get(category, 0.0)
            out.append(math.log((total + newest) / (before + 0.5 * newest)))
            if before == 0.0 and len(weights) >= self._limit:
                self._forget_rarest()
            weights[category] = before + newest
            total += newest
            newest *= growth
            if newest > _RESCALE:
                for known in weights:
                    weights[known] /= newest
                total, newest = total / newest, 1.0
        self._total, self._newest = total, newest
        return as_matrix(out)

    def _forget_rarest(self) -> None:
        ordered = sorted(self._weights, key=lambda known: (self._weights[known], known))
        for known in ordered[: max(1, self._limit // 4)]:
            del self._weights[known]

    def show(self, values: Sequence[float], fields: Mapping[str, Any]) -> str:
        """Return the category and how common it was: ``ftp (1 in 2,300)``."""
        raw = fields.get(self._field)
        if isinstance(raw, float) and raw.is_integer():
            raw = int(raw)
        text = "missing" if raw is None else str(raw)
        text = text if len(text) <= 60 else f"{text[:59]}…"
        return f"{text} ({share_text(math.exp(values[0]))})"

    def usual(self, low: Sequence[float], high: Sequence[float]) -> str:
        """Return how common the usual categories are."""
        if math.isnan(low[0]) or math.isnan(high[0]):
            return ""
        first, last = share_text(math.exp(low[0])), share_text(math.exp(high[0]))
        return first if first == last else f"{first} to {last}"

    def snapshot(self) -> Snapshot:
        """Return the weights of the categories in the order in which they were first seen."""
        return Snapshot(
            {"total": self._total, "newest": self._newest},
            {
                **pack_texts("categories", self._weights),
                "weights": np.array(list(self._weights.values()), np.float64),
            },
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Replace the weights."""
        categories = unpack_texts("categories", snapshot.arrays)
        weights = snapshot.arrays.get("weights", np.empty(0)).tolist()
        if len(weights) != len(categories) or not {"total", "newest"} <= set(snapshot.meta):
            raise SnapshotError(f"the snapshot of feature {self.name} is damaged")
        self._weights = dict(zip(categories, weights, strict=True))
        self._total, self._newest = snapshot.meta["total"], snapshot.meta["newest"]
