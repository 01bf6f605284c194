from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.arrays import Matrix, Vector
from detectors.smallest_change import Values, smallest_change, split_values, thinned
from tests.unit.detectors.forests import make_forest, make_rows

UNIT = np.ones(3)


def line_of(*weights: float) -> Values:
    return np.array(weights, np.float32)


def total(X: Matrix) -> Vector:
    """A model that anybody can follow: the sum of the columns."""
    return np.asarray(X.sum(axis=1), np.float64)


def halves(row: Matrix) -> dict[int, Values]:
    return {column: line_of(*(i / 2 for i in range(-8, 9))) for column in range(len(row))}


def test_one_feature_is_moved_no_further_than_needed() -> None:
    row = np.array([1.0, 3.0, 1.0], np.float32)
    found = smallest_change(row, total, 4.0, halves(row), UNIT)
    assert found is not None
    assert np.count_nonzero(found != row) == 1
    assert float((row - found).sum()) == 1.5  # 3.5 is the first half below the line


def test_the_unit_says_what_is_far() -> None:
    row = np.array([3.0, 3.0, 3.0], np.float32)
    found = smallest_change(row, total, 8.0, halves(row), np.array([1.0, 100.0, 1.0]))
    assert found is not None
    assert found.tolist() == [3.0, 1.5, 3.0]


def test_more_features_only_where_fewer_do_not_do() -> None:
    def both(X: Matrix) -> Vector:
        return np.asarray(np.maximum(X[:, 0], X[:, 1]), np.float64)

    row = np.array([3.0, 2.0, 9.0], np.float32)
    found = smallest_change(row, both, 1.0, halves(row), UNIT)
    assert found is not None
    assert found.tolist() == [0.5, 0.5, 9.0]


def test_three_features_at_most() -> None:
    def all_four(X: Matrix) -> Vector:
        return np.asarray(X.max(axis=1), np.float64)

    row = np.full(4, 3.0, np.float32)
    assert smallest_change(row, all_four, 1.0, halves(row), np.ones(4)) is None
    row[3] = 0.0
    found = smallest_change(row, all_four, 1.0, halves(row), np.ones(4))
    assert found is not None
    assert found.tolist() == [0.5, 0.5, 0.5, 0.0]


def test_no_result_is_an_answer() -> None:
    row = np.array([3.0, 3.0, 3.0], np.float32)
    assert smallest_change(row, total, -100.0, halves(row), UNIT) is None
    assert smallest_change(row, total, 8.0, {}, UNIT) is None
    assert smallest_change(row, total, 8.0, {0: line_of()}, UNIT) is None


@given(st.integers(0, 50), st.floats(0.1, 0.9))
@settings(max_examples=20, deadline=None)
def test_what_is_returned_lies_below_the_line_of_the_real_forest(seed: int, share: float) -> None:
    X = make_rows(seed, 200, 3)
    trees = make_forest(X, trees=20, size=64)
    line = float(np.quantile(trees.scores(X), share))
    odd = np.array([4.0, -4.0, 3.0], np.float32)
    values = {column: split_values(trees, column, float(odd[column])) for column in range(3)}
    found = smallest_change(odd, trees.scores, line, values, UNIT)
    if found is not None:
        assert float(trees.scores(found[np.newaxis])[0]) < line
        assert np.count_nonzero(found != odd) <= 3


def test_between_two_neighbouring_values_the_forest_answers_alike() -> None:
    trees = make_forest(make_rows(1, 200, 3), trees=10, size=64)
    row = np.array([0.1, 0.2, 0.3], np.float32)
    values = split_values(trees, 0, float(row[0]))
    below, above = values[values < row[0]], values[values > row[0]]
    assert len(below) > 5
    assert len(above) > 5

    def score(value: float) -> float:
        changed = row.copy()
        changed[0] = value
        return float(trees.scores(changed[np.newaxis])[0])

    for first, last in itertools.pairwise(below.tolist()):
        assert score((first + last) / 2) == score(last)
    for first, last in itertools.pairwise(above.tolist()):
        assert score((first + last) / 2) == score(first)
    assert len({score(value) for value in values.tolist()}) > 10


def test_thinned_keeps_both_ends() -> None:
    values = np.arange(1000, dtype=np.float32)
    few = thinned(values, 7)
    assert len(few) == 7
    assert (few[0], few[-1]) == (0, 999)
    assert thinned(values[:5], 7).tolist() == values[:5].tolist()
