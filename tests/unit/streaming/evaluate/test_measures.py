from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from streaming.evaluate.measures import average_precision, found_at, roc_auc


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=60))
def test_they_equal_scikit_learns(pairs: list[tuple[int, bool]]) -> None:
    scores = np.array([score for score, _ in pairs], np.float64)
    truth = np.array([is_anomaly for _, is_anomaly in pairs])
    if truth.any() and not truth.all():
        assert roc_auc(scores, truth) == pytest.approx(roc_auc_score(truth, scores))
        expected = average_precision_score(truth, scores)
        assert average_precision(scores, truth) == pytest.approx(expected)


def test_without_anomalies_there_is_nothing_to_measure() -> None:
    nothing = np.zeros(3, bool)
    assert roc_auc(np.arange(3.0), nothing) is None
    assert average_precision(np.arange(3.0), nothing) is None
    assert roc_auc(np.empty(0), np.empty(0, bool)) is None


def test_found_is_counted_at_the_usual_points_and_at_the_budget() -> None:
    hits = [True] * 15 + [False] * 20
    assert found_at(hits, 35) == {"10": 10, "20": 15, "35": 15}
    assert found_at(hits, 50) == {"10": 10, "20": 15, "50": 15}
    assert list(found_at([], 2000)) == [
        *("10", "20", "50", "100", "200", "300", "600", "1000", "1500", "2000")
    ]
