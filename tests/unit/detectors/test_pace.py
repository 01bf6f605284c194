"""Never more alerts than the limit and its slack, whatever arrives."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.base import SnapshotError, Vector
from detectors.pace import PERIODS, AlertLimit, Pace
from detectors.threshold import AlertBudget

DAY = PERIODS["day"]


def needed(part: float) -> float:
    """Return the margin of an exponential tail."""
    return -math.log(part)


def busiest(times: Vector, period: float) -> int:
    """Return the most events in any span of one period."""
    return max(
        (int(np.searchsorted(times, t + period) - i) for i, t in enumerate(times)), default=0
    )


GAPS = st.lists(st.sampled_from([0.0, 0.0, 0.0, 1.0, 60.0, 3_000.0, 50_000.0]), max_size=200)


@given(gaps=GAPS, most=st.integers(1, 30), per=st.sampled_from(["hour", "day"]), data=st.data())
def test_no_span_of_a_period_has_more_than_the_limit_and_its_slack(
    gaps: list[float], most: int, per: str, data: st.DataObject
) -> None:
    limit = AlertLimit.model_validate({"most": most, "per": per})
    pace = Pace(limit)
    times = 1.7e9 + np.cumsum(np.repeat(gaps, 5))
    strong = data.draw(st.lists(st.floats(0, 50), min_size=len(times), max_size=len(times)))
    through, needs = pace.admit(times, np.array(strong, np.float64), needed)
    assert busiest(times[through], PERIODS[per]) <= most + pace.slack
    np.testing.assert_array_equal(through, np.array(strong) >= needs)


@given(
    st.lists(st.tuples(st.floats(-3e5, 3e5), st.floats(0, 9)), max_size=60),
    st.lists(st.integers(0, 60), max_size=4),
)
def test_cuts_and_snapshots_change_nothing(
    events: list[tuple[float, float]], cuts: list[int]
) -> None:
    limit = AlertLimit(most=8)
    times = 1.7e9 + np.array([time for time, _ in events])
    margins = np.array([margin for _, margin in events])
    whole = Pace(limit).admit(times, margins, needed)
    pace = Pace(limit)
    parts = []
    for a, b in zip([0, *sorted(cuts)], [*sorted(cuts), len(events)], strict=True):
        fresh = Pace(limit)
        fresh.load(pace.state())
        pace = fresh
        parts.append(pace.admit(times[a:b], margins[a:b], needed))
    for k in (0, 1):
        np.testing.assert_array_equal(np.concatenate([part[k] for part in parts]), whole[k])


def test_a_quiet_stream_is_not_held_back_and_not_filled_up() -> None:
    pace = Pace(AlertLimit(most=50))
    times = 1.7e9 + np.arange(40) * DAY / 20  # twenty a day reach the share
    margins = np.random.default_rng(0).exponential(size=40) + 0.2
    assert pace.admit(times, margins, needed)[0].sum() >= 36
    weak = np.full(40, -0.1)
    assert not pace.admit(times + 2 * DAY, weak, needed)[0].any()


def test_a_flood_takes_its_part_and_leaves_the_rest_of_the_day_its_own() -> None:
    rng = np.random.default_rng(1)
    times = np.sort(rng.uniform(0, 4 * DAY, 8_000))  # forty times the limit, evenly
    margins = rng.exponential(size=8_000)
    flood = np.sort(rng.uniform(2.25 * DAY, 2.25 * DAY + 3_600, 5_000))
    order = np.argsort(np.concatenate([times, flood]), kind="stable")
    is_flood = np.concatenate([np.zeros(8_000, bool), np.ones(5_000, bool)])[order]
    times = np.concatenate([times, flood])[order]
    margins = np.concatenate([margins, np.full(5_000, 30.0)])[order]
    through, _ = Pace(AlertLimit(most=50)).admit(times, margins, needed)
    per_day = np.bincount((times[through] // DAY).astype(int))
    assert per_day.max() <= 62
    assert per_day[1] >= 45
    assert 1 <= (through & is_flood).sum() <= 12 + 3
    after = through & (times > 2.25 * DAY + 2 * 3_600) & (times < 3.25 * DAY)
    assert after.sum() >= 35


def test_the_strongest_of_a_period_go_through_rather_than_its_first() -> None:
    rng = np.random.default_rng(2)
    times = np.sort(rng.uniform(0, 20 * DAY, 20_000))
    margins = rng.exponential(size=20_000)
    through, _ = Pace(AlertLimit(most=50)).admit(times, margins, needed)
    best = sum(np.sort(margins[(times // DAY) == day])[-50:].sum() for day in range(20))
    assert through.sum() >= 0.9 * 20 * 50
    assert margins[through].sum() >= 0.85 * best


def test_a_time_far_ahead_holds_alerts_back_for_some_events_only() -> None:
    pace = Pace(AlertLimit(most=50))
    times = np.concatenate([[1.7e9, 1.7e9 + 4_000 * DAY], 1.7e9 + np.arange(200) * DAY / 20])
    through, _ = pace.admit(times, np.full(len(times), 30.0), needed)
    assert through[-150:].all()


def test_a_damaged_state_is_refused_and_one_of_another_limit_is_as_full() -> None:
    pace = Pace(AlertLimit(most=100))
    pace.admit(np.full(50, 1.7e9), np.full(50, 99.0), needed)
    other = Pace(AlertLimit(most=10))
    other.load(pace.state())
    assert other.state() == pace.state()
    for wrong in ({}, None, {**pace.state(), "stock": 2.0}, {**pace.state(), "now": "x"}):
        with pytest.raises(SnapshotError):
            Pace(AlertLimit(most=10)).load(wrong)


def test_less_of_the_share_needs_more_and_goes_on_beyond_the_largest() -> None:
    budget = AlertBudget(1, 0.02, window=1_000)
    margins = np.random.default_rng(0).exponential(size=1_000)
    assert budget.stricter(0.5) == math.inf
    budget.learn(margins.astype(np.float32)[:, np.newaxis], margins, margins)
    assert budget.stricter(1.0) == budget.threshold
    needs = [budget.stricter(part) for part in (1.0, 0.5, 0.05, 0.01, 1e-6)]
    assert needs == sorted(needs)
    assert needs[2] == margins.max() < needs[3]
    assert np.count_nonzero(margins >= needs[1]) == 10
