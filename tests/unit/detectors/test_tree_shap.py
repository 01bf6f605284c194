from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.base import ConfigError
from detectors.explain.methods import explainer
from detectors.explain.shap_library import ShapLibrary
from detectors.explain.tree_shap import TreeShap, tree_shap
from detectors.grow import LEAF
from detectors.trees import Trees, depth_limit
from tests.unit.detectors.forests import make_forest, make_rows

forests = st.tuples(
    st.integers(0, 2**32),  # seed
    st.integers(2, 200),  # rows
    st.integers(1, 12),  # features
    st.sampled_from([0.0, 0.3, 0.9]),  # missing
)


def any_table(trees: Trees, seed: int) -> npt.NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=(len(trees), trees.nodes))


def spread_value(
    trees: Trees,
    t: int,
    x: npt.NDArray[np.float32],
    known: frozenset[int],
    table: npt.NDArray[np.float64],
    i: int = 0,
) -> float:
    """The value of a tree for a row of which only some features are known: the definition."""
    feature = int(trees.feature[t, i])
    if feature == LEAF:
        return float(table[t, i])
    left, right = 2 * i + 1, 2 * i + 2
    if feature in known:
        value = np.float64(x[feature])
        goes_left = trees.missing_left[t, i] if np.isnan(value) else value <= trees.threshold[t, i]
        return spread_value(trees, t, x, known, table, left if goes_left else right)
    share = float(trees.cover[t, left]) / float(trees.cover[t, i])
    return share * spread_value(trees, t, x, known, table, left) + (1 - share) * spread_value(
        trees, t, x, known, table, right
    )


def test_equals_the_definition_over_all_subsets_of_features() -> None:
    features = 4
    trees = make_forest(make_rows(1, 40, features, 0.1), trees=3, size=32)
    table = any_table(trees, 2)
    X = make_rows(3, 5, features, 0.2)
    expected = np.zeros(X.shape)
    for r, t, i in itertools.product(range(len(X)), range(len(trees)), range(features)):
        others = [j for j in range(features) if j != i]
        for size in range(features):
            weight = (
                math.factorial(size)
                * math.factorial(features - size - 1)
                / math.factorial(features)
            )
            for subset in itertools.combinations(others, size):
                known = frozenset(subset)
                expected[r, i] += weight * (
                    spread_value(trees, t, X[r], known | {i}, table)
                    - spread_value(trees, t, X[r], known, table)
                )
    assert TreeShap(trees).values(X, table) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(forests)
def test_equals_the_shap_library_and_adds_up(case: tuple[int, int, int, float]) -> None:
    seed, rows, features, missing = case
    trees = make_forest(make_rows(seed, rows, features, missing), trees=3, size=rows)
    table = any_table(trees, seed)
    X = make_rows(seed + 1, 8, features, missing)
    ours, theirs = TreeShap(trees).explain(X, table), ShapLibrary(trees).explain(X, table)
    assert ours.values == pytest.approx(theirs.values, abs=1e-6)
    assert ours.base == pytest.approx(theirs.base, abs=1e-9)
    sums = trees.sums(X, table)
    assert ours.base + ours.values.sum(axis=1) == pytest.approx(sums, abs=1e-9)
    assert theirs.base + theirs.values.sum(axis=1) == pytest.approx(sums, abs=1e-6)


@pytest.mark.parametrize("size", [512, 4096])
def test_paths_with_more_than_eight_features_are_exact_too(size: int) -> None:
    trees = make_forest(make_rows(1, size, 30), trees=4, size=size)
    assert trees.depth > 8
    X = make_rows(2, 6, 30)
    ours, theirs = tree_shap(trees, X, trees.values), ShapLibrary(trees).explain(X, trees.values)
    assert ours.values == pytest.approx(theirs.values, abs=1e-9)
    assert ours.base + ours.values.sum(axis=1) == pytest.approx(trees.scores(X), abs=1e-9)


def test_follows_trees_as_they_are_replaced() -> None:
    rows = make_rows(1, 300, 5)
    trees = Trees(6, 5, depth_limit(256))
    kept = TreeShap(trees)
    X = make_rows(2, 10, 5)
    assert kept.values(X, trees.values).tolist() == np.zeros((10, 5)).tolist()
    for first, size in [(0, 8), (6, 64), (9, 256), (12, 100)]:  # larger trees need more room
        trees.grow(rows, size, 7, first, 6 if first == 0 else 3)
        fresh = TreeShap(trees)
        assert kept.values(X, trees.values).tolist() == fresh.values(X, trees.values).tolist()
        assert kept.base(trees.values) == fresh.base(trees.values)


def test_a_forest_that_cannot_split_explains_nothing() -> None:
    trees = make_forest(np.zeros((20, 3), np.float32))
    for method in ("tree_shap", "shap_library"):
        found = explainer(method, trees).explain(make_rows(1, 2, 3), trees.values)
        assert found.values.tolist() == np.zeros((2, 3)).tolist()
        assert found.base == pytest.approx(-1.0)


@pytest.mark.parametrize("method", ["tree_shap", "shap_library"])
def test_no_rows_give_no_values(method: str) -> None:
    trees = make_forest(make_rows(1, 20, 3))
    found = explainer(method, trees).explain(make_rows(1, 0, 3), trees.values)
    assert found.values.shape == (0, 3)
    assert found.base.shape == (0,)


def test_a_table_of_another_shape_is_refused() -> None:
    trees = make_forest(make_rows(1, 20, 3))
    with pytest.raises(ValueError, match="table"):
        tree_shap(trees, make_rows(1, 2, 3), np.zeros((5, 3)))


def test_an_unknown_method_is_named_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="tree_shap, shap_library"):
        explainer("magic", make_forest(make_rows(1, 20, 3)))
