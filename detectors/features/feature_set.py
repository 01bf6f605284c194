"""All features of a stream together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from detectors.base import ConfigError, Matrix, Snapshot, SnapshotError, Vector
from detectors.features.base import Columns, Feature, FeatureParams, Truths
from detectors.features.registry import build


@dataclass(frozen=True, slots=True)
class FeatureReason:
    """One feature's part in a row's score, ready to be shown.

    Attributes:
        feature, label: name in the config, name for people.
        contribution: sum over the feature's columns, signed; positive = towards anomaly.
        value: what the detector saw; None if missing or if the feature has several columns.
        text: the value as a person reads it; ``usual``: its usual range, "" if there is none.
        ratio: value / middle of the usual range where that makes sense.
        entity: the field whose value the feature keeps apart, if any.
    """

    feature: str
    label: str
    contribution: float
    value: float | None
    text: str
    usual: str
    ratio: float | None
    entity: str | None


@dataclass(frozen=True, slots=True)
class _Usual:
    """A feature's usual range for people, and its middle where there is one."""

    text: str
    middle: float | None


class FeatureSet:
    """Makes the matrix that detectors see, and tells people what its numbers mean.

    Attributes:
        names: the columns, in order. ``labels``: the feature's name for people, per column.
    """

    def __init__(self, specs: Sequence[FeatureParams]) -> None:
        self._features: tuple[Feature, ...] = tuple(build(spec) for spec in specs)
        self.names = tuple(name for feature in self._features for name in feature.names)
        self.labels = tuple(f.label for f in self._features for _ in f.names)
        self._slices: list[slice] = []
        for feature in self._features:
            start = self._slices[-1].stop if self._slices else 0
            self._slices.append(slice(start, start + len(feature.names)))
        self._range: tuple[Vector, Vector] | None = None
        self._usual_of_range: Sequence[_Usual] = ()
        for name in self.names:
            if self.names.count(name) > 1:
                raise ConfigError(f"features: two make the column {name!r}, give one a name")

    def extract(self, columns: Columns, times: Vector) -> Matrix:
        """Return rows x ``names`` for the next events and take them into the state."""
        out = np.empty((len(times), len(self.names)), np.float32)
        for feature, part in zip(self._features, self._slices, strict=True):
            out[:, part] = feature.extract(columns, times)
        return out

    def set_truths(self, truths: Truths) -> None:
        """Know exactly these of past events from the next event on."""
        for feature in self._features:
            if feature.takes_truths:
                feature.set_truths(truths)

    @property
    def takes_truths(self) -> bool:
        """Whether any feature does."""
        return any(feature.takes_truths for feature in self._features)

    def single_columns(self) -> Mapping[str, int]:
        """Return the column of each feature that has only one, by the feature's name."""
        return {
            feature.name: part.start
            for feature, part in zip(self._features, self._slices, strict=True)
            if len(feature.names) == 1
        }

    def text_of(self, name: str, value: float) -> str:
        """Return how a person reads a value of a feature of one column, of no event in particular.

        Where only an event says it in full (a category's name), what can be said without.
        """
        feature = next(feature for feature in self._features if feature.name == name)
        text = feature.show([value], {})
        return feature.usual([value], [value]) if text.startswith("missing") else text

    def limited(self, name: str, low: float | None, high: float | None) -> str | None:
        """Return limits on a feature of one column in words, as ``Feature.limited`` does."""
        feature = next(feature for feature in self._features if feature.name == name)
        return feature.limited(low, high)

    def reasons(
        self,
        row: npt.NDArray[np.floating[Any]],
        contributions: npt.NDArray[np.floating[Any]],
        fields: Mapping[str, Any],
        low: Vector,
        high: Vector,
    ) -> tuple[FeatureReason, ...]:
        """Return a reason per feature, largest |contribution| first.

        Args:
            row: the event's columns.
            contributions: of each column to the score.
            fields: the event's fields.
            low: lower end of the usual range of each column; not changed in place afterwards.
            high: upper end.
        """
        values, parts = row.tolist(), contributions.tolist()
        found = [
            _reason(feature, values[part], math.fsum(parts[part]), fields, usual)
            for feature, part, usual in zip(
                self._features, self._slices, self._usual(low, high), strict=True
            )
        ]
        return tuple(sorted(found, key=lambda reason: -abs(reason.contribution)))

    def _usual(self, low: Vector, high: Vector) -> Sequence[_Usual]:
        """Return what is usual of each feature; worked out once per range, not per event."""
        if self._range is None or self._range[0] is not low or self._range[1] is not high:
            lows, highs = low.tolist(), high.tolist()
            self._range = (low, high)
            self._usual_of_range = [
                _Usual(feature.usual(lows[part], highs[part]), _middle(feature, lows, highs, part))
                for feature, part in zip(self._features, self._slices, strict=True)
            ]
        return self._usual_of_range

    def snapshot(self) -> Snapshot:
        """Return the state of all features."""
        meta: dict[str, Any] = {"names": list(self.names), "features": []}
        arrays: dict[str, npt.NDArray[Any]] = {}
        for i, feature in enumerate(self._features):
            state = feature.snapshot()
            meta["features"].append(dict(state.meta))
            arrays |= {f"{i}.{name}": array for name, array in state.arrays.items()}
        return Snapshot(meta, arrays)

    def restore(self, snapshot: Snapshot) -> None:
        """Replace the state. Raises ``SnapshotError`` if it is of other features."""
        if snapshot.meta.get("names") != list(self.names):
            raise SnapshotError("the snapshot is of other features")
        for i, feature in enumerate(self._features):
            prefix = f"{i}."
            arrays = {
                name.removeprefix(prefix): array
                for name, array in snapshot.arrays.items()
                if name.startswith(prefix)
            }
            feature.restore(Snapshot(snapshot.meta["features"][i], arrays))


def _reason(
    feature: Feature,
    values: Sequence[float],
    contribution: float,
    fields: Mapping[str, Any],
    usual: _Usual,
) -> FeatureReason:
    single = values[0] if len(values) == 1 and not math.isnan(values[0]) else None
    return FeatureReason(
        feature=feature.name,
        label=feature.label,
        contribution=contribution,
        value=single,
        text=feature.show(values, fields),
        usual=usual.text,
        ratio=None if single is None else _ratio(feature, single, usual.middle),
        entity=feature.entity,
    )


def _middle(
    feature: Feature, lows: Sequence[float], highs: Sequence[float], part: slice
) -> float | None:
    """Return the middle of the usual range in natural units; None where it says nothing."""
    low, high = feature.natural(lows[part][0]), feature.natural(highs[part][0])
    if len(feature.names) > 1 or low is None or high is None:
        return None
    middle = (low + high) / 2.0
    return middle if middle > 0.0 else None


def _ratio(feature: Feature, value: float, middle: float | None) -> float | None:
    seen = feature.natural(value)
    if seen is None or middle is None or seen < 0.0:
        return None
    ratio = seen / middle
    return ratio if math.isfinite(ratio) else None
