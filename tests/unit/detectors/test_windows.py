from __future__ import annotations

import math
import tracemalloc
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from detectors.duration import parse_duration
from detectors.features.entity_windows import EntityWindows, Keep
from detectors.features.window import Window, parse_over

HOUR = 3600.0


def window(aggregate: str, over: str | None = "1h", **params: Any) -> Window:
    example = {"kind": "window", "entity": "card", "aggregate": aggregate, "over": over, **params}
    return Window(Window.Params.model_validate(example))


def natural(
    feature: Window,
    times: Sequence[float],
    values: Sequence[Any] | None = None,
    cards: Sequence[str | None] | None = None,
) -> list[float | None]:
    """Run the feature over the events and return what its columns stand for."""
    columns: dict[str, Any] = {"card": cards or ["c1"] * len(times)}
    if values is not None:
        is_text = any(isinstance(value, str) for value in values)
        columns["v"] = values if is_text else np.array(values, np.float64)
    X = feature.extract(columns, np.array(times, np.float64))
    back = [feature.natural(value) for value in X[:, 0].tolist()]
    return [None if value is None else round(value, 3) for value in back]


def test_count_takes_the_event_itself_in_and_forgets_after_the_span() -> None:
    times = [0.0, 1.0, HOUR - 1, HOUR, HOUR + 1, 9 * HOUR]
    assert natural(window("count"), times) == [1, 2, 3, 3, 3, 1]


def test_entities_are_kept_apart_and_an_event_without_one_has_no_value() -> None:
    cards = ["a", "b", "a", None, "b", "a"]
    assert natural(window("count"), [0.0] * 6, cards=cards) == [1, 1, 2, None, 2, 3]


def test_sum_mean_and_ratio() -> None:
    values = [10.0, 20.0, math.nan, 60.0, -15.0]
    times = [0.0] * 5
    assert natural(window("sum", field="v"), times, values) == [10, 30, 30, 90, 75]
    assert natural(window("mean", field="v"), times, values) == [None, 10, 15, 15, 30]
    ratios = natural(window("ratio", field="v"), times, values)
    assert ratios == [None, 2.0, None, 4.0, 0.5]


def test_a_ratio_is_held_to_what_says_something() -> None:
    values = [0.0, 5.0, 0.0, 1e25]
    assert natural(window("ratio", field="v"), [0.0] * 4, values) == [None, 1024, 0.001, 1024]
    assert natural(window("ratio", field="v"), [0.0] * 3, [0.0] * 3) == [None, 1, 1]


def test_distinct_counts_values_once() -> None:
    values = ["fr", "fr", "de", None, "fr", "it"]
    times = [0.0, 1.0, 2.0, 3.0, 2 * HOUR, 2 * HOUR]
    assert natural(window("distinct", field="v"), times, values) == [1, 1, 2, 2, 1, 2]
    assert natural(window("distinct", field="v"), [0.0] * 3, [1.0, 2.0, 1.0]) == [1, 2, 2]


def test_time_since_last() -> None:
    feature = window("time_since_last", None)
    assert natural(feature, [0.0, 90.0, 90.0, 50.0, 100.0]) == [None, 90, 0, 0, 10]
    assert feature.show([math.log1p(90)], {}) == "1.5 min"
    assert feature.show([math.nan], {}) == "no earlier event"


def test_a_window_of_events_holds_that_many() -> None:
    feature = window("mean", "2 events", field="v")
    assert natural(feature, [0.0] * 4, [1.0, 2.0, 6.0, 0.0]) == [None, 1, 1.5, 4]


def test_a_huge_value_leaves_no_trace_in_later_sums() -> None:
    feature = window("sum", field="v")
    times = [0.0, 1.0, *(2 * HOUR + i for i in range(4))]
    assert natural(feature, times, [1e25, 3.0, 0.1, 0.2, 0.3, 0.4])[2:] == [0.1, 0.3, 0.6, 1.0]
    moving = window("mean", "3 events", field="v")
    assert natural(moving, [0.0] * 9, [1e25, *[0.5] * 8])[-1] == 0.5


@given(st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 9)), max_size=150))
def test_sums_equal_a_recount(events: list[tuple[int, int]]) -> None:
    times = np.cumsum([step for step, _ in events]).tolist()
    values = [float(value) for _, value in events]
    expected = [
        sum(v for t, v in zip(times[: i + 1], values, strict=False) if t > times[i] - HOUR)
        for i in range(len(events))
    ]
    got = natural(window("sum", field="v"), times, values)
    np.testing.assert_allclose(np.array(got, float), expected, rtol=1e-4, atol=1e-4)


def test_the_least_recently_seen_entity_is_forgotten_first() -> None:
    feature = window("count", max_entities=2)
    cards = ["a", "b", "a", "c", "a", "b"]
    assert natural(feature, [0.0] * 6, cards=cards) == [1, 1, 2, 1, 3, 1]


def test_memory_is_bounded_per_entity_and_in_all() -> None:
    windows = EntityWindows("numbers", HOUR, None, 100, max_per_entity=5, max_events=12)
    for i in range(1_000):
        key = f"e{i % 7}"
        windows.add(windows.visit(key, 0.0), float(i))
    sizes = windows.snapshot().arrays["sizes"]
    assert sizes.max() <= 5
    assert sizes.sum() <= 12
    assert windows.snapshot().arrays["values"].size == sizes.sum()


@pytest.mark.parametrize(
    ("keep", "value"), [("nothing", None), ("times", None), ("numbers", 1.5), ("texts", "x")]
)
def test_what_full_windows_take_is_estimated(keep: Keep, value: float | str | None) -> None:
    span = None if keep == "nothing" else HOUR
    tracemalloc.start()
    try:
        windows = EntityWindows(keep, span, None, max_entities=1_000, max_events=10_000)
        for number in range(10_000):
            entity = windows.visit(f"card {number % 1_000}", 0.0)
            windows.add(entity, f"country {number}" if value == "x" else value)
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert taken / 2 < windows.most_bytes < taken * 2


def test_an_event_without_a_time_happens_when_the_one_before_it_did() -> None:
    times = [10.0, math.nan, 10.0 + HOUR]
    assert natural(window("count"), times) == [1, 2, 1]


def test_what_an_analyst_reads() -> None:
    count = window("count", unit="payments")
    assert count.show([math.log1p(9)], {}) == "9 payments in 1 h"
    assert count.usual([math.log1p(1)], [math.log1p(3)]) == "1–3"
    assert count.label == "payments of card in 1 h"
    spent = window("sum", "1d", field="v", unit="€")
    assert spent.show([math.log1p(1240.5)], {}) == "1,240.50 € in 1 d"
    ratio = window("ratio", "100 events", field="amount")
    assert ratio.show([3.03], {}) == "8.2× usual"
    assert ratio.usual([-1.0], [1.0]) == "0.5–2×"
    assert ratio.entity == "card"
    assert window("distinct", field="country").show([math.log1p(5)], {}) == "5 in 1 h"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"aggregate": "sum", "over": "1h"}, "needs field"),
        ({"aggregate": "count", "over": "1h", "field": "v"}, "takes no field"),
        ({"aggregate": "mean", "field": "v"}, "needs over"),
        ({"aggregate": "time_since_last", "over": "1h"}, "takes no over"),
        ({"aggregate": "count", "over": "100 events"}, "give a duration"),
        ({"aggregate": "mean", "field": "v", "over": "0 events"}, "1 to 10000"),
        ({"aggregate": "mean", "field": "v", "over": "an hour"}, "like 1h"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(params: dict[str, str], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Window.Params.model_validate({"kind": "window", "entity": "card", **params})


def test_durations() -> None:
    assert parse_duration("45s") == 45
    assert parse_duration(" 1.5 h ") == 5400
    assert parse_duration("2w") == 14 * 86_400
    assert parse_over("100 events") == (None, 100)
    for bad in ("", "0s", "h", "-1h", "1 hour", "1h30m"):
        with pytest.raises(ValueError, match="like 1h"):
            parse_duration(bad)
