"""The contract of a detector.

A detector gives each row of a matrix a score, higher = more anomalous, and learns rows a block at
a time. It is also a river estimator: ``score_one`` / ``learn_one`` take a dict.
"""

from __future__ import annotations

import abc
import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict
from river.base import AnomalyDetector

from detectors.arrays import Matrix, Vector
from detectors.trees import Trees

__all__ = [
    "Attribution",
    "ConfigError",
    "Detector",
    "Features",
    "Matrix",
    "Params",
    "Snapshot",
    "SnapshotError",
    "Vector",
]


class Params(BaseModel):
    """Parameters of one kind, as they stand in a stream's config."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Whole state of an object: a JSON-able ``meta`` and plain ``arrays``. Never pickled.

    Attributes:
        meta: what JSON can hold (ints, floats, strings, lists, dicts with string keys).
        arrays: numeric or boolean arrays by name; no object arrays.
    """

    meta: Mapping[str, Any]
    arrays: Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Attribution:
    """Why rows got their scores.

    Attributes:
        values: rows x features, contribution of each feature to the score, signed; positive =
            towards anomaly.
        base: the score that the values add up from, one per row. Where ``additive``,
            ``base + values.sum(axis=1)`` equals the score.
        method: name of the method as the analyst reads it, e.g. ``"TreeSHAP"`` or ``"occlusion"``.
        additive: whether the values add up to the score exactly.
        notes: what else there is to say of each row, "" = nothing; none at all where it is empty.
    """

    values: npt.NDArray[np.float64]
    base: Vector
    method: str
    additive: bool
    notes: Sequence[str] = ()

    def explained_by(self, row: int) -> str:
        """Return the method, and what else there is to say of a row."""
        note = self.notes[row] if self.notes else ""
        return f"{self.method}; {note}" if note else self.method


class SnapshotError(ValueError):
    """The bytes or the content of a snapshot are not what this version can read."""


class ConfigError(ValueError):
    """Parameters that can't be built into an object; the message names the parameter."""


Features = Sequence[str]


class Detector(AnomalyDetector, abc.ABC):
    """Scores rows, then learns them.

    Works on matrices whose columns are ``feature_names`` in that order. Rows may hold NaN. Scoring
    never changes state and works before any learning (all rows then get the same score). Neither
    method keeps or changes the caller's array. The state is a pure function of the constructor's
    arguments and the sequence of ``learn_many`` calls: no clock, no global randomness.

    A kind implements the five abstract methods below; ``snapshot``, ``restore`` and river's
    ``score_one`` and ``learn_one`` are made of them here.

    As a river estimator it may be built without feature names: they are then the sorted keys of the
    first dict it learns. Keys it doesn't know are ignored, missing ones are NaN.
    """

    kind: ClassVar[str]
    """Name in a stream's config, and of the file."""

    version: ClassVar[int] = 1
    """Raised whenever ``_dump`` changes its form."""

    block_of_ones: ClassVar[int] = 64
    """``learn_one`` gathers this many rows before it learns them as one block."""

    neutral: ClassVar[float] = 0.0
    """The score of every row before anything was learned."""

    scores_are_leaf_sums: ClassVar[bool] = False
    """Whether scores are ``trees.scores``, once anything was learned."""

    natural: ClassVar[tuple[float, float] | None] = None
    """The usual score and what one deviation is worth, where they are alike on most streams."""

    Params: ClassVar[type[BaseModel]]

    feature_names: tuple[str, ...]
    params: BaseModel
    seed: int

    def __init__(
        self, feature_names: Features = (), params: BaseModel | None = None, seed: int = 0
    ) -> None:
        self.feature_names = tuple(feature_names)
        self.params = self.Params() if params is None else params
        self.seed = seed
        self._keys: tuple[Hashable, ...] = self.feature_names
        self._gathered: list[list[float]] = []
        if self._keys:
            self._begin(len(self._keys))

    @classmethod
    def examples(cls) -> Sequence[BaseModel]:
        """Return parameters to test this kind with; small enough for short streams."""
        return [cls.Params()]

    @abc.abstractmethod
    def _begin(self, features: int) -> None:
        """Make the state of a detector that has learned nothing, for rows of ``features``."""

    @abc.abstractmethod
    def score_many(self, X: Matrix) -> Vector:
        """Return one score per row, higher = more anomalous, finite."""

    @abc.abstractmethod
    def learn_many(self, X: Matrix) -> None:
        """Learn one block of rows, of any length; an empty one changes nothing."""

    @abc.abstractmethod
    def explain_many(self, X: Matrix) -> Attribution:
        """Attribute ``score_many(X)`` to the features."""

    @abc.abstractmethod
    def _dump(self) -> Snapshot:
        """Return the state of this kind, in copies."""

    @abc.abstractmethod
    def _load(self, snapshot: Snapshot) -> None:
        """Take over what ``_dump`` gave; anything that doesn't fit is a ValueError or KeyError."""

    @property
    def trees(self) -> Trees | None:
        """The forest behind the scores, if there is one. ``learn_many`` changes it in place."""
        return None

    @property
    def window(self) -> Matrix:
        """The latest rows it remembers, in no particular order; none if it keeps none."""
        return np.empty((0, len(self._keys)), np.float32)

    def snapshot(self) -> Snapshot:
        """Return the whole state; ``restore`` on a fresh detector gives equal scores ever after."""
        keys = [str(key) for key in self._keys]
        inner = self._dump() if keys else Snapshot({}, {})
        meta = {
            "kind": self.kind,
            "version": self.version,
            "params": self.params.model_dump(mode="json"),
            "seed": self.seed,
            "features": keys,
            "state": dict(inner.meta),
        }
        width = (len(self._gathered), len(keys))
        gathered = np.array(self._gathered, np.float32).reshape(width)
        return Snapshot(meta, {**inner.arrays, "gathered": gathered})

    def restore(self, snapshot: Snapshot) -> None:
        """Replace the state. Raises ``SnapshotError`` if it isn't one of this kind and version."""
        meta, arrays = snapshot.meta, dict(snapshot.arrays)
        mine = {
            "kind": self.kind,
            "version": self.version,
            "params": self.params.model_dump(mode="json"),
            "seed": self.seed,
        }
        if self.feature_names:
            mine["features"] = list(self.feature_names)
        for name, value in mine.items():
            if meta.get(name) != value:
                raise SnapshotError(
                    f"the snapshot is of {name} {meta.get(name)!r}, this {self.kind} has {value!r}"
                )
        try:
            self._keys = tuple(meta["features"])
            if self._keys:
                self._begin(len(self._keys))
                gathered = arrays.pop("gathered").reshape(-1, len(self._keys))
                self._gathered = gathered.astype(np.float64).tolist()
                self._load(Snapshot(meta["state"], arrays))
        except SnapshotError:
            raise
        except (KeyError, ValueError, TypeError) as error:
            raise SnapshotError(f"the snapshot of {self.kind} can't be read: {error}") from error

    def score_one(self, x: Mapping[Any, Any]) -> float:
        """Return the score of one event (river)."""
        if not self._keys:
            return self.neutral
        return float(self.score_many(np.array([self._row(x)], np.float32))[0])

    def learn_one(self, x: Mapping[Any, Any]) -> None:
        """Learn one event (river): kept until there is a block to learn."""
        if not self._keys:
            self._keys = tuple(sorted(x, key=str))
            if not self._keys:
                return
            self._begin(len(self._keys))
        self._gathered.append(self._row(x))
        if len(self._gathered) >= self.block_of_ones:
            block = np.array(self._gathered, np.float32)
            self._gathered = []
            self.learn_many(block)

    def _row(self, x: Mapping[Any, Any]) -> list[float]:
        values = (float(x.get(key, math.nan)) for key in self._keys)
        return [value if math.isfinite(value) else math.nan for value in values]

    @classmethod
    def _unit_test_params(cls) -> Iterator[dict[str, Any]]:
        for params in cls.examples():
            yield {"params": params}

    def _get_params(self) -> dict[str, Any]:
        # A list, as river's clone takes an empty tuple for something else and fails.
        names = list(self.feature_names)
        return {"feature_names": names, "params": self.params, "seed": self.seed}


def as_rows(X: Matrix, features: int) -> Matrix:
    """Return ``X`` as a C-contiguous float32 matrix, or raise ValueError on a wrong width."""
    if X.ndim != 2 or X.shape[1] != features:
        raise ValueError(f"expected rows of {features} features, got an array of shape {X.shape}")
    return np.ascontiguousarray(X, np.float32)
