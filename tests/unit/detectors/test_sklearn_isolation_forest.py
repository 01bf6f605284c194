from __future__ import annotations

import numpy as np
import pytest
import shap
from sklearn.ensemble import IsolationForest

from detectors.grow import row_norm
from detectors.online.sklearn_isolation_forest import SklearnIsolationForest, convert
from detectors.trees import Trees, depth_limit
from tests.unit.detectors.forests import make_rows

Params = SklearnIsolationForest.Params


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_scores_equal_scikit_learns(missing: float) -> None:
    X = make_rows(1, 500, 6, missing)
    X[:, 2] = 3  # constant
    detector = SklearnIsolationForest("abcdef", Params(trees=20, subsample=128, window=400), seed=7)
    detector.learn_many(X)
    model = IsolationForest(n_estimators=20, max_samples=128, random_state=7)
    model.fit(detector.window)  # the order of rows in the window decides what is drawn
    Y = make_rows(2, 300, 6, missing)
    assert 2 ** detector.score_many(Y) == pytest.approx(-model.score_samples(Y), abs=1e-6)


def test_missing_values_go_where_scikit_learn_sends_them_without_having_seen_any() -> None:
    X = make_rows(1, 300, 4)
    model = IsolationForest(n_estimators=20, max_samples=64, random_state=7).fit(X)
    trees = Trees(20, 4, depth_limit(64))
    convert(model, trees, 0)
    Y = make_rows(2, 300, 4, 0.3)
    assert 2 ** trees.scores(Y) == pytest.approx(-model.score_samples(Y), abs=1e-6)


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_explanations_equal_the_shap_librarys_on_the_model_itself(missing: float) -> None:
    X = make_rows(1, 300, 5, missing)
    detector = SklearnIsolationForest("abcde", Params(trees=15, subsample=64, window=256), seed=3)
    detector.learn_many(X)
    model = IsolationForest(n_estimators=15, max_samples=64, random_state=3).fit(detector.window)
    Y = make_rows(2, 40, 5, missing)
    reference = shap.TreeExplainer(model)  # explains the mean path length
    expected = -reference.shap_values(Y, check_additivity=False) / row_norm(64)
    found = detector.explain_many(Y)
    assert found.values == pytest.approx(expected, abs=1e-6)
    base = -float(np.ravel(reference.expected_value)[0]) / row_norm(64)
    assert found.base == pytest.approx(base, abs=1e-6)


def test_is_fitted_anew_after_so_many_rows_and_as_the_window_fills() -> None:
    detector = SklearnIsolationForest("ab", Params(trees=2, subsample=16, window=64, refit=50))
    fitted = []
    for block in np.split(make_rows(1, 200, 2), 20):
        detector.learn_many(block)
        fitted.append(int(detector.trees.number[0]) // 2)
    # at      10 20    40          80             130            180 rows
    assert fitted == [0, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 5, 5, 5]
