"""The last events of each entity, in bounded memory."""

from __future__ import annotations

import math
from array import array
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from detectors.base import Snapshot, SnapshotError
from detectors.features.keys import pack_texts, unpack_texts

Keep = Literal["nothing", "times", "numbers", "texts"]
"""What a window remembers of an event: that it was, when, or a value with it."""

_COMPACT = 64  # dropped entries at the front of a list before it is cut
_ENTITY_BYTES = 600  # measured: an empty window with its key
_ENTRY_BYTES: Mapping[Keep, int] = {"nothing": 0, "times": 12, "numbers": 24, "texts": 100}


@dataclass(slots=True)
class Entity:
    """One entity's window.

    Attributes:
        latest: latest event time, seconds. ``since``: seconds from the event before; NaN if none.
        times, values: entries from ``head`` on; parallel where both are kept.
        total: sum of the numbers. ``counts``: how often each text is in the window.
        dropped: entries that left since ``total`` was last summed afresh.
    """

    latest: float
    since: float = math.nan
    head: int = 0
    times: array[float] = field(default_factory=lambda: array("d"))
    values: array[float] = field(default_factory=lambda: array("d"))
    texts: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    total: float = 0.0
    dropped: int = 0
    size: int = 0


class EntityWindows:
    """Windows over a span of time or a number of events, one per entity.

    Time that goes backwards is held to the entity's latest. The least recently seen entities go
    first when there are more than ``max_entities``, or more than ``max_events`` entries in all; one
    entity keeps at most ``max_per_entity`` of them. All of this follows from the events alone.
    ``most_bytes``: about what they take when full.
    """

    def __init__(
        self,
        keep: Keep,
        span: float | None,
        events: int | None,
        max_entities: int,
        max_per_entity: int = 10_000,
        max_events: int = 1_000_000,
    ) -> None:
        self._keep = keep
        self._span = span
        self._per_entity = min(events or max_per_entity, max_per_entity)
        self._max_entities, self._max_events = max_entities, max_events
        self._entities: OrderedDict[str, Entity] = OrderedDict()
        self._events = 0
        self.most_bytes = max_entities * _ENTITY_BYTES + max_events * _ENTRY_BYTES[keep]

    def visit(self, key: str, time: float) -> Entity:
        """Return the entity's window as it is at ``time``, before the event itself."""
        entity = self._entities.get(key)
        if entity is None:
            entity = self._entities[key] = Entity(time)
            if len(self._entities) > self._max_entities:
                self._forget_oldest()
            return entity
        self._entities.move_to_end(key)
        entity.since = max(0.0, time - entity.latest)
        entity.latest = max(time, entity.latest)
        if self._span is not None:
            out = entity.latest - self._span
            while entity.size and entity.times[entity.head] <= out:
                self._drop(entity)
        return entity

    def add(self, entity: Entity, value: float | str | None) -> None:
        """Take the event into the window that ``visit`` just returned."""
        if self._keep == "nothing":
            return
        if isinstance(value, str):
            entity.counts[value] = entity.counts.get(value, 0) + 1
            entity.texts.append(value)
        elif value is not None:
            entity.total += value
            entity.values.append(value)
        if self._span is not None:
            entity.times.append(entity.latest)
        entity.size += 1
        self._events += 1
        if entity.size > self._per_entity:
            self._drop(entity)
        while self._events > self._max_events and len(self._entities) > 1:
            self._forget_oldest()

    def _drop(self, entity: Entity) -> None:
        """Let the oldest entry go."""
        head = entity.head
        if self._keep == "texts":
            text = entity.texts[head]
            entity.counts[text] -= 1
            if not entity.counts[text]:
                del entity.counts[text]
        elif self._keep == "numbers":
            entity.total -= entity.values[head]
        entity.head += 1
        entity.size -= 1
        entity.dropped += 1
        self._events -= 1
        if entity.head >= _COMPACT and entity.head >= entity.size:
            _cut(entity)
        if entity.dropped > entity.size:  # a difference of sums loses digits: sum afresh in time
            entity.total = math.fsum(entity.values[entity.head :])
            entity.dropped = 0

    def _forget_oldest(self) -> None:
        self._events -= self._entities.popitem(last=False)[1].size

    def snapshot(self) -> Snapshot:
        """Return all windows, least recently seen entity first."""
        entities = list(self._entities.values())
        for entity in entities:
            _cut(entity)
        arrays: dict[str, npt.NDArray[Any]] = pack_texts("keys", self._entities)
        arrays["latest"] = np.array([entity.latest for entity in entities], np.float64)
        arrays["totals"] = np.array([entity.total for entity in entities], np.float64)
        arrays["dropped"] = np.array([entity.dropped for entity in entities], np.int64)
        arrays["sizes"] = np.array([entity.size for entity in entities], np.int64)
        arrays["times"] = _joined([entity.times for entity in entities])
        arrays["values"] = _joined([entity.values for entity in entities])
        arrays |= pack_texts("texts", [text for entity in entities for text in entity.texts])
        return Snapshot({"keep": self._keep}, arrays)

    def restore(self, snapshot: Snapshot) -> None:
        """Replace all windows."""
        if snapshot.meta.get("keep") != self._keep:
            raise SnapshotError("the snapshot's windows are of another kind")
        arrays = snapshot.arrays
        try:
            keys, texts = unpack_texts("keys", arrays), unpack_texts("texts", arrays)
            columns = [arrays[name].tolist() for name in ("latest", "totals", "dropped", "sizes")]
            times, values = arrays["times"].tolist(), arrays["values"].tolist()
            rows = list(zip(keys, *columns, strict=True))
        except (KeyError, ValueError) as error:
            raise SnapshotError(f"the snapshot's windows are damaged: {error}") from error
        self._entities.clear()
        self._events = start = 0
        for key, latest, total, dropped, size in rows:
            stop = start + size
            entity = Entity(latest, total=total, dropped=dropped, size=size)
            entity.times.extend(times[start:stop])
            entity.values.extend(values[start:stop])
            for text in texts[start:stop]:
                entity.texts.append(text)
                entity.counts[text] = entity.counts.get(text, 0) + 1
            self._entities[key] = entity
            self._events += size
            start = stop


def _cut(entity: Entity) -> None:
    """Free what lies before the window."""
    del entity.times[: entity.head]
    del entity.values[: entity.head]
    del entity.texts[: entity.head]
    entity.head = 0


def _joined(parts: Sequence[array[float]]) -> npt.NDArray[np.float64]:
    """Return the arrays end to end."""
    return np.frombuffer(b"".join(part.tobytes() for part in parts), np.float64)
