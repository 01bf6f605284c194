from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.base import Matrix, Snapshot, SnapshotError, Vector
from detectors.learning.cells import Cells
from detectors.learning.label_model import CERTAIN, TELLING, LabelModel, Labels, bounds
from detectors.learning.laplace import sigmoid
from detectors.learning.leaf_kernel import leaf_sums, shared_leaves
from detectors.online.isolation_forest import IsolationForest
from detectors.trees import Trees

KAPPA = 40.0
FEATURES = 3


def detector(trees: int = 20) -> IsolationForest:
    params = IsolationForest.Params(trees=trees, subsample=32, window=400, replace=5)
    made = IsolationForest(["a", "b", "c"], params, seed=1)
    made.learn_many(rows(400, seed=9))
    return made


def forest(trees: int = 20) -> Trees:
    return detector(trees).trees


def cells(trees: Trees, *, graded: bool = False) -> Cells:
    return Cells(trees, graded=graded)


def rows(count: int, seed: int) -> Matrix:
    return np.random.default_rng(seed).normal(size=(count, FEATURES)).astype(np.float32)


def prior(X: Matrix) -> Vector:
    size: Vector = np.abs(X).sum(axis=1, dtype=np.float64)
    return size - 4.0


def shift(model: LabelModel, X: Matrix) -> Vector:
    return model.shift(X, prior(X))


def variance(model: LabelModel, X: Matrix) -> Vector:
    return model.variance(X, prior(X))


def constant(margin: float, X: Matrix) -> Vector:
    return np.full(len(X), margin)


def labels(count: int, seed: int = 3) -> Labels:
    rng = np.random.default_rng(seed)
    return Labels(
        ids=[f"c{i}" for i in range(count)],
        X=rows(count, seed),
        y=rng.integers(0, 2, count).astype(np.float64),
        weight=rng.choice([1.0, 0.3], count),
    )


def take(source: Labels, order: npt.NDArray[np.intp]) -> Labels:
    return Labels(
        [source.ids[i] for i in order], source.X[order], source.y[order], source.weight[order]
    )


def fitted(given_labels: Labels, trees: Trees | None = None, *, graded: bool = False) -> LabelModel:
    model = LabelModel(cells(trees or forest(), graded=graded), KAPPA)
    model.set_labels(given_labels, prior)
    return model


def test_the_kernel_is_the_share_of_common_leaves() -> None:
    a, b = np.array([[1, 2, 3, 4]], np.int32), np.array([[1, 2, 9, 9], [1, 2, 3, 4]], np.int32)
    np.testing.assert_array_equal(shared_leaves(a, b), [[0.5, 1.0]])


def test_sums_over_known_leaves_are_those_of_a_walk() -> None:
    X, trees = rows(300, seed=4), forest()
    np.testing.assert_array_equal(leaf_sums(trees.leaves(X), trees.values), trees.scores(X))
    with pytest.raises(ValueError, match="trees"):
        leaf_sums(trees.leaves(X), trees.values[1:])


@pytest.mark.parametrize("graded", [False, True])
def test_it_equals_a_regression_with_one_weight_per_cell(graded: bool) -> None:
    """The kernel form is a short cut for a logistic regression over indicators of cells."""
    trees, given_labels = forest(trees=8), labels(25)
    divided = cells(trees, graded=graded)
    each, width = divided.shape
    shares = divided.of(given_labels.X, prior(given_labels.X))
    indicators = np.zeros((len(given_labels), each * width))
    for i, row in enumerate(shares):
        indicators[i, row + width * np.arange(each)] = 1.0
    precision = each / KAPPA
    w, curvature = np.zeros(indicators.shape[1]), np.zeros(len(given_labels))
    alike = shared_leaves(shares, shares)
    bound = bounds(given_labels.y, given_labels.weight, prior(given_labels.X), alike, KAPPA)
    for _ in range(60):  # Newton's method, in the space of the labels' cells
        p = sigmoid(prior(given_labels.X) + indicators @ w)
        pull = given_labels.weight * np.maximum(given_labels.y - p, -bound)
        gradient = indicators.T @ pull - precision * w
        curvature = np.where(p - given_labels.y < bound, given_labels.weight * p * (1 - p), 0.0)
        w += 0.5 * inverse_hessian(indicators, curvature, precision, gradient)
    model = fitted(given_labels, trees, graded=graded)
    np.testing.assert_allclose(model.table.ravel(), w, atol=1e-6)

    X = rows(6, seed=5)
    at = np.zeros((len(X), len(w)))
    for i, row in enumerate(divided.of(X, prior(X))):
        at[i, row + width * np.arange(each)] = 1.0
    np.testing.assert_allclose(shift(model, X), at @ w, atol=1e-6)
    spread = inverse_hessian(indicators, curvature, precision, at.T)
    dense = np.einsum("ij,ji->i", at, spread)
    np.testing.assert_allclose(variance(model, X), dense, rtol=1e-5)


def inverse_hessian(
    indicators: npt.NDArray[np.float64],
    curvature: Vector,
    precision: float,
    right: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Return the inverse of ``indicators' curvature indicators + precision`` times ``right``.

    By the formula of Woodbury: there are far fewer labels than cells.
    """
    root = indicators * np.sqrt(curvature)[:, np.newaxis]
    inner = np.eye(len(root)) + root @ root.T / precision
    solved: npt.NDArray[np.float64] = (
        right - root.T @ np.linalg.solve(inner, root @ right) / precision
    ) / precision
    return solved


@given(st.permutations(range(12)))
@settings(max_examples=15)
def test_the_order_of_labels_does_not_matter(order: list[int]) -> None:
    some = labels(12)
    shuffled = take(some, np.array(order))
    assert fitted(shuffled).table.tobytes() == fitted(some).table.tobytes()


@given(st.integers(0, 11), st.sampled_from([0.0, 1.0]))
@settings(max_examples=15)
def test_taking_a_label_back_leaves_no_trace(place: int, y: float) -> None:
    some = labels(12)
    rest = take(some, np.delete(np.arange(12), place))
    model = fitted(rest)
    before = model.table.tobytes()
    changed = Labels(some.ids, some.X, np.where(np.arange(12) == place, y, some.y), some.weight)
    model.set_labels(changed, prior)
    assert model.table.tobytes() != before
    model.set_labels(rest, prior)
    assert model.table.tobytes() == before


@given(st.integers(0, 30), st.integers(0, 1_000), st.sampled_from([0.0, 1.0]))
@settings(max_examples=40)
def test_a_label_moves_its_own_row_its_way(count: int, seed: int, y: float) -> None:
    some = labels(count, seed % 7)
    x = rows(1, seed)
    more = Labels(
        [*some.ids, "new"], np.vstack([some.X, x]), np.append(some.y, y), np.append(some.weight, 1)
    )
    trees = forest()
    before, after = shift(fitted(some, trees), x)[0], shift(fitted(more, trees), x)[0]
    assert after > before if y else after < before
    if y and not count:  # contradiction, and what is not believed in full, make nothing surer
        assert variance(fitted(more, trees), x)[0] < KAPPA
    assert variance(fitted(more, trees), x)[0] <= KAPPA


@pytest.mark.parametrize(("margin", "moved"), [(2.5, -CERTAIN), (20.0, -20.0)])
def test_one_wrong_spurious_does_not_hide_what_is_strange_and_several_do(
    margin: float, moved: float
) -> None:
    x = rows(1, 0)
    model = LabelModel(cells(forest()), KAPPA)
    shifts = []
    for count in (1, 2, 3):
        said = np.zeros(count), np.ones(count)
        labels = Labels([f"c{i}" for i in range(count)], np.repeat(x, count, axis=0), *said)
        model.set_labels(labels, functools.partial(constant, margin))
        shifts.append(float(shift(model, x)[0]))
    assert shifts[0] == pytest.approx(moved, abs=1e-6)
    assert shifts[0] > shifts[1] + 0.1 > shifts[2] + 0.2
    assert margin + shifts[2] < -1.0


def test_one_real_outweighs_any_score() -> None:
    model = LabelModel(cells(forest()), KAPPA)
    one = Labels(["a"], rows(1, 0), np.ones(1), np.ones(1))
    model.set_labels(one, functools.partial(constant, -6.0))
    assert -6.0 + shift(model, one.X)[0] > 1.0


def test_without_labels_nothing_moves_and_everything_is_uncertain() -> None:
    model = fitted(Labels.none(FEATURES))
    X = rows(4, 0)
    assert not shift(model, X).any()
    np.testing.assert_array_equal(variance(model, X), KAPPA)
    assert not model.table.any()


def test_the_background_keeps_usual_rows_where_verdicts_would_bend_them() -> None:
    usual, strange = rows(200, 4), rows(40, 5) * 4
    all_real = Labels([f"c{i}" for i in range(40)], strange, np.ones(40), np.ones(40))
    alone, held = LabelModel(cells(forest()), KAPPA), LabelModel(cells(forest()), KAPPA)
    alone.set_labels(all_real, prior)
    held.set_labels(all_real, prior, rows(100, 6))
    assert shift(held, usual).mean() < shift(alone, usual).mean() - 0.5
    apart = [shift(model, strange).mean() - shift(model, usual).mean() for model in (alone, held)]
    assert apart[1] > apart[0] + 0.3
    assert variance(held, usual).mean() < variance(alone, usual).mean()


def test_the_background_is_nothing_without_labels_and_is_replaced_as_a_whole() -> None:
    trees = forest()
    model = LabelModel(cells(trees), KAPPA)
    model.set_labels(Labels.none(FEATURES), prior, rows(10, 1))
    assert model.rows == 0
    assert not model.table.any()
    model.refit(prior, rows(10, 1))
    assert model.rows == 0
    model.set_labels(labels(9), prior, rows(10, 1))
    assert model.rows == 19
    model.refit(prior, rows(5, 2))
    fresh = LabelModel(cells(trees), KAPPA)
    fresh.set_labels(labels(9), prior, rows(5, 2))
    np.testing.assert_allclose(model.table, fresh.table, atol=1e-7)
    model.refit(prior)
    assert model.rows == 9
    np.testing.assert_allclose(model.table, fitted(labels(9), trees).table, atol=1e-7)


def test_extreme_margins_and_contradictions_still_converge() -> None:
    same = np.zeros((40, FEATURES), np.float32)
    half = np.tile(np.array([0.0, 1.0]), 20)
    torn = Labels([str(i) for i in range(40)], same, half, np.ones(40))
    model = LabelModel(cells(forest()), 1e3)
    for far in (-500.0, -60.0, 0.0, 60.0, 500.0):
        model.set_labels(torn, functools.partial(constant, far))
        margin = far + shift(model, same[:1])
        assert abs(margin[0]) < 1.0, far  # half of them say yes


def test_rows_of_one_id_count_once() -> None:
    one = labels(6)
    twice = take(one, np.tile(np.arange(6), 2))
    assert fitted(twice).table.tobytes() == fitted(one).table.tobytes()
    x = rows(1, 0)
    weak = Labels(["a", "a"], np.vstack([x, x]), np.array([1.0, 0.0]), np.array([1.0, 0.25]))
    combined = weak.canonical()
    assert (combined.y.tolist(), combined.weight.tolist()) == ([0.8], [1.0])


def test_labels_of_no_weight_say_nothing() -> None:
    some = labels(8)
    silent = Labels(some.ids, some.X, some.y, np.where(np.arange(8) < 4, some.weight, 0.0))
    assert fitted(silent).table.tobytes() == fitted(take(some, np.arange(4))).table.tobytes()


@pytest.mark.parametrize(
    ("y", "weight"), [(1.5, 1.0), (np.nan, 1.0), (1.0, -1.0), (1.0, np.inf), (0.0, np.nan)]
)
def test_labels_out_of_range_are_refused(y: float, weight: float) -> None:
    with pytest.raises(ValueError, match="of a label"):
        Labels(["a"], rows(1, 0), np.array([y]), np.array([weight]))


def test_after_trees_are_replaced_a_refit_equals_a_fresh_fit() -> None:
    changing, some = detector(), labels(30)
    trees = changing.trees
    model = fitted(some, trees)
    before = trees.number.copy()
    changing.learn_many(rows(100, seed=77))
    assert np.count_nonzero(trees.number != before) == 5
    model.follow()
    followed = shift(model, rows(50, 8))
    model.refit(prior)
    fresh = fitted(some, trees)
    np.testing.assert_allclose(model.table, fresh.table, atol=1e-7)
    assert np.corrcoef(followed, shift(fresh, rows(50, 8)))[0, 1] > 0.9


def test_a_snapshot_holds_everything() -> None:
    trees = forest()
    model = LabelModel(cells(trees), KAPPA)
    model.set_labels(labels(15), prior, rows(8, 6))
    other = LabelModel(cells(trees), KAPPA)
    other.restore(model.snapshot())
    assert other.table.tobytes() == model.table.tobytes()
    other.refit(prior)
    model.refit(prior)
    assert other.table.tobytes() == model.table.tobytes()
    np.testing.assert_array_equal(variance(other, rows(5, 1)), variance(model, rows(5, 1)))


@pytest.mark.parametrize("graded", [False, True])
def test_a_damaged_or_foreign_snapshot_is_refused(graded: bool) -> None:
    model = LabelModel(cells(forest(), graded=graded), KAPPA)
    model.set_labels(labels(5), prior, rows(8, 6))
    snapshot = model.snapshot()
    with pytest.raises(SnapshotError, match="kappa"):
        LabelModel(cells(forest()), 1.0).restore(snapshot)
    for name in snapshot.arrays:
        less = {key: value for key, value in snapshot.arrays.items() if key != name}
        with pytest.raises(SnapshotError):
            model.restore(Snapshot(snapshot.meta, less))
        short = {**snapshot.arrays, name: snapshot.arrays[name][:-1]}
        with pytest.raises(SnapshotError):
            model.restore(Snapshot(snapshot.meta, short))


@pytest.mark.parametrize("graded", [False, True])
def test_what_labels_and_background_add_is_told_apart(graded: bool) -> None:
    trees, X = forest(), rows(6, 20)
    model = LabelModel(cells(trees, graded=graded), KAPPA)
    assert model.influences(X, prior(X), 3) == [()] * 6
    model.set_labels(labels(12), prior, rows(10, 21))
    told = model.influences(X, prior(X), 12)
    everything = {each.label_id: each for row in told for each in row}
    assert {name: each.y for name, each in everything.items()}.items() <= dict(
        zip(labels(12).ids, labels(12).y.tolist(), strict=True)
    ).items()
    for row, strongest in zip(told, model.influences(X, prior(X), 2), strict=True):
        sizes = [abs(each.shift) for each in row]
        assert sizes == sorted(sizes, reverse=True)
        assert all(each.shift * (each.y - 0.5) > 0 for each in row)
        assert list(strongest) == list(row[:2])

    model.set_labels(labels(12), prior)
    alone = [sum(each.shift for each in row) for row in model.influences(X, prior(X), 12)]
    np.testing.assert_allclose(alone, shift(model, X), atol=12 * TELLING)
