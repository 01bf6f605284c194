"""How much of a label's weight its age leaves."""

from __future__ import annotations

import math

import numpy as np

from detectors.base import Snapshot, SnapshotError, Vector
from detectors.duration import Duration, parse_duration
from detectors.learning.label_model import Labels

_LEAST = 2.0**-40  # of the weight is left in any case: a label of no weight would be none


class LabelAge:
    """Halves the weight of labels with every half-life of event time that has passed since.

    It is now the median time of the block that was learned last, so a few events with a wrong
    clock age nothing. Labels of later events, and all before the first block, are new. The state
    is a pure function of what came, however it was cut.

    Args:
        half_life: such as ``90d``; None: labels never age, and nothing is kept.
    """

    def __init__(self, half_life: Duration | None) -> None:
        self._half_life = half_life and parse_duration(half_life)
        self._now: float | None = None
        self._block: list[Vector] = []  # times since the last block

    def note(self, times: Vector) -> None:
        """Take the event times of the next rows."""
        if self._half_life:
            self._block.append(np.array(times, np.float64))

    def end_block(self) -> None:
        """Note that the rows since the last block are learned."""
        if self._block:
            self._now = float(np.median(np.concatenate(self._block)))
            self._block = []

    def aged(self, labels: Labels) -> Labels:
        """Return the labels with the weights that they have by now."""
        if not self._half_life or self._now is None or labels.times is None:
            return labels
        lives = np.maximum(0.0, self._now - labels.times) / self._half_life
        left = np.maximum(_LEAST, np.exp2(-lives))
        return Labels(labels.ids, labels.X, labels.y, labels.weight * left, labels.times)

    def snapshot(self) -> Snapshot:
        """Return the whole state."""
        return Snapshot({"now": self._now}, {"times": np.concatenate([*self._block, _NONE])})

    def restore(self, snapshot: Snapshot) -> None:
        """Replace the state."""
        now, times = snapshot.meta.get("now"), snapshot.arrays.get("times")
        if times is None or times.ndim != 1 or not (now is None or _is_finite(now)):
            raise SnapshotError("the snapshot of the age of labels is damaged")
        self._now, self._block = now, [times] if len(times) else []


_NONE: Vector = np.empty(0)


def _is_finite(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)
