"""What people or a label column say of events, by partition and offset."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from streaming.evaluate.truth import UNKNOWN
from streaming.records import Position
from triage.model import Label

Place = tuple[int, Position]
"""Partition and offset of an event."""

_UNKNOWN_BYTE = UNKNOWN + 2  # bytes can't be negative
LIKELY = 0.5


class LabelStore(Protocol):
    """What is read of a store."""

    def label_position(self, stream: str) -> int:
        """Return the newest position of the stream's label log."""

    def labels_at(self, stream: str, position: int) -> Sequence[Label]:
        """Return the labels in force at a position."""

    def places(self, candidate_ids: Sequence[str]) -> Mapping[str, tuple[int, int]]:
        """Return candidate -> partition and offset."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A verified real anomaly: the places of the events that were read, or that the label names."""

    name: str
    places: tuple[Place, ...]


class Judged:
    """Verdicts on events: real, or not."""

    def __init__(self, real: Mapping[str, Iterable[Place]] | None = None) -> None:
        """Begin with what was found real, by finding."""
        self._findings = [Finding(name, tuple(places)) for name, places in (real or {}).items()]
        self._by_place: dict[Place, bool] = {
            place: True for finding in self._findings for place in finding.places
        }
        self._truths: dict[int, bytearray] = defaultdict(bytearray)

    def add_spurious(self, place: Place) -> None:
        """Note that an event was read and is not real, unless another verdict says it is."""
        self._by_place.setdefault(place, False)

    def add_truth(self, partition: int, offset: Position, truth: int) -> None:
        """Note the label of the partition's next event: 1, 0 or -1 (not known)."""
        self._truths[partition].append(truth + 2)
        if truth == 1:
            name = f"partition {partition}, offset {offset}"
            self._findings.append(Finding(name, ((partition, offset),)))

    def is_real(self, place: Place) -> bool | None:
        """Return what was said of an event, None if nothing was."""
        if place in self._by_place:
            return self._by_place[place]
        truths = self._truths.get(place[0], b"")
        value = truths[place[1]] if place[1] < len(truths) else _UNKNOWN_BYTE
        return None if value == _UNKNOWN_BYTE else value == 1 + 2

    def findings(self) -> list[Finding]:
        """Return what is real, in the order in which it was found."""
        return self._findings


def judged_of(store: LabelStore, stream: str) -> Judged:
    """Return what analysts and late truth say of a stream's candidates.

    Only of what was read, whatever its label weighs: a propagated verdict is evidence, never truth.
    """
    labels = store.labels_at(stream, store.label_position(stream))
    read = [label for label in labels if label.candidate_id and not label.inferred]
    places = store.places([label.candidate_id for label in read])
    real: dict[str, list[Place]] = defaultdict(list)
    spurious: list[Place] = []
    for label in read:
        if (place := places.get(label.candidate_id)) is None:
            continue
        if label.y >= LIKELY:
            real[label.verdict_id].append(place)
        else:
            spurious.append(place)
    judged = Judged(real)
    for place in spurious:
        judged.add_spurious(place)
    return judged
