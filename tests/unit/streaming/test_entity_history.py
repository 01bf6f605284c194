"""The last events of an entity."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Callable

import msgspec
import numpy as np
import pytest

from detectors.base import Snapshot
from streaming import entity_history
from streaming.entity_history import EVENTS_PER_ENTITY, EntityHistory


def test_it_keeps_the_last_events_oldest_first_and_leaves_missing_values_out() -> None:
    history = EntityHistory(["amount", "place"])
    for i in range(EVENTS_PER_ENTITY + 5):
        history.add("anna", float(i), (i, None))

    events = history.of("anna")
    assert len(events) == EVENTS_PER_ENTITY
    assert events[0] == {"time": 5.0, "fields": {"amount": 5}}
    assert history.of("anna", limit=2)[-1]["time"] == EVENTS_PER_ENTITY + 4
    assert history.of("nobody") == ()


def test_the_longest_idle_entity_is_forgotten_first() -> None:
    history = EntityHistory(["x"])
    limit = entity_history.MAX_ENTITIES
    for i in range(limit):
        history.add(f"e{i}", 0.0, (i,))
    history.add("e0", 1.0, (0,))
    history.add("new", 1.0, (1,))
    assert history.of("e0")
    assert history.of("e1") == ()


def test_a_restored_copy_is_equal() -> None:
    history, copy = EntityHistory(["x", "s"]), EntityHistory(["x", "s"])
    history.add("ünï", 1.5, (0.1, "a"))
    history.add("b", 2.0, (None, None))
    copy.restore(history.snapshot())
    assert [copy.of(e) for e in ("ünï", "b")] == [history.of(e) for e in ("ünï", "b")]


@pytest.mark.parametrize("encode", [json.dumps, lambda rows: msgspec.json.encode(rows).decode()])
def test_a_missing_time_stays_one_also_from_earlier_snapshots(
    encode: Callable[[object], str],
) -> None:
    packed = zlib.compress(encode([["a", [[math.nan, [1.0]], [2.0, [3.0]]]]]).encode())
    history = EntityHistory(["x"])
    history.restore(Snapshot({}, {"events": np.frombuffer(packed, np.uint8)}))
    for _ in range(2):
        first, second = history.of("a")
        assert math.isnan(first["time"])
        assert (first["fields"], second["time"]) == ({"x": 1.0}, 2.0)
        again = EntityHistory(["x"])
        again.restore(history.snapshot())
        history = again
