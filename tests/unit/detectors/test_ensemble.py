from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from detectors.online.deviation import Deviation
from detectors.online.ensemble import HIGHEST, Ensemble
from detectors.online.isolation_forest import IsolationForest
from detectors.online.river_model import RiverModel
from detectors.registry import DetectorSpec, build
from detectors.scale import FixedScale, ScoreScale
from tests.unit.detectors.forests import make_rows

FOREST = IsolationForest.Params(trees=10, subsample=32, window=128)
DEVIATION = RiverModel.Params(model="StandardAbsoluteDeviation")


def test_score_is_the_weighted_mean_of_the_standardised_scores() -> None:
    specs = [
        DetectorSpec("isolation_forest", FOREST, weight=3),
        DetectorSpec("river_model", DEVIATION),
    ]
    ensemble = build(specs, "abc", seed=4)
    alone = [IsolationForest("abc", FOREST, seed=4), RiverModel("abc", DEVIATION, seed=5)]
    # A forest's scale is the same anywhere.
    scales: list[FixedScale | ScoreScale] = [FixedScale(-1.2, 0.15), ScoreScale(5120)]
    for block in np.split(make_rows(1, 500, 3), 5):
        ensemble.learn_many(block)
        for member, scale in zip(alone, scales, strict=True):
            member.learn_many(block)
            scale.learn(member.score_many(block))
    X = make_rows(2, 40, 3)
    z = [s.standardise(m.score_many(X)) for m, s in zip(alone, scales, strict=True)]
    assert ensemble.score_many(X) == pytest.approx(0.75 * z[0] + 0.25 * z[1])


def test_no_member_has_more_say_than_the_limit() -> None:
    ensemble = build(
        [DetectorSpec("isolation_forest", FOREST), DetectorSpec("river_model", DEVIATION)], "abc", 4
    )
    ensemble.learn_many(make_rows(1, 500, 3))
    assert ensemble.score_many(np.full((1, 3), 1e9, np.float32))[0] <= HIGHEST


def test_limited_scores_still_add_up() -> None:
    ensemble = build([DetectorSpec("deviation", Deviation.Params())] * 2, "abc", 4)
    rare = (np.random.default_rng(1).random((500, 3)) < 0.01).astype(np.float32)
    ensemble.learn_many(rare)  # nearly all rows are alike, so the others are far away
    X = np.array([[50, 50, 50], [0, 0, 0], [1, 0, 0]], np.float32)
    found = ensemble.explain_many(X)
    assert found.additive
    assert ensemble.score_many(X)[0] == pytest.approx(HIGHEST)
    assert found.base + found.values.sum(axis=1) == pytest.approx(ensemble.score_many(X), abs=1e-9)


def test_the_forest_of_a_member_is_the_ensembles_and_methods_are_named_together() -> None:
    ensemble = build(
        [DetectorSpec("river_model", DEVIATION), DetectorSpec("isolation_forest", FOREST)], "abc", 4
    )
    assert ensemble.trees is not None
    assert len(ensemble.trees) == 10
    ensemble.learn_many(make_rows(1, 100, 3))
    found = ensemble.explain_many(make_rows(2, 2, 3))
    assert (found.method, found.additive) == ("occlusion + TreeSHAP", False)
    assert build([DetectorSpec("river_model", DEVIATION)] * 2, "abc", 4).trees is None


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([], "at least 1"),
        (
            [{"kind": "forest"}],
            "'forest' is no detector; there are deviation, ensemble, isolation_forest",
        ),
        ([{"kind": "ensemble"}], "can't be a member"),
        ([{"kind": "isolation_forest", "wndow": 5}], "isolation_forest.wndow: Extra inputs"),
        ([{"kind": "isolation_forest", "weight": 0.0}], "greater than 0"),
    ],
)
def test_members_that_cannot_be_built_are_named(
    members: list[dict[str, Any]], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        Ensemble.Params.model_validate({"members": members})
