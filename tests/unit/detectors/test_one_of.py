from __future__ import annotations

import math
from typing import Any

import numpy as np

from detectors.features.one_of import OneOf


def one_of(**params: Any) -> OneOf:
    return OneOf(OneOf.Params(kind="one_of", **params))


def test_one_of_tells_listed_values_from_others_and_from_missing_ones() -> None:
    feature = one_of(field="country", values=["KP", "x" * 500, "7"])
    values: list[str | None] = ["KP", "DE", None, "x" * 500, ""]
    got = feature.extract({"country": values}, np.zeros(5))[:, 0].tolist()
    assert got[:2] == [1, 0]
    assert math.isnan(got[2])
    assert got[3:] == [1, 0]
    codes = feature.extract({"country": np.array([7.0, 8.0, np.nan])}, np.zeros(3))[:, 0]
    np.testing.assert_array_equal(codes, [1, 0, np.nan])


def test_one_of_in_words() -> None:
    feature = one_of(field="code", values=list("abcdefg"))
    assert feature.show([1.0], {"code": "a"}) == "a (listed)"
    assert feature.show([0.0], {"code": 9.0}) == "9 (not listed)"
    assert feature.show([math.nan], {}) == "missing"
    assert feature.usual([0.0], [0.0]) == "not listed"
    assert feature.usual([0.0], [1.0]) == ""
    assert feature.limited(0.5, None) == "in a, b, c, d, e and 2 more"
    assert feature.limited(None, 0.0) == "not in a, b, c, d, e and 2 more"
    assert feature.limited(0.0, 1.0) is None
