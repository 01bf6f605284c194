from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.base import Vector
from detectors.learning.cells import Table
from detectors.learning.label_model import LabelModel, Labels
from detectors.learning.label_preview import LabelPreview
from detectors.learning.leaf_kernel import leaf_sums
from tests.unit.detectors.test_label_model import (
    KAPPA,
    cells,
    forest,
    labels,
    prior,
    rows,
    shift,
    take,
)

CELLS = cells(forest(), graded=True)
"""What a forest alone has is the same with one part per leaf."""
BACKGROUND = rows(30, seed=8)
SOME = rows(200, seed=12)


def preview(of: Labels) -> LabelPreview:
    return LabelPreview(CELLS, KAPPA, of, prior, BACKGROUND)


def shifts(table: Table) -> Vector:
    return CELLS.sums(SOME, prior(SOME), table)


def joined(one: Labels, other: Labels) -> Labels:
    return Labels(
        [*one.ids, *other.ids],
        np.concatenate([one.X, other.X]),
        np.concatenate([one.y, other.y]),
        np.concatenate([one.weight, other.weight]),
    )


def refitted(of: Labels) -> LabelModel:
    model = LabelModel(CELLS, KAPPA)
    model.set_labels(of, prior, BACKGROUND)
    return model


def more_labels(count: int, seed: int, y: float | None = None) -> Labels:
    made = labels(count, seed)
    said = made.y if y is None else np.full(count, y)
    return Labels([f"more{i}" for i in range(count)], made.X, said, made.weight)


@given(
    st.integers(0, 60), st.integers(1, 30), st.sampled_from([None, 0.0, 1.0]), st.integers(0, 99)
)
@settings(max_examples=30, deadline=None)
def test_further_labels_are_taken_in_as_by_a_refit(
    old: int, new: int, y: float | None, seed: int
) -> None:
    """To a thousandth of the margin, wherever a row lies."""
    before, more = labels(old), more_labels(new, seed + 100, y)
    quick = shifts(preview(before).table_with(more))
    np.testing.assert_allclose(quick, shift(refitted(joined(before, more)), SOME), atol=1e-3)


def test_labels_against_all_that_is_known_are_taken_in_as_well() -> None:
    """Many heavy labels that contradict: the kept curvature is far from the true one."""
    same = rows(1, seed=4)
    before = Labels(
        [f"a{i}" for i in range(40)],
        np.repeat(same, 40, axis=0) + rows(40, seed=5) * np.float32(0.01),
        np.ones(40),
        np.ones(40),
    )
    more = Labels(
        [f"b{i}" for i in range(80)], np.repeat(same, 80, axis=0), np.zeros(80), np.ones(80)
    )
    quick = shifts(preview(before).table_with(more))
    np.testing.assert_allclose(quick, shift(refitted(joined(before, more)), SOME), atol=1e-3)


@pytest.mark.parametrize("old", [0, 5])
def test_without_a_background_it_is_the_same(old: int) -> None:
    before, more, none = labels(old), more_labels(6, 7), BACKGROUND[:0]
    made = LabelPreview(CELLS, KAPPA, before, prior, none)
    model = LabelModel(CELLS, KAPPA)
    model.set_labels(joined(before, more), prior, none)
    quick = shifts(made.table_with(more))
    np.testing.assert_allclose(quick, shift(model, SOME), atol=1e-3)


def test_without_further_labels_it_is_the_fit_as_it_stands() -> None:
    before = labels(20)
    quick = shifts(preview(before).table_with(take(before, np.arange(0))))
    np.testing.assert_allclose(quick, shift(refitted(before), SOME), atol=1e-9)


def test_without_any_label_nothing_is_shifted() -> None:
    assert not preview(Labels.none(3)).table.any()


def test_what_has_a_label_already_is_combined_with_it_as_by_a_refit() -> None:
    """What was only inferred about a member counts less than a read of it, not as well."""
    before = labels(20)
    weak = Labels(before.ids, before.X, before.y, np.full(20, 0.1))
    again = Labels(weak.ids[:5], weak.X[:5], 1.0 - weak.y[:5], np.ones(5))
    more = joined(again, more_labels(4, 7))
    quick = shifts(preview(weak).table_with(more))
    np.testing.assert_allclose(quick, shift(refitted(joined(weak, more)), SOME), atol=1e-3)


def test_asking_changes_nothing() -> None:
    made = preview(labels(20))
    before = made.table.tobytes()
    first = made.table_with(more_labels(5, 7)).tobytes()
    made.table_with(more_labels(9, 8))
    assert made.table.tobytes() == before
    assert made.table_with(more_labels(5, 7)).tobytes() == first


@pytest.mark.parametrize("graded", [False, True])
@pytest.mark.parametrize("count", [0, 3])
def test_kept_cells_give_what_a_walk_gives(count: int, graded: bool) -> None:
    X, divided = rows(count, seed=2), cells(forest(), graded=graded)
    table = LabelPreview(divided, KAPPA, labels(9), prior, BACKGROUND).table
    np.testing.assert_allclose(
        leaf_sums(divided.of(X, prior(X)), table), divided.sums(X, prior(X), table), atol=1e-12
    )
