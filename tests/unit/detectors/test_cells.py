from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.arrays import Vector
from detectors.learning.cells import GRADES, Cells
from detectors.learning.leaf_kernel import Gram, shared_leaves
from tests.unit.detectors.test_label_model import forest, rows

TREES = forest(trees=40)
LEAVES, GRADED = Cells(TREES, graded=False), Cells(TREES, graded=True)
margins = st.floats(-8.0, 12.0)


def alike(priors: list[float]) -> Gram:
    """Return how alike copies of one row are if their margins before labels are these."""
    X = np.repeat(rows(1, 0), len(priors), axis=0)
    cells = GRADED.of(X, np.array(priors))
    return shared_leaves(cells, cells)


def test_the_cells_of_a_forest_alone_are_its_leaves() -> None:
    X, nothing = rows(50, 1), np.zeros(50)
    assert LEAVES.shape == TREES.values.shape
    np.testing.assert_array_equal(LEAVES.of(X, nothing), TREES.leaves(X))
    np.testing.assert_array_equal(LEAVES.sums(X, nothing, TREES.values), TREES.scores(X))


@given(margins, margins, margins)
def test_the_further_apart_scores_are_the_less_alike_are_rows(a: float, b: float, c: float) -> None:
    low, middle, high = sorted((a, b, c))
    shared = alike([low, middle, high])
    np.testing.assert_array_equal(np.diag(shared), 1.0)
    np.testing.assert_array_equal(shared, shared.T)
    assert shared[0, 2] <= min(shared[0, 1], shared[1, 2])


def test_twins_a_deviation_apart_are_still_alike_and_four_apart_hardly() -> None:
    shared = alike([-3.0, -2.0, 1.0])
    assert 0.55 < shared[0, 1] < 0.8
    assert 0.2 < shared[0, 2] < 0.4


@given(st.integers(0, 1_000), st.lists(margins, min_size=2, max_size=12))
def test_it_is_a_kernel(seed: int, priors: list[float]) -> None:
    cells = GRADED.of(rows(len(priors), seed), np.array(priors))
    assert np.linalg.eigvalsh(shared_leaves(cells, cells)).min() > -1e-9


@pytest.mark.parametrize("cells", [LEAVES, GRADED])
def test_each_row_has_a_cell_of_the_table_whatever_its_margin(cells: Cells) -> None:
    priors = np.array([-np.inf, -1e300, GRADES[0], 0.0, GRADES[-1], 1e300, np.inf, np.nan])
    found = cells.of(rows(len(priors), 2), priors)
    assert found.min() >= 0
    assert found.max() < cells.shape[1]


@pytest.mark.parametrize("cells", [LEAVES, GRADED])
def test_margins_of_other_rows_are_refused(cells: Cells) -> None:
    with pytest.raises(ValueError, match="2 margins of 3 rows"):
        cells.of(rows(3, 1), np.zeros(2))


@pytest.mark.parametrize("cells", [LEAVES, GRADED])
def test_equally_strange_rows_have_one_table_per_leaf(cells: Cells) -> None:
    X, table = rows(60, 3), np.random.default_rng(4).normal(size=cells.shape)
    priors: Vector = np.random.default_rng(5).uniform(-6.0, 4.0, 60)
    sums, seen = np.zeros(60), np.zeros(60)
    for where, per_leaf in cells.per_grade(priors, table):
        sums[where] += TREES.sums(X[where], per_leaf)
        seen[where] += 1
    np.testing.assert_array_equal(seen, 1)
    np.testing.assert_allclose(sums, cells.sums(X, priors, table), atol=1e-12)
