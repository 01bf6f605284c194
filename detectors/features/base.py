"""The contract of a feature.

A feature turns declared fields of events into one or more numeric columns, and tells people what
those numbers mean. A new kind is one new file in this folder: a ``Feature`` whose ``kind`` is the
file's name and whose ``Params`` carry at least one example.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from detectors.base import Matrix, Params, Snapshot, SnapshotError, Vector

FieldType = Literal["number", "boolean", "string", "time"]
"""Types that a stream's config can declare for a field."""

Column = npt.NDArray[np.float64] | Sequence[str | None]
"""One field over a batch. Numbers, booleans and times (seconds since 1970): float64 with NaN where
missing; strings: with None where missing."""

Columns = Mapping[str, Column]

LARGEST = 1e30
"""Magnitudes beyond it are held to it, so that differences stay finite in float32."""


Accepts = Mapping[str, frozenset[FieldType]]
"""Parameter that names a field -> the field types that it takes."""


@dataclass(frozen=True, slots=True)
class Truths:
    """What is known of past events, in any order; each event once.

    Attributes:
        entities: of each event, field -> value. ``times``: event times, seconds since 1970.
        told: how much each counts, 1 = an event whose truth is certain.
        real: the part of ``told`` that says it was a real anomaly.
    """

    entities: Sequence[Mapping[str, str]]
    times: Sequence[float]
    real: Sequence[float]
    told: Sequence[float]


class FeatureParams(Params):
    """What every kind of feature can be told."""

    name: str | None = Field(
        default=None, description="Name of the feature; made from its kind and fields if left out."
    )
    label: str | None = Field(default=None, description="Its name for people.")


class Feature(abc.ABC):
    """Makes the columns ``names`` of a batch of events.

    Sequential: events are taken in batch order and each sees only what came before it, so splitting
    a batch anywhere changes nothing. Bounded: the state can't grow beyond what the parameters say.
    Event times may go backwards. Columns are finite or NaN (= missing), never infinite. The state
    is a pure function of the parameters, the events and the truths set in between.

    Attributes:
        kind: the file's name.
        Params: parameters; ``model_config`` has ``examples`` (shown in the docs, used by tests).
        accepts: its parameters that name a field, and the types they take.
        takes_truths: it counts what is known of past events, by its ``entity``.
        names: columns made, unique within a stream.
        name: name of the feature in the config; ``label``: its name for people.
        entity: the field whose value the feature keeps apart, if any.
        most_bytes: about what a state that grows with the stream can grow to; 0: it hardly grows.
    """

    kind: ClassVar[str]
    Params: ClassVar[type[FeatureParams]]
    accepts: ClassVar[Accepts]
    takes_truths: ClassVar[bool] = False

    names: tuple[str, ...]
    name: str
    label: str
    entity: str | None = None
    most_bytes: int = 0

    @abc.abstractmethod
    def __init__(self, params: Any) -> None:
        """Take the kind's own ``Params``."""

    @classmethod
    def accepted(cls, params: FeatureParams) -> Accepts:
        """Return ``accepts``, narrowed by the other parameters where they matter."""
        return cls.accepts

    @abc.abstractmethod
    def extract(self, columns: Columns, times: Vector) -> Matrix:
        """Return rows x ``names`` for the next events and take them into the state."""

    @abc.abstractmethod
    def show(self, values: Sequence[float], fields: Mapping[str, Any]) -> str:
        """Return what a person reads: ``values`` of this feature's columns, the event's fields."""

    @abc.abstractmethod
    def usual(self, low: Sequence[float], high: Sequence[float]) -> str:
        """Return the usual range for people, "" = none, from quantiles of the columns."""

    def natural(self, value: float) -> float | None:
        """Return a column's value in units that people would compare, else None."""
        return None

    def limited(self, low: float | None, high: float | None) -> str | None:
        """Return limits on its one column in words that go on from the label, else None."""
        return None

    def set_truths(self, truths: Truths) -> None:
        """Know exactly these of past events from the next event on; only if ``takes_truths``."""
        raise NotImplementedError(f"feature {self.name} takes no truths")

    def snapshot(self) -> Snapshot:
        """Return the whole state; ``restore`` on a fresh feature gives equal columns ever after."""
        return Snapshot({}, {})

    def restore(self, snapshot: Snapshot) -> None:
        """Replace the state. Raises ``SnapshotError`` if it isn't one of this kind."""
        if snapshot.meta or snapshot.arrays:
            raise SnapshotError(f"feature {self.name} keeps no state, the snapshot has some")


def bounded(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the values with infinities as NaN and magnitudes held to ``LARGEST``."""
    return np.where(np.isfinite(values), np.clip(values, -LARGEST, LARGEST), np.nan)


def numbers(columns: Columns, field: str) -> npt.NDArray[np.float64]:
    """Return a numeric column, bounded. Raises KeyError if the batch has no such field."""
    return bounded(np.asarray(columns[field], dtype=np.float64))


def as_matrix(values: npt.NDArray[np.float64] | Sequence[float]) -> Matrix:
    """Return one column as a matrix."""
    return np.asarray(values, dtype=np.float32).reshape(-1, 1)
