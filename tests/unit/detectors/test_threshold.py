from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.base import Snapshot, SnapshotError
from detectors.threshold import AlertBudget


def test_before_any_block_nothing_alerts() -> None:
    budget = AlertBudget(0.01)
    budget.learn(np.empty(0))
    assert budget.threshold == math.inf


def test_the_share_of_the_window_reaches_the_threshold() -> None:
    budget = AlertBudget(0.02, window=1_000)
    margins = np.random.default_rng(0).normal(size=5_000)
    for block in np.split(margins, 50):
        budget.learn(block)
    assert np.count_nonzero(margins[-1_000:] >= budget.threshold) == 20


def test_what_has_left_the_window_no_longer_counts() -> None:
    budget = AlertBudget(0.5, window=4)
    budget.learn(np.array([9.0, 9.0, 9.0]))
    budget.learn(np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    assert budget.threshold == 4.0


def test_a_tie_at_the_top_alerts_but_a_level_does_not() -> None:
    few = AlertBudget(0.01)
    few.learn(np.concatenate([np.zeros(985), np.full(15, 7.0)]))
    assert few.threshold == 7.0
    above = AlertBudget(0.01)
    above.learn(np.concatenate([np.zeros(996), np.full(4, 7.0)]))
    assert 0.0 < above.threshold <= 7.0
    flat = AlertBudget(0.01)
    flat.learn(np.zeros(1_000))
    assert 0.0 < flat.threshold < 1e-300
    flood = AlertBudget(0.01)
    flood.learn(np.concatenate([np.zeros(800), np.full(200, 7.0)]))
    assert 7.0 < flood.threshold < 7.0001


@given(
    st.lists(st.lists(st.floats(-9, 9), max_size=12), max_size=12),
    st.integers(1, 30),
    st.floats(0.01, 0.99),
    st.integers(0, 12),
)
def test_it_goes_on_from_a_snapshot(
    blocks: list[list[float]], window: int, share: float, cut: int
) -> None:
    budget, other = AlertBudget(share, window), AlertBudget(share, window)
    for i, block in enumerate(blocks):
        if i == cut:
            other.learn(np.array([3.0]))
            other.restore(budget.snapshot())
        budget.learn(np.array(block, np.float64))
        if i >= cut:
            other.learn(np.array(block, np.float64))
            assert other.threshold == budget.threshold
    if len(blocks) > cut:
        whole = np.array([value for block in blocks for value in block])[-window:]
        assert sorted(other.snapshot().arrays["margins"]) == sorted(whole)


@pytest.mark.parametrize(("share", "window"), [(0.0, 5), (1.0, 5), (math.nan, 5), (0.1, 0)])
def test_impossible_budgets_are_refused(share: float, window: int) -> None:
    with pytest.raises(ValueError, match="must"):
        AlertBudget(share, window)


def test_a_foreign_or_damaged_snapshot_is_refused() -> None:
    budget = AlertBudget(0.1, 5)
    budget.learn(np.arange(9.0))
    good = budget.snapshot()
    for meta, arrays in (
        ({**good.meta, "share": 0.2}, good.arrays),
        ({**good.meta, "seen": "x"}, good.arrays),
        (good.meta, {}),
        (good.meta, {"margins": np.zeros(3)}),
    ):
        with pytest.raises(SnapshotError):
            AlertBudget(0.1, 5).restore(Snapshot(meta, arrays))
