from __future__ import annotations

import numpy as np
import pytest

from detectors.online.deviation import FARTHEST, Deviation


def test_it_is_the_largest_standardised_distance() -> None:
    X = np.random.default_rng(0).normal([5, -2], [1, 30], (4_000, 2)).astype(np.float32)
    deviation = Deviation(["a", "b"])
    for block in np.split(X, 4):
        deviation.learn_many(block)
    usual = np.array([[5, -2], [9, -2], [5, 118], [9, 118]], np.float32)
    assert deviation.score_many(usual) == pytest.approx([0, 4, 4, 4], abs=0.2)


def test_what_was_usual_once_is_forgotten() -> None:
    deviation = Deviation(["a"], Deviation.Params(half_life=200))
    before, after = (np.random.default_rng(0).normal(m, 1, (2_000, 1)) for m in (0.0, 50.0))
    deviation.learn_many(before.astype(np.float32))
    assert deviation.score_many(np.array([[50]], np.float32))[0] == FARTHEST
    for block in np.split(after.astype(np.float32), 10):
        deviation.learn_many(block)
    assert deviation.score_many(np.array([[50]], np.float32))[0] < 1.0
    assert deviation.score_many(np.array([[0]], np.float32))[0] > 3.0


def test_missing_values_say_nothing_and_a_constant_that_changes_says_all() -> None:
    X = np.full((100, 3), np.nan, np.float32)
    X[:, 1] = 7.0
    X[::2, 2] = np.linspace(0, 1, 50)
    deviation = Deviation(["never", "constant", "half"])
    deviation.learn_many(X)
    rows = np.array([[1, 7, 0.5], [np.nan, 7, np.nan], [np.nan, 7.1, 0.5], [1, 7, 3]], np.float32)
    scores = deviation.score_many(rows)
    assert scores[:3] == pytest.approx([0, 0, FARTHEST], abs=0.1)
    assert 5 < scores[3] < FARTHEST


def test_the_explanation_names_the_feature_that_the_score_comes_from() -> None:
    deviation = Deviation(["a", "b"])
    deviation.learn_many(np.random.default_rng(0).normal(size=(500, 2)).astype(np.float32))
    X = np.array([[6, 1], [0, -4]], np.float32)
    found = deviation.explain_many(X)
    assert (found.values != 0).tolist() == [[True, False], [False, True]]
    assert found.base + found.values.sum(axis=1) == pytest.approx(deviation.score_many(X))
