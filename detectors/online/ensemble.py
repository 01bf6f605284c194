"""Several detectors that give one score together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from detectors import base
from detectors.arrays import Matrix, Vector
from detectors.registry import kind_class
from detectors.scale import FixedScale, ScoreScale, shrinkage
from detectors.state import nest, unnest
from detectors.trees import Trees

KIND = "ensemble"

LOWEST, HIGHEST = -3.0, 8.0
"""Limits of a member's say, in standard deviations.

A member whose scores have no upper end (StandardAbsoluteDeviation) else decides alone: beside an
isolation forest it took average precision on http from .77 to .32; with the limit it is .78. Lower
limits (4, 5) gained on some sets and cost the order of the top on others (http .54).
"""

_SCALE_ROWS = 256  # of a block are enough to know its mean and deviation
_SCALE_HALF_LIFE = 20.0 * _SCALE_ROWS


class Member(BaseModel):
    """A detector of the ensemble: ``kind``, ``weight`` and the kind's own parameters."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    kind: str = Field(description="Name of the detector.")
    weight: float = Field(default=1.0, gt=0, description="Its say.")

    @model_validator(mode="after")
    def _parameters_fit_kind(self) -> Member:
        if self.kind == KIND:
            raise base.ConfigError("kind: an ensemble can't be a member of one")
        self.params()
        return self

    def params(self) -> BaseModel:
        """Return the parameters as those of the kind."""
        try:
            return kind_class(self.kind).Params.model_validate(self.model_extra or {})
        except ValidationError as error:
            problems = [
                ".".join([self.kind, *map(str, problem["loc"])]) + f": {problem['msg']}"
                for problem in error.errors()
            ]
            raise base.ConfigError("; ".join(problems)) from error


class Ensemble(base.Detector):
    """Weighted mean of its members' standardised scores.

    Each member's scores are put on one scale and limited to -3 to 8 deviations. The scale is the
    kind's own (``natural``) where it has one: a burst of anomalies then doesn't shrink the scores
    of those that follow. Else it is the running mean and deviation of the member's scores. No
    detector wins everywhere; the mean is rarely the best of its members and rarely far from it.
    Costs what the members cost together, and a quarter of a block's scoring for the scales.

    Explained by the members' attributions on the same scale; they add up where all members' do.

    Example:
        >>> import numpy as np
        >>> members = [{"kind": "isolation_forest"}, {"kind": "isolation_forest", "trees": 10}]
        >>> ensemble = Ensemble(["x"], Ensemble.Params.model_validate({"members": members}))
        >>> ensemble.learn_many(np.linspace(0, 1, 256, dtype=np.float32)[:, np.newaxis])
        >>> usual, odd = ensemble.score_many(np.array([[0.5], [9.0]], np.float32))
        >>> bool(odd > usual)
        True
    """

    kind = KIND

    class Params(base.Params):
        """The members."""

        members: list[Member] = Field(
            min_length=1,
            max_length=8,
            description="The detectors: kind, weight and parameters of each.",
        )

    params: Params

    @classmethod
    def examples(cls) -> Sequence[Params]:
        """Return one of forests only and one with a member that SHAP can't open."""
        forest = {"kind": "isolation_forest", "trees": 20, "subsample": 64, "window": 256}
        members: list[list[dict[str, Any]]] = [
            [forest, {**forest, "weight": 0.5, "replace": 20}],
            [forest, {"kind": "river_model", "model": "StandardAbsoluteDeviation"}],
        ]
        return [cls.Params.model_validate({"members": each}) for each in members]

    def _begin(self, features: int) -> None:
        self._scales = [_scale(kind_class(member.kind)) for member in self.params.members]
        weights = np.array([member.weight for member in self.params.members])
        self._weights = weights / weights.sum()
        self._members = [
            kind_class(member.kind)(
                [str(key) for key in self._keys], member.params(), self.seed + i
            )
            for i, member in enumerate(self.params.members)
        ]

    @property
    def members(self) -> Sequence[base.Detector]:
        """The detectors, in the order of the parameters."""
        return self._members

    @property
    def trees(self) -> Trees | None:
        """The forest of the first member that has one."""
        return next((m.trees for m in self._members if m.trees is not None), None)

    @property
    def window(self) -> Matrix:
        """The window of the first member that keeps one."""
        return next((m.window for m in self._members if len(m.window)), super().window)

    def score_many(self, X: Matrix) -> Vector:
        """Return the weighted mean of the members' limited standardised scores."""
        total = np.zeros(len(X))
        for member, scale, weight in zip(self._members, self._scales, self._weights, strict=True):
            total += weight * _limited(scale.standardise(member.score_many(X)))
        return total

    def learn_many(self, X: Matrix) -> None:
        """Let every member learn the block, then measure its scores."""
        if len(X) == 0:
            return
        sample = X[:: max(1, len(X) // _SCALE_ROWS)]
        for member, scale in zip(self._members, self._scales, strict=True):
            member.learn_many(X)
            scale.learn(member.score_many(sample))

    def explain_many(self, X: Matrix) -> base.Attribution:
        """Return the members' attributions on the common scale."""
        values, base_score = np.zeros(X.shape), np.zeros(len(X))
        methods: list[str] = []
        notes = [""] * len(X)
        additive = True
        for member, scale, weight in zip(self._members, self._scales, self._weights, strict=True):
            found = member.explain_many(X)
            start = scale.standardise(found.base)
            z = scale.standardise(member.score_many(X))
            # A limited score shrinks all its parts alike, so that they still add up.
            shrink = shrinkage(z - start, _limited(z) - start)
            values += weight * scale.gain * shrink[:, np.newaxis] * found.values
            base_score += weight * start
            methods += [found.method] if found.method not in methods else []
            additive = additive and found.additive
            more = found.notes or [""] * len(X)
            notes = [", ".join(filter(None, pair)) for pair in zip(notes, more, strict=True)]
        return base.Attribution(values, base_score, " + ".join(methods), additive, tuple(notes))

    def _dump(self) -> base.Snapshot:
        members = {f"member{i}": member.snapshot() for i, member in enumerate(self._members)}
        scales = {f"scale{i}": scale.snapshot() for i, scale in enumerate(self._scales)}
        return nest({**members, **scales})

    def _load(self, snapshot: base.Snapshot) -> None:
        parts = unnest(snapshot)
        for i, (member, scale) in enumerate(zip(self._members, self._scales, strict=True)):
            member.restore(parts[f"member{i}"])
            scale.restore(parts[f"scale{i}"])


def _scale(kind: type[base.Detector]) -> ScoreScale | FixedScale:
    return FixedScale(*kind.natural) if kind.natural else ScoreScale(_SCALE_HALF_LIFE)


def _limited(z: Vector) -> Vector:
    return np.clip(z, LOWEST, HIGHEST)
