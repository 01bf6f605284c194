from __future__ import annotations

import itertools

from streaming.known import truths_of
from triage.model import Label


def label(event: str, y: float, weight: float = 1.0) -> Label:
    return Label(event, "v", y, weight, b"", "", 5.0, {"card": event.upper()})


def test_each_event_counts_once_whatever_the_order() -> None:
    labels = [label("a", 1.0), label("a", 0.0, 0.25), label("b", 0.0), label("c", 1.0, 0.0)]
    known = {repr(truths_of(order)) for order in itertools.permutations(labels)}
    assert len(known) == 1
    truths = truths_of(labels)
    assert truths.entities == [{"card": "A"}, {"card": "B"}]
    assert truths.times == [5.0, 5.0]
    assert truths.told == [1.0, 1.0]
    assert truths.real == [0.8, 0.0]


def test_nothing_is_known_without_labels() -> None:
    assert truths_of([]).times == []
