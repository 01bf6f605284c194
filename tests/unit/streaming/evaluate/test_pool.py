from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from streaming.evaluate.pool import PoolSettings, evaluate_pool
from streaming.evaluate.table import read_labelled
from tests.support.data import data_file

ROWS, FEATURES, REAL, SPURIOUS = 600, 4, 15, 40


def seconds() -> Callable[[], float]:
    counted = itertools.count()
    return lambda: float(next(counted))


def pool() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int8]]:
    """Two kinds of outliers; the farther, more numerous kind is no anomaly."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(ROWS, FEATURES))
    X[:REAL, 0] += 6.0
    X[REAL : REAL + SPURIOUS, 1] += 9.0
    truth = np.zeros(ROWS, np.int8)
    truth[:REAL] = 1
    return X.astype(np.float32), truth


def result(**settings: Any) -> dict[str, Any]:
    return evaluate_pool(*pool(), PoolSettings(**settings), seconds())


def test_feedback_finds_what_the_ranking_alone_does_not() -> None:
    without, learned = result(budget=30, feedback=False), result(budget=30)
    assert learned["found"]["30"] >= 13
    assert without["found"]["30"] <= 8
    assert learned["found"]["20"] > without["found"]["20"]


def test_the_result_has_all_that_is_promised() -> None:
    got = result(budget=25, seed=3, config="payments@1")
    assert set(got) == {
        *("found", "found_by_propagation", "looks", "labels", "items", "anomalies", "precision"),
        *("auc", "ap", "ap_unseen", "events_per_second", "seed", "config"),
    }
    assert set(got["found"]) == {"10", "20", "25"}
    assert (got["looks"], got["labels"], got["items"], got["anomalies"]) == (25, 25, ROWS, REAL)
    assert got["precision"] == got["found"]["25"] / 25
    assert (got["found_by_propagation"], got["seed"], got["config"]) == (0, 3, "payments@1")
    assert got["events_per_second"] == ROWS


def test_the_same_seed_gives_the_same_result_and_another_one_another() -> None:
    assert result(seed=1) == result(seed=1)
    assert result(seed=1)["auc"] != result(seed=2)["auc"]


def test_the_order_of_the_file_decides_nothing() -> None:
    same = np.ones((200, 2), np.float32)
    truth = np.array([1] * 20 + [0] * 180, np.int8)
    found = [
        evaluate_pool(same, truth, PoolSettings(budget=20, seed=s), seconds())["found"]["20"]
        for s in range(8)
    ]
    assert max(found) < 12  # all 20 if ties went by place
    assert sum(found) > 0


def test_scores_count_as_they_were_before_their_own_label() -> None:
    """Labels that say nothing about other items can't lift a measure of the scores."""
    rng = np.random.default_rng(1)
    X, truth = rng.normal(size=(300, 3)).astype(np.float32), rng.integers(0, 2, 300, np.int8)
    got = evaluate_pool(X, truth, PoolSettings(budget=300), seconds())
    assert got["auc"] < 0.65  # 1.0 if each were measured after its own label
    assert got["ap_unseen"] is None


def test_wrong_answers_cost_but_found_counts_the_truth() -> None:
    right, wrong = result(budget=60), result(budget=60, error=1.0)
    assert right["found"]["60"] == REAL
    assert wrong["found"]["60"] < REAL


def test_items_of_unknown_truth_are_left_out_and_a_large_budget_ends_with_the_items() -> None:
    X, truth = pool()
    truth[100:] = -1
    asked: list[int] = []
    got = evaluate_pool(X, truth, PoolSettings(budget=150), seconds(), asked.append)
    assert (got["items"], got["labels"], got["found"]["150"]) == (100, 100, REAL)
    assert asked == list(range(1, 101))


@pytest.mark.parametrize("settings", [{"budget": 0}, {"error": 1.5}, {"error": float("nan")}])
def test_impossible_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must be|is a probability"):
        PoolSettings(**settings)


def test_on_a_public_set_feedback_finds_four_times_as_many() -> None:
    table = read_labelled(data_file("adx_ann_thyroid_1v3.parquet"), "label")
    found = evaluate_pool(table.X, table.truth, PoolSettings(budget=50), seconds())["found"]
    assert found["50"] >= 38
