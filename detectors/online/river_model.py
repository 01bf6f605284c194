"""Anomaly models of the river library, by name."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import Field, model_validator
from river import anomaly, proba, sketch, stats, tree
from river.sketch import histogram
from river.tree import padded

from detectors import base
from detectors.arrays import Matrix, Vector
from detectors.explain.occlusion import METHOD, occlusion
from detectors.ring import Ring
from detectors.river_state import decode, encode

Row = dict[str, float]


@dataclass(frozen=True, slots=True)
class Model:
    """A model of river that we can keep in a snapshot.

    Attributes:
        cls: the class.
        parameters: those that may be set; a seed comes from the stream's config.
        per_feature: it looks at one number at a time, so every feature gets one of its own.
        unit: it expects values from 0 to 1.
        seeded: it takes a seed.
    """

    cls: type
    parameters: tuple[str, ...]
    per_feature: bool = False
    unit: bool = False
    seeded: bool = False


MODELS: Mapping[str, Model] = {
    "GaussianScorer": Model(anomaly.GaussianScorer, ("grace_period",), per_feature=True),
    "HalfSpaceTrees": Model(
        anomaly.HalfSpaceTrees, ("n_trees", "height", "window_size"), unit=True, seeded=True
    ),
    "LODA": Model(anomaly.LODA, ("n_bins", "n_random_cuts"), unit=True, seeded=True),
    "StandardAbsoluteDeviation": Model(anomaly.StandardAbsoluteDeviation, (), per_feature=True),
}
"""By river's name. GaussianScorer's window is left out: it fails on constant features."""

_STATE_CLASSES: Mapping[str, type] = {
    **{name: model.cls for name, model in MODELS.items()},
    "Bin": histogram.Bin,
    "Gaussian": proba.Gaussian,
    "Histogram": sketch.Histogram,
    "Leaf": tree.base.Leaf,
    "Mean": stats.Mean,
    "PaddedBranch": padded.PaddedBranch,
    "PaddedLeaf": padded.PaddedLeaf,
    "Var": stats.Var,
}


class RiverModel(base.Detector):
    """One of river's anomaly models, with what it needs to stand in a stream.

    Rows are handed over one by one as dicts, missing values left out. Models that expect values
    from 0 to 1 get them scaled by the smallest and the largest value so far, as river's
    ``MinMaxScaler`` does. Models of single numbers run once per feature; the score is the largest.
    The first row learned fixes the features, so its missing values are taken as 0.

    Slow beside ``isolation_forest`` (HalfSpaceTrees about 40,000 events/s, LODA 5,000), and
    explained by occlusion, as SHAP can't open these models.

    Example:
        >>> import numpy as np
        >>> params = RiverModel.Params(model="HalfSpaceTrees", parameters={"window_size": 50})
        >>> detector = RiverModel(["x"], params, seed=1)
        >>> rows = np.random.default_rng(1).normal(size=(200, 1)).astype(np.float32)
        >>> detector.learn_many(rows)
        >>> usual, odd = detector.score_many(np.array([[0.0], [9.0]], np.float32))
        >>> bool(odd > usual)
        True
    """

    kind = "river_model"
    block_of_ones = 1

    class Params(base.Params):
        """Which model, with which parameters."""

        model: str = Field(
            default="HalfSpaceTrees", description=f"One of {', '.join(MODELS)}, as river calls it."
        )
        parameters: dict[str, int | float] = Field(
            default={}, description="Parameters of the model, as river calls them."
        )
        window: int = Field(
            default=1024, ge=1, le=100_000, description="Latest rows kept for explanations."
        )

        @model_validator(mode="after")
        def _can_be_built(self) -> RiverModel.Params:
            if self.model not in MODELS:
                raise base.ConfigError(
                    f"model: {self.model!r} can't be kept in a snapshot; "
                    f"there are {', '.join(MODELS)}"
                )
            known = MODELS[self.model].parameters
            for name, value in self.parameters.items():
                if name not in known:
                    raise base.ConfigError(
                        f"parameters: {self.model} takes {', '.join(known) or 'none'}, not {name!r}"
                    )
                if not 1 <= value <= 100_000 or value != int(value):
                    raise base.ConfigError(f"parameters: {name} must be a count, not {value!r}")
            if self.parameters.get("height", 0) > 15:
                raise base.ConfigError("parameters: a height above 15 takes more than 65,535 nodes")
            return self

    params: Params

    @classmethod
    def examples(cls) -> Sequence[Params]:
        """Return each model, small."""
        return [
            cls.Params(model="HalfSpaceTrees", parameters={"window_size": 40, "height": 5}),
            cls.Params(model="LODA", parameters={"n_random_cuts": 10}),
            cls.Params(model="GaussianScorer", parameters={"grace_period": 20}),
            cls.Params(model="StandardAbsoluteDeviation"),
        ]

    def _begin(self, features: int) -> None:
        self._names = [str(key) for key in self._keys]
        self._model = MODELS[self.params.model]
        arguments: dict[str, Any] = {k: int(v) for k, v in self.params.parameters.items()}
        if self._model.seeded:
            arguments["seed"] = self.seed
        count = features if self._model.per_feature else 1
        self._models = [self._model.cls(**arguments) for _ in range(count)]
        self._low = np.full(features, np.inf)
        self._high = np.full(features, -np.inf)
        self._ring = Ring(self.params.window, features)

    @property
    def window(self) -> Matrix:
        """The latest rows; a view, valid until the next ``learn_many``."""
        return self._ring.rows

    def score_many(self, X: Matrix) -> Vector:
        """Return the model's own score of each row."""
        X = base.as_rows(X, len(self._names))
        if self._ring.seen == 0:
            return np.full(len(X), self.neutral)
        if self._model.per_feature:
            return np.array([self._largest(row) for row in X.tolist()], np.float64)
        [model] = self._models
        rows = self._dicts(self._scaled(X, self._low, self._high))
        return np.array([model.score_one(row) for row in rows], np.float64)

    def learn_many(self, X: Matrix) -> None:
        """Learn the rows one after the other."""
        X = base.as_rows(X, len(self._names))
        if len(X) == 0:
            return
        first = self._ring.seen == 0
        self._ring.add(X)
        if self._model.per_feature:
            for row in X.tolist():
                for model, value in zip(self._models, row, strict=True):
                    if not math.isnan(value):
                        model.learn_one(None, value)
            return
        [model] = self._models
        low = np.fmin.accumulate(np.vstack([self._low, X]), axis=0)[1:]
        high = np.fmax.accumulate(np.vstack([self._high, X]), axis=0)[1:]
        rows = self._dicts(self._scaled(X, low, high))
        if first:
            rows[0] = {name: rows[0].get(name, 0.0) for name in self._names}
        for row in rows:
            model.learn_one(row)
        self._low, self._high = low[-1], high[-1]

    def explain_many(self, X: Matrix) -> base.Attribution:
        """Tell how far the score falls when a feature takes its median in the window."""
        X = base.as_rows(X, len(self._names))
        if self._ring.seen == 0:
            return base.Attribution(np.zeros(X.shape), self.score_many(X), METHOD, additive=False)
        return occlusion(self.score_many, X, self._ring.rows)

    def _largest(self, row: list[float]) -> float:
        scores = [
            abs(float(model.score_one(None, value)))
            for model, value in zip(self._models, row, strict=True)
            if not math.isnan(value)
        ]
        return max(scores, default=0.0)

    def _scaled(self, X: Matrix, low: Vector, high: Vector) -> np.ndarray[Any, Any]:
        if not self._model.unit:
            return X
        span = high - low
        known = np.isfinite(span) & (span > 0)
        with np.errstate(invalid="ignore"):  # infinity minus infinity where nothing is known
            scaled = np.where(known, (X - low) / np.where(known, span, 1.0), 0.0)
        scaled[np.isnan(X)] = np.nan
        return scaled

    def _dicts(self, rows: np.ndarray[Any, Any]) -> list[Row]:
        names = self._names
        if not np.isnan(rows).any():
            return [dict(zip(names, row, strict=True)) for row in rows.tolist()]
        return [
            {name: value for name, value in zip(names, row, strict=True) if value == value}
            for row in rows.tolist()
        ]

    def _dump(self) -> base.Snapshot:
        meta = {"seen": self._ring.seen, "models": encode(self._models, _STATE_CLASSES)}
        arrays = {"low": self._low.copy(), "high": self._high.copy(), "rows": self.window.copy()}
        return base.Snapshot(meta, arrays)

    def _load(self, snapshot: base.Snapshot) -> None:
        models = decode(snapshot.meta["models"], _STATE_CLASSES)
        if [type(model) for model in models] != [type(model) for model in self._models]:
            raise ValueError("the snapshot holds other models")
        self._models = models
        self._low[:], self._high[:] = snapshot.arrays["low"], snapshot.arrays["high"]
        self._ring.load(snapshot.arrays["rows"], int(snapshot.meta["seen"]))
