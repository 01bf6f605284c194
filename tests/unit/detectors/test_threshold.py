from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.base import Matrix, Snapshot, SnapshotError, Vector
from detectors.threshold import KEPT, AlertBudget


def learn(budget: AlertBudget, margins: Vector) -> None:
    """Let it learn rows whose one column is their margin."""
    budget.learn(margins.astype(np.float32)[:, np.newaxis], margins, margins)


def lower_above(limit: float, by: float) -> Callable[[Matrix, Vector], Vector]:
    """Return what labels do that find everything above a limit harmless."""
    return lambda X, _: np.where(X[:, 0] > limit, -by, 0.0)


def test_before_any_block_nothing_alerts() -> None:
    budget = AlertBudget(1, 0.01)
    learn(budget, np.empty(0))
    assert budget.threshold == math.inf


def test_the_share_of_the_window_reaches_the_threshold() -> None:
    budget = AlertBudget(1, 0.02, window=1_000)
    margins = np.random.default_rng(0).normal(size=5_000)
    for block in np.split(margins, 50):
        learn(budget, block)
    assert np.count_nonzero(margins[-1_000:] >= budget.threshold) == 20


def test_what_has_left_the_window_no_longer_counts() -> None:
    budget = AlertBudget(1, 0.5, window=4)
    learn(budget, np.array([9.0, 9.0, 9.0]))
    learn(budget, np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    assert budget.threshold == 4.0


def test_a_tie_at_the_top_alerts_but_a_level_does_not() -> None:
    few = AlertBudget(1, 0.01)
    learn(few, np.concatenate([np.zeros(985), np.full(15, 7.0)]))
    assert few.threshold == 7.0
    above = AlertBudget(1, 0.01)
    learn(above, np.concatenate([np.zeros(996), np.full(4, 7.0)]))
    assert 0.0 < above.threshold <= 7.0
    flat = AlertBudget(1, 0.01)
    learn(flat, np.zeros(1_000))
    assert 0.0 < flat.threshold < 1e-300
    flood = AlertBudget(1, 0.01)
    learn(flood, np.concatenate([np.zeros(800), np.full(200, 7.0)]))
    assert 7.0 < flood.threshold < 7.0001


def test_new_labels_move_what_was_learned_before_them() -> None:
    budget = AlertBudget(1, 0.25, window=8)
    learn(budget, np.array([9.0, 9.0, 9.0]))  # leave the window
    learn(budget, np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]))
    assert budget.threshold == 7.0
    budget.rebase(lower_above(6.5, 5.0))
    assert budget.threshold == 5.0
    learn(budget, np.array([5.5, 5.5]))  # in the place of 1 and 2, the oldest
    assert budget.threshold == 5.5
    learn(budget, np.array([0.0, 0.0, 0.0, 0.0, 0.0]))
    assert budget.threshold == 5.5
    learn(budget, np.array([0.0, 0.0]))
    assert budget.threshold == 0.0


def test_labels_taken_back_leave_no_trace() -> None:
    budget = AlertBudget(1, 0.1, window=50)
    for block in np.split(np.random.default_rng(0).normal(size=90), 9):
        learn(budget, block)
    before = budget.snapshot()
    budget.rebase(lower_above(0.0, 3.0))
    budget.rebase(lambda X, _: np.zeros(len(X)))
    assert sorted(budget.snapshot().arrays["margins"]) == sorted(before.arrays["margins"])


def test_a_window_longer_than_what_is_kept_restarts_with_what_is_kept() -> None:
    budget = AlertBudget(1, 0.001, window=3 * KEPT)
    learn(budget, np.full(KEPT, 9.0))
    learn(budget, np.arange(float(KEPT)))
    assert budget.threshold == KEPT - 20.0
    budget.rebase(lambda X, _: np.zeros(len(X)))
    assert budget.threshold == KEPT - 10.0
    budget.rebase(lower_above(100.0, 1e6))
    assert budget.threshold == 91.0
    learn(budget, np.zeros(2 * KEPT))
    assert len(budget.snapshot().arrays["margins"]) == 3 * KEPT


@given(
    st.lists(st.lists(st.floats(-9, 9), max_size=12), max_size=12),
    st.integers(1, 30),
    st.floats(0.01, 0.99),
    st.integers(0, 12),
    st.integers(0, 12),
)
def test_it_goes_on_from_a_snapshot(
    blocks: list[list[float]], window: int, share: float, cut: int, told: int
) -> None:
    budget, other = AlertBudget(1, share, window), AlertBudget(1, share, window)
    for i, block in enumerate(blocks):
        if i == cut:
            learn(other, np.array([3.0]))
            other.restore(budget.snapshot())
        for one in (budget, other) if i >= cut else (budget,):
            learn(one, np.array(block, np.float64))
            if i == told:
                one.rebase(lower_above(2.0, 4.0))
        if i >= cut:
            assert other.threshold == budget.threshold
    if len(blocks) > cut and told >= len(blocks):
        whole = np.array([value for block in blocks for value in block])[-window:]
        assert sorted(other.snapshot().arrays["margins"]) == sorted(whole)


@pytest.mark.parametrize(("share", "window"), [(0.0, 5), (1.0, 5), (math.nan, 5), (0.1, 0)])
def test_impossible_budgets_are_refused(share: float, window: int) -> None:
    with pytest.raises(ValueError, match="must"):
        AlertBudget(1, share, window)


def test_a_foreign_or_damaged_snapshot_is_refused() -> None:
    budget = AlertBudget(1, 0.1, 5)
    learn(budget, np.arange(9.0))
    good = budget.snapshot()
    for meta, arrays in (
        ({**good.meta, "window": 6}, good.arrays),
        ({**good.meta, "seen": "x"}, good.arrays),
        (good.meta, {}),
        (good.meta, {**good.arrays, "margins": np.zeros(3)}),
        (good.meta, {**good.arrays, "rows": np.zeros((2, 1), np.float32)}),
    ):
        with pytest.raises(SnapshotError):
            AlertBudget(1, 0.1, 5).restore(Snapshot(meta, arrays))


def test_another_share_goes_on_with_the_margins() -> None:
    budget, other = AlertBudget(1, 0.1, 50), AlertBudget(1, 0.3, 50)
    learn(budget, np.arange(40.0))
    learn(other, np.arange(40.0))
    restored = AlertBudget(1, 0.3, 50)
    restored.restore(budget.snapshot())
    assert restored.threshold == other.threshold < budget.threshold
