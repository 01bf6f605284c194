from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from detectors import base
from detectors.base import Attribution, Detector, Matrix, Snapshot, SnapshotError, Vector
from detectors.learning.cells import Cells
from detectors.learning.label_model import Labels
from detectors.learning_settings import LearningSettings
from detectors.model import PRIOR_SHIFT, TAIL, StreamModel
from detectors.online.isolation_forest import IsolationForest
from detectors.state import nest, pack, unnest, unpack
from detectors.trees import Trees

NAMES = ("a", "b", "c")
BLOCK = 64
SETTINGS = LearningSettings(block=BLOCK, warm_up=128, alert_budget=0.05, refit_every=3)


class Distance(Detector):
    """How far a row lies from the mean of all: a detector without trees."""

    kind = "distance"

    class Params(base.Params):
        """None."""

    def _begin(self, features: int) -> None:
        self._sum, self._rows = np.zeros(features), 0

    def score_many(self, X: Matrix) -> Vector:
        distance: Vector = np.abs(X - self._sum / max(1, self._rows)).sum(axis=1, dtype=np.float64)
        return distance

    def learn_many(self, X: Matrix) -> None:
        self._sum = self._sum + X.sum(axis=0, dtype=np.float64)
        self._rows += len(X)

    def explain_many(self, X: Matrix) -> Attribution:
        values = np.abs(X - self._sum / max(1, self._rows)).astype(np.float64)
        return Attribution(values, np.zeros(len(X)), "distance", additive=True)

    def _dump(self) -> Snapshot:
        return Snapshot({"rows": self._rows}, {"sum": self._sum})

    def _load(self, snapshot: Snapshot) -> None:
        self._sum, self._rows = snapshot.arrays["sum"], int(snapshot.meta["rows"])


def forest() -> Detector:
    params = IsolationForest.Params(trees=20, subsample=32, window=256, replace=4)
    return IsolationForest(NAMES, params, seed=5)


def distance() -> Detector:
    return Distance(NAMES, Distance.Params(), seed=5)


both = pytest.mark.parametrize("detector", [forest, distance])

Make = Callable[[], Detector]


def rows(count: int, seed: int) -> Matrix:
    """Return rows of which about one in twenty is far out."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(count, len(NAMES)))
    X[rng.random(count) < 0.05, 0] += 8.0
    return X.astype(np.float32)


def labels(count: int, seed: int = 1) -> Labels:
    X = rows(count, seed)
    X[: count // 2, 0] = 8.0
    y = (np.arange(count) >= count // 2).astype(np.float64)  # what is far out in a is no anomaly
    return Labels([f"c{i}" for i in range(count)], X, y, np.ones(count))


def harmless() -> Labels:
    """Return labels that say of what is far out, and so fills the budget, that it is none."""
    X = rows(12, 1)
    X[:, 0] = 8.0
    return Labels([f"c{i}" for i in range(12)], X, np.zeros(12), np.ones(12))


def block(model: StreamModel, number: int) -> None:
    X = rows(BLOCK, 100 + number)
    learn(model, X)


def learn(model: StreamModel, X: Matrix) -> None:
    scored = model.score(X)
    model.learn(X, scored.z, scored.margin)


def trained(make: Make, blocks: int = 4) -> StreamModel:
    model = StreamModel(make(), SETTINGS, seed=7)
    for number in range(blocks):
        block(model, number)
    return model


@both
def test_nothing_alerts_before_the_warm_up_is_over(detector: Make) -> None:
    model = trained(detector, 0)
    far = np.full((1, 3), 50.0, np.float32)
    for left in (128, 64, 0):
        assert model.warm_up_left == left
        assert model.score(far).alert.tolist() == [left == 0]
        block(model, left)


@both
def test_the_share_of_alerts_keeps_near_the_budget(detector: Make) -> None:
    model = trained(detector, 20)
    scored = model.score(rows(2_000, 0))
    assert 0.02 < scored.alert.mean() < 0.1
    np.testing.assert_array_equal(scored.alert, scored.margin >= scored.threshold)


@both
def test_right_after_a_short_warm_up_the_budget_holds_already(detector: Make) -> None:
    model = StreamModel(detector(), LearningSettings(block=64, warm_up=64, alert_budget=0.02), 7)
    block(model, 0)
    assert model.warm_up_left == 0
    assert model.score(rows(1_000, 0)).alert.mean() < 0.1


@both
def test_without_labels_the_margin_is_the_unsupervised_one(detector: Make) -> None:
    scored = trained(detector).score(rows(10, 0))
    np.testing.assert_array_equal(scored.margin, scored.z - PRIOR_SHIFT)


def further_and_further_out() -> Matrix:
    X = np.zeros((6, len(NAMES)), np.float32)
    X[:, 0] = [0, 3, 9, 20, 50, 200]
    return X


def test_the_margin_of_a_forest_is_its_score_however_far_out() -> None:
    model = StreamModel(IsolationForest(NAMES, seed=5), SETTINGS, seed=7)
    for seed in range(32):
        learn(model, np.random.default_rng(seed).normal(size=(BLOCK, 3)).astype(np.float32))
    X = further_and_further_out()
    X[:, 1:] = X[:, :1]
    scored = model.score(X)
    assert scored.z.max() > TAIL
    np.testing.assert_array_equal(scored.margin, scored.z - PRIOR_SHIFT)


def leaves_alone(trees: Trees, **_: bool) -> Cells:
    return Cells(trees, graded=False)


def test_a_state_from_before_far_scores_counted_less_goes_on_with_todays_margins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    today = trained(distance, 8)
    today.set_labels(labels(20), 1)
    with monkeypatch.context() as before:
        before.setattr("detectors.model.TAIL", math.inf)
        before.setattr("detectors.model.Cells", leaves_alone)
        old = trained(distance, 8)
        old.set_labels(labels(20), 1)
        parts = unnest(old.snapshot())
    del parts["prior"]
    assert "priors" not in parts["labels"].arrays
    resumed = StreamModel(distance(), SETTINGS, seed=7)
    resumed.restore(nest(parts))
    X = further_and_further_out()
    assert old.threshold > today.threshold + 0.1
    assert resumed.threshold == pytest.approx(today.threshold, abs=1e-6)
    np.testing.assert_allclose(resumed.margins(X), today.margins(X), atol=1e-6)
    again = StreamModel(distance(), SETTINGS, seed=7)
    again.restore(resumed.snapshot())  # once
    assert again.threshold == resumed.threshold


def test_a_score_without_an_end_counts_beyond_the_tail_by_its_logarithm() -> None:
    model, X = trained(distance), further_and_further_out()
    scored = model.score(X)
    beyond = scored.z > TAIL
    assert beyond.tolist()[:2] == [False, False]
    assert beyond[-2:].all()
    expected = np.where(beyond, TAIL + np.log1p(np.maximum(scored.z - TAIL, 0)), scored.z)
    np.testing.assert_allclose(scored.margin, expected - PRIOR_SHIFT)
    np.testing.assert_allclose(model.prior(X), scored.margin)
    assert (np.argsort(scored.margin) == np.argsort(scored.z)).all()
    why = model.explain(X)
    np.testing.assert_allclose(why.base + why.values.sum(axis=1), scored.margin)


@both
def test_labels_move_rows_like_them_and_taking_them_back_moves_them_back(detector: Make) -> None:
    model = trained(detector)
    X = rows(300, 2)
    before = model.margins(X)
    model.set_labels(labels(20), position=9)
    assert model.model_version == 9
    far = X[:, 0] > 5
    change = model.margins(X) - before
    assert change[far].mean() < -1.0 < change[~far].mean()
    assert model.variance(X[far]).mean() < SETTINGS.kappa
    model.set_labels(Labels.none(3), position=10)
    np.testing.assert_array_equal(model.margins(X), before)


@both
def test_the_threshold_follows_from_what_labels_say_of_the_kept_rows(detector: Make) -> None:
    model = trained(detector, 8)
    model.set_labels(labels(20), position=1)
    kept = model.budget.rows
    shifts = model.margins(kept) - model.prior(kept)
    assert model.threshold == pytest.approx(model.budget.line(shifts), abs=0.1)


@both
def test_many_labels_from_before_the_first_block_are_fitted_to_its_trees(detector: Make) -> None:
    """So many that a fit is put off for several blocks else."""
    early, late = trained(detector, 0), trained(detector, 1)
    early.set_labels(labels(300), position=1)
    block(early, 0)
    late.set_labels(labels(300), position=1)
    X = rows(300, 2)
    np.testing.assert_allclose(early.margins(X), late.margins(X), atol=1e-5)
    assert early.threshold == pytest.approx(late.threshold, abs=1e-5)


def test_of_several_detectors_a_verdict_says_little_of_what_is_less_strange() -> None:
    far = np.array([[200.0, 0.0, 0.0], [12.0, 0.0, 0.0]], np.float32)  # in one leaf everywhere
    said = Labels(["a"], far[:1], np.zeros(1), np.ones(1))
    alone = SETTINGS.model_copy(update={"presumed_normal": 0})
    moved = []
    for detector in (forest(), distance()):
        model = StreamModel(detector, alone, seed=7)
        for number in range(8):
            block(model, number)
        before = model.margins(far)
        model.set_labels(said, position=1)
        moved.append(model.margins(far) - before)
    assert moved[0][1] == moved[0][0] < -1.0
    assert moved[1][0] < -1.0
    assert moved[1][0] < 1.5 * moved[1][1] < 0.0


@both
def test_the_same_labels_again_change_the_position_only(detector: Make) -> None:
    model = trained(detector)
    given = labels(20)
    assert model.set_labels(given, position=1)
    block(model, 4)
    before = model.margins(rows(300, 2))
    turned = Labels(given.ids[::-1], given.X[::-1], given.y[::-1], given.weight[::-1])
    assert not model.set_labels(turned, position=2)
    assert model.model_version == 2
    np.testing.assert_array_equal(model.margins(rows(300, 2)), before)
    assert model.set_labels(labels(19), position=3)
    assert model.set_labels(Labels.none(3), position=4)
    assert not model.set_labels(Labels.none(3), position=5)


@both
def test_labels_stay_in_force_while_trees_are_replaced(detector: Make) -> None:
    model = trained(detector)
    model.set_labels(labels(20), position=1)
    far = rows(300, 2)[rows(300, 2)[:, 0] > 5]

    def shift() -> float:
        scored = model.score(far)
        return float((scored.margin - scored.z).mean()) + PRIOR_SHIFT

    at_once = shift()
    for number in range(10, 20):  # all trees are new by then
        block(model, number)
    assert shift() < at_once / 2 < -0.6


@both
def test_the_threshold_follows_labels_at_once(detector: Make) -> None:
    model = trained(detector, 20)
    X = rows(2_000, 0)
    before = model.score(X)
    model.set_labels(harmless(), 1)
    after = model.score(X)
    assert after.threshold[0] < before.threshold[0] - 0.3
    assert 0.02 < after.alert.mean() < 0.1
    model.set_labels(Labels.none(3), 2)
    np.testing.assert_array_equal(model.score(X).threshold, before.threshold)


@both
def test_a_block_that_labels_cut_counts_under_the_new_ones(detector: Make) -> None:
    early, late = trained(detector), trained(detector)
    X = rows(BLOCK, 9)
    scored = early.score(X)
    for model in (early, late):
        model.set_labels(labels(20), 1)
    early.learn(X, scored.z, scored.margin)
    learn(late, X)
    assert early.threshold == pytest.approx(late.threshold)


@both
def test_labels_that_were_there_first_move_the_first_threshold(detector: Make) -> None:
    plain, told = trained(detector, 0), trained(detector, 0)
    told.set_labels(harmless(), 1)
    for model in (plain, told):
        learn(model, rows(BLOCK, 1))
    assert told.threshold < plain.threshold - 0.5


@both
def test_an_explanation_adds_up_to_the_margin(detector: Make) -> None:
    model = trained(detector)
    X = rows(30, 3)
    for some in (Labels.none(3), labels(20)):
        model.set_labels(some, 1)
        why = model.explain(X)
        assert why.additive
        np.testing.assert_allclose(why.base + why.values.sum(axis=1), model.margins(X), atol=1e-6)


def test_before_the_first_block_everything_can_be_asked_already() -> None:
    model = trained(forest, 0)
    X = rows(5, 0)
    scored = model.score(X)
    assert np.unique(scored.margin).size == 1
    assert scored.threshold.tolist() == [math.inf] * len(scored.z)
    assert not model.explain(X).values.any()
    model.set_labels(labels(4), 1)
    assert np.isfinite(model.margins(X)).all()
    low, high = model.usual_range()
    assert np.isnan(low).all()
    assert np.isnan(high).all()


def test_the_shap_library_gives_the_same_explanation() -> None:
    ours = trained(forest)
    reference = StreamModel(
        forest(), SETTINGS.model_copy(update={"explanations": "shap_library"}), seed=7
    )
    for number in range(4):
        block(reference, number)
    for some in (Labels.none(3), labels(20)):
        for model in (ours, reference):
            model.set_labels(some, 1)
        X = rows(10, 3)
        expected = reference.explain(X)
        assert "shap library" in expected.method
        np.testing.assert_allclose(ours.explain(X).values, expected.values, atol=1e-6)


@both
def test_the_usual_range_is_that_of_the_latest_rows(detector: Make) -> None:
    model = trained(detector)
    X = rows(BLOCK, 1)
    X[:, 1] = np.nan
    X[:, 2] = np.linspace(10, 30, BLOCK)
    for _ in range(40):
        learn(model, X)
    low, high = model.usual_range()
    assert np.isnan(low[1])
    assert (low[2], high[2]) == (pytest.approx(11, abs=0.5), pytest.approx(29, abs=0.5))


@both
@given(cut=st.integers(0, 8), labelled=st.integers(0, 8))
@settings(max_examples=12)
def test_a_crash_at_any_block_changes_no_bit(detector: Make, cut: int, labelled: int) -> None:
    whole, resumed = trained(detector, 0), trained(detector, 2)
    for number in range(9):
        if number == labelled:
            whole.set_labels(labels(12), 5)
        if number == cut:
            resumed.restore(unpack(pack(whole.snapshot())))
        elif number > cut and number == labelled:
            resumed.set_labels(labels(12), 5)
        for model in (whole, resumed) if number >= cut else (whole,):
            block(model, number)
    X = rows(50, 4)
    one, other = whole.score(X), resumed.score(X)
    assert one.margin.tobytes() == other.margin.tobytes()
    np.testing.assert_array_equal(one.threshold, other.threshold)
    assert whole.explain(X).values.tobytes() == resumed.explain(X).values.tobytes()
    assert whole.usual_range()[0].tobytes() == resumed.usual_range()[0].tobytes()
    assert pack(whole.snapshot()) == pack(resumed.snapshot())


@both
def test_a_snapshot_of_another_model_is_refused(detector: Make) -> None:
    model = trained(detector)
    other = StreamModel(detector(), SETTINGS.model_copy(update={"kappa": 10.0}), seed=7)
    with pytest.raises(SnapshotError, match="settings"):
        other.restore(model.snapshot())
    with pytest.raises(SnapshotError):
        model.restore(Snapshot({}, {}))


def test_when_there_are_too_many_labels_the_strongest_and_then_the_newest_count() -> None:
    few = LearningSettings(block=BLOCK, warm_up=128, max_labels=5)
    model, same = StreamModel(forest(), few, 7), StreamModel(forest(), few, 7)
    for number in range(3):
        block(model, number)
        block(same, number)
    many = labels(12)
    weight = np.where(np.arange(12) < 3, 1.0, 0.1)  # three old ones were read, nine inferred
    model.set_labels(Labels(many.ids, many.X, many.y, weight), 1)
    kept = [0, 1, 2, 10, 11]
    ids = [many.ids[i] for i in kept]
    same.set_labels(Labels(ids, many.X[kept], many.y[kept], weight[kept]), 1)
    assert model.margins(rows(9, 0)).tobytes() == same.margins(rows(9, 0)).tobytes()


def test_a_block_longer_than_the_warm_up_is_refused() -> None:
    with pytest.raises(ValidationError, match="must not exceed warm_up"):
        LearningSettings(block=1024, warm_up=64)
