"""The contract of a detector.

A detector gives each row of a matrix a score, higher = more anomalous, and learns rows a block at
a time. It is also a river estimator: ``score_one`` / ``learn_one`` take a dict.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

Matrix = npt.NDArray[np.float32]
"""Rows x features, C-contiguous; NaN = missing. Never infinite."""

Vector = npt.NDArray[np.float64]
"""One number per row."""


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
    """

    values: npt.NDArray[np.float64]
    base: Vector
    method: str
    additive: bool


class Detector(abc.ABC):
    """Scores rows, then learns them.

    Works on matrices whose columns are ``feature_names`` in that order. Rows may hold NaN. Scoring
    never changes state and works before any learning (all rows then get the same score). Neither
    method keeps or changes the caller's array. The state is a pure function of the constructor's
    arguments and the sequence of ``learn_many`` calls: no clock, no global randomness.
    """

    kind: ClassVar[str]

    feature_names: tuple[str, ...]

    @abc.abstractmethod
    def score_many(self, X: Matrix) -> Vector:
        """Return one score per row, higher = more anomalous, finite."""

    @abc.abstractmethod
    def learn_many(self, X: Matrix) -> None:
        """Learn one block of rows."""

    @abc.abstractmethod
    def explain_many(self, X: Matrix) -> Attribution:
        """Attribute ``score_many(X)`` to the features."""

    @abc.abstractmethod
    def snapshot(self) -> Snapshot:
        """Return the whole state; ``restore`` on a fresh detector gives equal scores ever after."""

    @abc.abstractmethod
    def restore(self, snapshot: Snapshot) -> None:
        """Replace the state. Raises ``SnapshotError`` if it isn't one of this kind and version."""


class SnapshotError(ValueError):
    """The bytes or the content of a snapshot are not what this version can read."""


class ConfigError(ValueError):
    """Parameters that can't be built into an object; the message names the parameter."""


Features = Sequence[str]
