from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError
from river import anomaly, compose, preprocessing

from detectors.online.river_model import RiverModel
from tests.unit.detectors.forests import make_rows

NAMES = ("d", "b", "c", "a")  # river sorts them, matrices don't
Params = RiverModel.Params


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("HalfSpaceTrees", {"window_size": 50, "n_trees": 5}), ("LODA", {"n_random_cuts": 20})],
)
def test_scores_are_those_of_river_behind_a_min_max_scaler(
    name: str, parameters: dict[str, int | float]
) -> None:
    X = make_rows(1, 400, 4)
    detector = RiverModel(NAMES, Params(model=name, parameters=parameters), seed=9)
    plain = compose.Pipeline(
        preprocessing.MinMaxScaler(), getattr(anomaly, name)(seed=9, **parameters)
    )
    for block in np.split(X, [1, 60, 200]):
        expected = [plain.score_one(dict(zip(NAMES, row, strict=True))) for row in block.tolist()]
        assert detector.score_many(block) == pytest.approx(expected, abs=1e-9)
        detector.learn_many(block)
        for row in block.tolist():
            plain.learn_one(dict(zip(NAMES, row, strict=True)))


@pytest.mark.parametrize("name", ["GaussianScorer", "StandardAbsoluteDeviation"])
def test_models_of_one_number_run_per_feature_and_the_largest_score_counts(name: str) -> None:
    X = make_rows(1, 300, 4, missing=0.1)
    detector = RiverModel(NAMES, Params(model=name))
    plain = [getattr(anomaly, name)() for _ in NAMES]
    detector.learn_many(X)
    for row in X.tolist():
        for model, value in zip(plain, row, strict=True):
            if value == value:
                model.learn_one(None, value)
    Y = make_rows(2, 30, 4, missing=0.1)
    expected = [
        max(model.score_one(None, v) for model, v in zip(plain, row, strict=True) if v == v)
        for row in Y.tolist()
    ]
    assert detector.score_many(Y).tolist() == expected


def test_a_first_row_with_gaps_still_names_all_features() -> None:
    X = make_rows(1, 300, 4)
    X[0] = np.nan
    params = Params(parameters={"window_size": 50, "n_trees": 20})
    detector = RiverModel(NAMES, params, seed=1)
    detector.learn_many(X)
    for feature in range(4):
        odd = np.zeros((1, 4), np.float32)
        odd[0, feature] = 9
        usual = detector.score_many(np.zeros((1, 4), np.float32))
        assert detector.score_many(odd)[0] > usual[0], feature


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"model": "LocalOutlierFactor"}, r"can't be kept.*HalfSpaceTrees, LODA"),
        ({"model": "HalfSpaceTrees", "parameters": {"trees": 5}}, r"n_trees, height.*'trees'"),
        ({"model": "HalfSpaceTrees", "parameters": {"height": 2.5}}, "count, not 2.5"),
        ({"model": "HalfSpaceTrees", "parameters": {"height": 0}}, "count, not 0"),
        ({"model": "HalfSpaceTrees", "parameters": {"height": 16}}, "above 15"),
        ({"model": "StandardAbsoluteDeviation", "parameters": {"x": 5}}, "takes none"),
    ],
)
def test_what_cannot_be_built_or_kept_is_named(content: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Params.model_validate(content)
