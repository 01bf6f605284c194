from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.grow import LEAF, row_norm
from detectors.trees import Trees, depth_limit
from tests.unit.detectors.forests import make_forest, make_rows


def walk(forest: Trees, t: int, x: npt.NDArray[np.float32]) -> int:
    """The definition, one step at a time."""
    i = 0
    while forest.feature[t, i] != LEAF:
        value = np.float64(x[forest.feature[t, i]])
        left = forest.missing_left[t, i] if np.isnan(value) else value <= forest.threshold[t, i]
        i = 2 * i + 1 if left else 2 * i + 2
    return i


cases = st.tuples(
    st.integers(0, 2**32), st.integers(2, 70), st.integers(1, 5), st.sampled_from([0.0, 0.3, 0.9])
)


@settings(max_examples=40, deadline=None)
@given(cases)
def test_leaves_are_where_the_definition_leads(case: tuple[int, int, int, float]) -> None:
    seed, rows, features, missing = case
    forest = make_forest(make_rows(seed, rows, features, missing), size=min(rows, 32))
    X = make_rows(seed + 1, 130, features, missing)
    expected = [[walk(forest, t, x) for t in range(len(forest))] for x in X]
    assert forest.leaves(X).tolist() == expected


@settings(max_examples=40, deadline=None)
@given(cases)
def test_cover_counts_the_training_rows(case: tuple[int, int, int, float]) -> None:
    seed, rows, features, missing = case
    X = make_rows(seed, rows, features, missing)
    forest = make_forest(X, trees=3, size=rows, depth=depth_limit(rows))  # the sample is all of X
    leaves = forest.leaves(X)
    for t in range(3):
        counts = np.bincount(leaves[:, t], minlength=forest.nodes)
        is_leaf = (forest.feature[t] == LEAF) & (forest.cover[t] > 0)
        assert counts[is_leaf].tolist() == forest.cover[t][is_leaf].tolist()
        inner = np.flatnonzero(forest.feature[t] != LEAF)
        children = forest.cover[t][2 * inner + 1] + forest.cover[t][2 * inner + 2]
        assert (children == forest.cover[t][inner]).all()
        assert (forest.cover[t][2 * inner + 1] > 0).all()
        assert (forest.cover[t][2 * inner + 2] > 0).all()


def test_missing_values_follow_the_side_with_more_rows() -> None:
    X = make_rows(3, 64, 3, 0.2)
    forest = make_forest(X, trees=8, size=64)
    for t in range(8):
        left = X[:, forest.feature[t, 0]] <= forest.threshold[t, 0]
        right = X[:, forest.feature[t, 0]] > forest.threshold[t, 0]
        assert forest.missing_left[t, 0] == (left.sum() >= right.sum())


def test_constant_and_missing_columns_are_never_split_on() -> None:
    X = make_rows(1, 200, 4)
    X[:, 1] = 7
    X[:, 2] = np.nan
    X[::2, 3] = np.nan
    X[1::2, 3] = 5
    forest = make_forest(X, trees=20, size=128)
    assert set(np.unique(forest.feature)) == {LEAF, 0}


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_rows_that_are_all_alike_make_a_single_leaf_of_average_path(value: float) -> None:
    forest = make_forest(np.full((50, 2), value, np.float32), size=32)
    assert (forest.feature == LEAF).all()
    assert forest.scores(make_rows(1, 3, 2)) == pytest.approx(-1.0)


def test_a_threshold_between_neighbouring_floats_separates_them() -> None:
    low = np.float32(1.0)
    high = np.nextafter(low, np.float32(2))
    X = np.array([[low], [high]] * 8, np.float32)
    forest = make_forest(X, trees=20, size=16)
    assert (forest.threshold[:, 0] == low).all()


def test_thresholds_in_double_precision_decide_as_written() -> None:
    forest = Trees(1, 1, 1)
    x = np.float32(0.1)
    for threshold, leaf in [(0.1, 2), (float(x), 1), (np.nextafter(float(x), 0), 2)]:
        forest.put(
            t=0,
            number=0,
            size=2,
            feature=np.array([0, LEAF, LEAF]),
            threshold=np.array([threshold, 0, 0]),
            missing_left=np.zeros(3),
            cover=np.array([2, 1, 1]),
        )
        assert forest.leaves(np.array([[x]], np.float32)).tolist() == [[leaf]]


def test_score_is_minus_mean_path_over_norm() -> None:
    forest = make_forest(make_rows(1, 64, 3), size=64)
    X = make_rows(2, 10, 3)
    leaves = forest.leaves(X)
    paths = forest.path_length[np.arange(5), leaves]
    assert forest.scores(X) == pytest.approx(-paths.mean(axis=1) / row_norm(64))


@pytest.mark.parametrize("rows", [0, 1, 63, 64, 65, 200])
def test_a_row_scores_the_same_alone_and_in_company(rows: int) -> None:
    forest = make_forest(make_rows(1, 64, 3), size=64)
    X = make_rows(2, rows, 3, 0.1)
    alone = [forest.scores(x[np.newaxis])[0] for x in X]
    assert forest.scores(X).tolist() == alone


def test_several_tables_in_one_walk() -> None:
    forest = make_forest(make_rows(1, 64, 3), size=64)
    X = make_rows(2, 100, 3)
    other = np.random.default_rng(0).normal(size=(5, forest.nodes))
    both = forest.sums_of(X, np.stack([forest.values, other]))
    assert both.tolist() == [forest.sums(X, forest.values).tolist(), forest.sums(X, other).tolist()]


def test_a_tree_depends_on_seed_and_place_only() -> None:
    X = make_rows(1, 200, 3)
    one, other = Trees(3, 3, 4), Trees(5, 3, 4)
    one.grow(X, 16, 5, 7)
    other.grow(X, 16, 5, 5, 4)
    assert one.number.tolist() == [-1, 7, -1]
    assert other.number.tolist() == [5, 6, 7, 8, -1]
    assert one.threshold[1].tolist() == other.threshold[1].tolist()
    assert one.threshold[1].tolist() != other.threshold[2].tolist()
    one.grow(X, 16, 6, 7)
    assert one.threshold[1].tolist() != other.threshold[1].tolist()


def test_samples_are_drawn_without_replacement() -> None:
    X = np.arange(40, dtype=np.float32)[:, np.newaxis]
    forest = make_forest(X, trees=30, size=40, depth=10)
    is_leaf = (forest.feature == LEAF) & (forest.cover > 0)
    deep = is_leaf & (forest.cover > 1)
    assert not deep[:, : 2**6 - 1].any()  # no value occurs twice, so shallow leaves hold one row


def test_arrays_carry_the_forest_over_exactly() -> None:
    forest = make_forest(make_rows(1, 64, 3, 0.2), size=64)
    again = Trees(5, 3, depth_limit(64))
    again.load(forest.arrays())
    X = make_rows(2, 100, 3, 0.2)
    assert again.scores(X).tolist() == forest.scores(X).tolist()
    for name in ("feature", "threshold", "missing_left", "cover", "path_length", "values"):
        assert np.array_equal(getattr(again, name), getattr(forest, name)), name


def test_arrays_of_another_shape_are_refused() -> None:
    forest = make_forest(make_rows(1, 64, 3), size=64)
    with pytest.raises(ValueError, match="'feature'"):
        Trees(4, 3, depth_limit(64)).load(forest.arrays())
    arrays = forest.arrays()
    arrays["feature"] += 3
    with pytest.raises(ValueError, match="not there"):
        Trees(5, 3, depth_limit(64)).load(arrays)


def test_wrong_width_is_refused() -> None:
    forest = make_forest(make_rows(1, 64, 3), size=64)
    with pytest.raises(ValueError, match="3 features"):
        forest.scores(make_rows(1, 5, 2))
    with pytest.raises(ValueError, match="table"):
        forest.sums(make_rows(1, 5, 3), np.zeros((5, 3)))
