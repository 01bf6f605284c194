from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from triage.policy import Policy


@pytest.mark.parametrize(
    "wrong",
    [
        {"undo_grace": -1.0},
        {"undo_grace": float("nan")},
        {"undo_grace": "8"},
        {"propagation_weight": 1.5},
        {"propagation_limit": -1},
        {"propagation_limit": 2.5},
        {"guidelines": "typo"},
    ],
)
def test_wrong_values_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Policy(**wrong)


def test_it_comes_back_from_the_store() -> None:
    policy = Policy(undo_grace=60.0, guideline="Read three. \u202e")
    assert Policy.model_validate_json(policy.model_dump_json()) == policy
