"""Which budget reaches what."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.budget_advice import DAY_S, Judged, by_cost, by_precision, levels


def history(count: int, judge: float, seed: int = 0) -> list[Judged]:
    """Return candidates of ten days whose chance of being real is their margin."""
    rng = random.Random(seed)
    found = []
    for i in range(count):
        margin = rng.random()
        real = float(rng.random() < margin)
        known = judge >= 1.0 or rng.random() < judge * margin  # the top of the queue is read first
        found.append(Judged(margin, i * 10 * DAY_S / count, real if known else None))
    return found


def test_volume_and_precision_of_each_budget() -> None:
    found = history(2000, judge=1.0)
    table = levels(found, 0.01)
    assert [round(level.budget, 4) for level in table][:3] == [0.01, 0.009, 0.008]
    assert table[0].per_day == pytest.approx(200, rel=0.01)
    assert table[0].lost_per_day == 0.0
    for level, share in ((table[0], 1.0), (table[5], 0.5), (table[9], 0.1)):
        strongest = sorted(found, key=lambda one: -one.margin)[: round(share * len(found))]
        actual = sum(one.real or 0.0 for one in strongest) / len(strongest)
        assert level.precision == pytest.approx(actual, abs=0.01)
        assert level.low < actual < level.high
    precisions = [level.precision for level in table]
    assert precisions == sorted(precisions)


def test_what_was_read_first_does_not_flatter() -> None:
    """Of all judged ones more are real than of all: strata take that out."""
    found = history(4000, judge=0.5)
    judged = [one.real for one in found if one.real is not None]
    naive = sum(judged) / len(judged)
    level = levels(found, 0.01)[0]
    assert naive > 0.6
    assert level.low < 0.5 < level.high
    assert not level.low < naive < level.high


def test_the_largest_budget_that_is_surely_enough() -> None:
    table = levels(history(2000, judge=1.0), 0.01)
    best = by_precision(table, 0.7)
    assert best is not None
    assert best.low >= 0.7
    assert best.budget < 0.01
    assert by_precision(table, 0.999) is None
    assert by_precision(levels(history(50, judge=0.0), 0.01), 0.6) is None


def test_dear_misses_keep_the_budget_and_dear_looks_cut_it() -> None:
    table = levels(history(2000, judge=1.0), 0.01)
    assert by_cost(table, look=1.0, miss=1000.0) is table[0]
    assert by_cost(table, look=10.0, miss=1.0) is table[-1]
    middle = by_cost(table, look=1.0, miss=2.0)  # worth a look where more than half are real
    assert 0.4 <= middle.budget / 0.01 <= 0.6


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.builds(
            Judged,
            st.floats(-50, 50),
            st.floats(0, 1e9),
            st.one_of(st.none(), st.sampled_from([0.0, 1.0])),
        ),
        min_size=1,
    )
)
def test_any_history_gives_a_table(found: list[Judged]) -> None:
    for level in levels(found, 0.01):
        assert 0.0 <= level.low <= level.precision <= level.high <= 1.0
        assert level.per_day > 0.0
        assert level.lost_per_day >= 0.0
