from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from detectors.arrays import Matrix
from detectors.explain.shap_library import ShapLibrary
from detectors.online.isolation_forest import IsolationForest
from detectors.trees import Trees, depth_limit
from tests.unit.detectors.forests import make_rows

Params = IsolationForest.Params


def test_each_block_replaces_the_oldest_trees() -> None:
    detector = IsolationForest("ab", Params(trees=6, subsample=16, window=64, replace=2), seed=1)
    detector.learn_many(make_rows(1, 64, 2))
    assert detector.trees.number.tolist() == [0, 1, 2, 3, 4, 5]
    detector.learn_many(make_rows(2, 64, 2))
    assert detector.trees.number.tolist() == [6, 7, 2, 3, 4, 5]
    detector.learn_many(make_rows(3, 64, 2))
    detector.learn_many(make_rows(4, 64, 2))
    detector.learn_many(make_rows(5, 64, 2))
    assert detector.trees.number.tolist() == [12, 13, 8, 9, 10, 11]


def test_while_the_window_fills_no_tree_stays_on_less_than_half_of_it() -> None:
    detector = IsolationForest("ab", Params(trees=40, subsample=64, window=512, replace=1), seed=1)
    rows_at_growth: dict[int, int] = {}
    for number, block in enumerate(np.split(make_rows(1, 640, 2), 40), start=1):
        detector.learn_many(block)
        rows = min(16 * number, 512)
        for tree in detector.trees.number.tolist():
            rows_at_growth.setdefault(tree, rows)
        oldest = min(rows_at_growth[tree] for tree in detector.trees.number.tolist())
        assert 2 * oldest > rows or rows == 512
        assert detector.trees.size.max() <= min(64, rows)
    assert detector.trees.size.tolist() == [64] * 40


def test_a_first_block_of_64_rows_is_enough_to_find_an_outlier() -> None:
    detector = IsolationForest("abc", seed=1)
    detector.learn_many(make_rows(1, 64, 3))
    usual = detector.score_many(make_rows(2, 100, 3))
    assert detector.score_many(np.full((1, 3), 6, np.float32))[0] > usual.max()
    assert detector.trees.size.tolist() == [64] * 100


def test_forgets_a_passed_behaviour_as_trees_are_replaced() -> None:
    detector = IsolationForest("ab", Params(trees=20, subsample=64, window=256, replace=5), seed=1)
    for _ in range(4):
        detector.learn_many(make_rows(1, 256, 2))
    new = make_rows(2, 50, 2) + 20
    scores = [float(detector.score_many(new).mean())]
    for seed in range(5):
        detector.learn_many(make_rows(seed, 256, 2) + 20)
        scores.append(float(detector.score_many(new).mean()))
    assert scores[:5] == sorted(scores[:5], reverse=True)
    assert scores[5] == pytest.approx(scores[4], abs=0.02)


def replaced(detector: IsolationForest, X: Matrix) -> int:
    before = detector.trees.number.copy()
    detector.learn_many(X)
    return int(np.count_nonzero(detector.trees.number != before))


def test_trees_are_replaced_faster_from_a_drift_until_the_window_is_new() -> None:
    params = Params(trees=20, subsample=64, window=256, replace=2, replace_on_drift=12)
    detector = IsolationForest("ab", params, seed=1)
    detector.learn_many(make_rows(1, 256, 2))
    quiet = [replaced(detector, make_rows(seed, 128, 2)) for seed in range(2, 12)]
    after = [replaced(detector, make_rows(seed, 128, 2) + 20) for seed in range(12, 16)]
    assert quiet == [2] * 10
    assert after == [12, 12, 2, 2]


def test_that_rows_become_less_anomalous_is_no_drift() -> None:
    params = Params(trees=20, subsample=64, window=256, replace=2, replace_on_drift=12)
    detector = IsolationForest("ab", params, seed=1)
    for seed in range(1, 5):
        detector.learn_many(make_rows(seed, 128, 2))
    assert replaced(detector, 0.1 * make_rows(5, 128, 2)) == 2


def test_a_tree_is_a_function_of_window_seed_and_place() -> None:
    params = Params(trees=4, subsample=32, window=128, replace=4)
    X = make_rows(1, 128, 3)
    detector = IsolationForest("abc", params, seed=9)
    detector.learn_many(X)
    detector.learn_many(X)  # the window is the same again
    trees = Trees(4, 3, depth_limit(32))
    trees.grow(X, 32, 9, first=4, count=4)
    assert detector.score_many(X).tolist() == trees.scores(X).tolist()


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 80), min_size=1, max_size=12), st.integers(0, 2**31 - 1))
def test_a_restored_forest_is_the_same_forest(blocks: list[int], seed: int) -> None:
    params = Params(trees=5, subsample=16, window=100, replace=2, replace_on_drift=4)
    one = IsolationForest("ab", params, seed)
    X = make_rows(seed, sum(blocks) + 1, 2, missing=0.1)
    X[len(X) // 2 :] += 20  # a drift
    for block in np.split(X, np.cumsum(blocks)):
        other = IsolationForest("ab", params, seed)
        other.restore(one.snapshot())
        one.learn_many(block)
        other.learn_many(block)
        assert one.score_many(X).tolist() == other.score_many(X).tolist()


def test_explanations_equal_the_shap_librarys() -> None:
    detector = IsolationForest("abcd", Params(trees=20, subsample=64, window=256), seed=2)
    detector.learn_many(make_rows(1, 300, 4, missing=0.1))
    X = make_rows(2, 30, 4, missing=0.1)
    reference = ShapLibrary(detector.trees).explain(X, detector.trees.values)
    assert detector.explain_many(X).values == pytest.approx(reference.values, abs=1e-6)


def test_names_may_come_with_the_first_event() -> None:
    detector = IsolationForest(params=Params(trees=10, subsample=32, window=64), seed=1)
    assert detector.score_one({"b": 1.0}) == detector.neutral
    for row in make_rows(1, 64, 2).tolist():
        detector.learn_one({"b": row[0], "a": row[1], "later": 1.0})
    assert detector.trees.features == 3
    usual, odd = detector.score_one({"a": 0.0, "later": 1.0}), detector.score_one({"a": 9.0})
    assert odd > usual
    again = IsolationForest(params=Params(trees=10, subsample=32, window=64), seed=1)
    again.restore(detector.snapshot())
    assert again.score_one({"a": 9.0}) == odd


def test_a_sample_larger_than_the_window_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"subsample \(256\) must not exceed window \(64\)"):
        Params(window=64)


def test_without_a_watch_on_drift_the_state_is_as_before_there_was_one() -> None:
    """Configs that don't ask for it go on with their detectors' state after an upgrade."""
    detector = IsolationForest("ab", Params(trees=4, subsample=8, window=16), seed=1)
    detector.learn_many(make_rows(1, 32, 2))
    meta = detector.snapshot().meta
    assert set(meta["params"]) == {"trees", "subsample", "window", "replace"}
    assert set(meta["state"]) == {"grown", "seen"}
