"""The last events of each entity, for the timeline of a candidate."""

from __future__ import annotations

import json
import math
import zlib
from bisect import bisect_left
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from itertools import islice, repeat
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from detectors.base import Snapshot
from streaming.decode import Column

EVENTS_PER_ENTITY = 50
MAX_ENTITIES = 5_000  # the longest idle one is forgotten first

Event = tuple[float, tuple[Any, ...]]
"""Event time and the values of ``fields``."""


class EntityHistory:
    """Keeps a few fields of the last events of the entities seen most lately."""

    def __init__(self, fields: Sequence[str]) -> None:
        self.fields = tuple(fields)
        self._events: OrderedDict[str, deque[Event]] = OrderedDict()

    def add(self, entity: str, time: float, values: tuple[Any, ...]) -> None:
        """Remember an event; ``values`` in the order of ``fields``."""
        events = self._events.get(entity)
        if events is None:
            events = self._events[entity] = deque(maxlen=EVENTS_PER_ENTITY)
            if len(self._events) > MAX_ENTITIES:
                self._events.popitem(last=False)
        else:
            self._events.move_to_end(entity)
        events.append((time, values))

    def add_many(self, entity: str, events: Sequence[Event]) -> None:
        """Remember events of one entity, in order."""
        if events:
            self.add(entity, *events[0])
            self._events[entity].extend(events[1:])

    def before(
        self,
        wanted: npt.NDArray[np.intp],
        times: npt.NDArray[np.float64],
        columns: Mapping[str, Column],
        entities: Sequence[str] | None,
    ) -> list[tuple[Mapping[str, Any], ...]]:
        """Remember rows in order; return what stood there before each of the wanted ones.

        Args:
            wanted: rows, ascending.
            times, columns: of the rows; ``columns`` has ``fields``.
            entities: of the rows; None: there is one history of all.
        """
        rows = _rows_to_remember(len(times), wanted, keyed=entities is not None)
        remembered = [_plain(columns[name], rows) for name in self.fields]
        values = zip(*remembered, strict=True) if remembered else repeat(())
        clock = times.tolist()
        events = [(clock[i], value) for i, value in zip(rows, values, strict=False)]
        contexts, done = [], 0
        if entities is None:
            for i in wanted.tolist():
                until = bisect_left(rows, i)
                self.add_many("", events[done:until])
                contexts.append(self.of(""))
                done = until
            self.add_many("", events[done:])
            return contexts
        asked = frozenset(wanted.tolist())
        for i, (time, value) in enumerate(events):
            if i in asked:
                contexts.append(self.of(entities[i]))
            self.add(entities[i], time, value)
        return contexts

    def of(self, entity: str, limit: int = EVENTS_PER_ENTITY) -> tuple[Mapping[str, Any], ...]:
        """Return the entity's last events, oldest first: ``{"time", "fields"}``."""
        events = self._events.get(entity, ())
        last = islice(events, max(0, len(events) - limit), None)
        return tuple({"time": time, "fields": self._named(values)} for time, values in last)

    def _named(self, values: tuple[Any, ...]) -> dict[str, Any]:
        named = dict(zip(self.fields, values, strict=True))
        if None in values:
            return {name: value for name, value in named.items() if value is not None}
        return named

    def snapshot(self) -> Snapshot:
        """Return all events, entities in order of last use."""
        text = msgspec.json.encode(
            [[entity, list(events)] for entity, events in self._events.items()]
        )
        packed = np.frombuffer(zlib.compress(text, level=1), dtype=np.uint8)
        return Snapshot({}, {"events": packed})

    def restore(self, snapshot: Snapshot) -> None:
        """Replace what is remembered."""
        # Not msgspec: snapshots of earlier programs say NaN of a missing time, where null is now.
        rows = json.loads(zlib.decompress(snapshot.arrays["events"].tobytes()))
        self._events = OrderedDict(
            (
                entity,
                deque(
                    (
                        (math.nan if time is None else time, tuple(values))
                        for time, values in events
                    ),
                    maxlen=EVENTS_PER_ENTITY,
                ),
            )
            for entity, events in rows
        )


def _rows_to_remember(count: int, wanted: npt.NDArray[np.intp], *, keyed: bool) -> Sequence[int]:
    """Without a key there is one history: only the last rows before each wanted one matter."""
    if keyed:
        return list(range(count))
    matters = np.zeros(count, bool)
    for i in [*wanted.tolist(), count]:
        matters[max(0, i - EVENTS_PER_ENTITY) : i + 1] = True
    return np.flatnonzero(matters).tolist()


def _plain(column: Column, rows: Sequence[int]) -> list[Any]:
    """Return the column's values at these rows as JSON holds them."""
    if isinstance(column, list):
        return [column[i] for i in rows]
    values = column[rows]
    return [
        None if missing else value
        for value, missing in zip(values.tolist(), np.isnan(values).tolist(), strict=True)
    ]
