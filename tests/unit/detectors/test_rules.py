from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from detectors.online.rules import HIT, Condition, Rule, Rules
from detectors.registry import DetectorSpec, build

ROWS = np.array([[0.0, 0.0], [5.0, 0.0], [5.0, 5.0], [np.nan, 5.0]], np.float32)


def rule(name: str = "high", **given: Any) -> Rule:
    filled: dict[str, Any] = {
        "when": [Condition(feature="x", at_least=4.0)],
        "precision": 0.9,
        "expires_after": 100,
        "shadow": False,
        **given,
    }
    return Rule(name=name, **filled)


def taught(*rules: Rule, rows: int = 10) -> Rules:
    made = Rules(["x", "y"], Rules.Params(rules=list(rules)))
    made.learn_many(np.zeros((rows, 2), np.float32))
    return made


def test_a_row_scores_by_the_best_rule_that_it_meets() -> None:
    both = rule(
        "both",
        when=[Condition(feature="x", at_least=4.0), Condition(feature="y", at_least=4.0)],
        precision=1.0,
    )
    assert taught(rule(), both).score_many(ROWS).tolist() == [0.0, HIT * 0.9, HIT, 0.0]


def test_limits_are_included_and_a_missing_value_is_within_none() -> None:
    between = rule(when=[Condition(feature="x", at_least=5.0, at_most=5.0)])
    assert taught(between).score_many(ROWS).tolist() == [0.0, HIT * 0.9, HIT * 0.9, 0.0]


def test_in_shadow_it_only_counts() -> None:
    made = taught(rule(shadow=True))
    assert not made.score_many(ROWS).any()
    made.learn_many(ROWS)
    assert made.hits == [2]


def test_after_its_events_it_has_expired_and_only_counts() -> None:
    made = taught(rule(expires_after=10))
    assert made.score_many(ROWS).any()
    made.learn_many(ROWS)
    assert not made.score_many(ROWS).any()
    made.learn_many(ROWS)
    assert made.hits == [4]


def test_explanations_name_the_rule_and_share_its_score() -> None:
    both = rule(
        "both", when=[Condition(feature="x", at_least=4.0), Condition(feature="y", at_least=4.0)]
    )
    found = taught(both).explain_many(ROWS)
    assert found.values[2].tolist() == [HIT * 0.45, HIT * 0.45]
    assert [found.explained_by(row) for row in (1, 2)] == ["rules", "rules; rule both"]


def test_beside_a_forest_it_lifts_the_score_and_is_named() -> None:
    rng = np.random.default_rng(0)
    specs = [
        DetectorSpec("isolation_forest"),
        DetectorSpec(
            "rules",
            Rules.Params(
                rules=[
                    rule(
                        when=[Condition(feature="x", at_least=1.0, at_most=1.1)], expires_after=1000
                    )
                ]
            ),
        ),
    ]
    detector = build(specs, ["x", "y"], seed=1)
    detector.learn_many(rng.normal(size=(500, 2)).astype(np.float32))
    rows = np.array([[0.9, 0.0], [1.05, 0.0]], np.float32)
    plain, hit = detector.score_many(rows)
    assert hit > plain + 3.0
    found = detector.explain_many(rows)
    assert found.explained_by(0) == "TreeSHAP + rules"
    assert found.explained_by(1) == "TreeSHAP + rules; rule high"
    np.testing.assert_allclose(found.base + found.values.sum(axis=1), detector.score_many(rows))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"when": []}, "at least 1 item"),
        ({"when": [{"feature": "x"}]}, "give at_least, at_most or both"),
        ({"when": [{"feature": "x", "at_least": 2.0, "at_most": 1.0}]}, "must not exceed"),
        ({"when": [{"feature": "x", "at_least": float("nan")}]}, "finite"),
        ({"when": [{"feature": "x", "at_least": 1.0}] * 2}, "name each feature once"),
        ({"precision": 1.5}, "less than or equal to 1"),
        ({"expires_after": 0}, "greater than or equal to 1"),
        ({"name": "No Spaces"}, "match pattern"),
    ],
)
def test_wrong_rules_are_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Rule.model_validate({**rule().model_dump(), **wrong})


def test_expiry_can_not_be_left_out_and_names_differ() -> None:
    with pytest.raises(ValidationError, match="expires_after"):
        Rule.model_validate(rule().model_dump(exclude={"expires_after"}))
    with pytest.raises(ValidationError, match="two rules are called high"):
        Rules.Params(rules=[rule(), rule()])
