from __future__ import annotations

import json
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cases import a_reason
from triage.aggregates import ReasonSums

finite = st.floats(-100, 100)


@given(st.lists(st.tuples(finite, finite), min_size=1, max_size=12), st.integers(0, 12))
def test_sums_in_parts_are_sums_of_all(rows: list[tuple[float, float]], cut: int) -> None:
    """Growing a stored cluster gives what one look at all members would."""
    parts = ReasonSums()
    for place, (amount, hour) in enumerate(rows):
        if place == cut:
            parts = ReasonSums.load(json.loads(json.dumps(parts.dump())))
        parts.add((a_reason("amount", amount), a_reason("hour", hour)), float(place))
    by_name = {reason.feature: reason for reason in parts.reasons()}
    for name, column in (("amount", 0), ("hour", 1)):
        values = [row[column] for row in rows]
        reason = by_name[name]
        assert reason.mean == pytest.approx(statistics.fmean(values), abs=1e-9)
        spread = statistics.pstdev(values)
        assert reason.high - reason.mean == pytest.approx(spread, abs=1e-4)
        assert reason.mean - reason.low == pytest.approx(spread, abs=1e-4)


def test_the_texts_are_the_strongest_members() -> None:
    sums = ReasonSums()
    for score, text in ((1.0, "weak"), (3.0, "strong"), (2.0, "middle")):
        sums.add((a_reason("amount", 1.0, text=text, usual=f"usual of {text}"),), score)
    (reason,) = sums.reasons()
    assert (reason.text, reason.usual) == ("strong", "usual of strong")


def test_ranked_by_size_whatever_the_sign() -> None:
    sums = ReasonSums()
    sums.add(tuple(a_reason(name, c) for name, c in (("a", 0.1), ("b", -3.0), ("c", 2.0))), 1.0)
    assert [reason.feature for reason in sums.reasons()] == ["b", "c", "a"]
    assert sums.top(2) == (("b", -3.0), ("c", 2.0))


@pytest.mark.parametrize(
    ("contributions", "signature"),
    [
        ({"b": 2.0, "a": 1.0}, "+a|+b"),
        ({"a": 2.0, "b": 1.0}, "+a|+b"),  # which of them is larger says little
        ({"a": 2.0, "b": -1.0}, "+a|-b"),
        ({"a": 2.0, "b": 0.1}, "+a"),  # too small to matter
        ({"a": 4.0, "b": 3.0, "c": 2.0, "d": 1.9}, "+a|+b|+c"),
        ({"a": 0.0}, ""),
        ({}, ""),
    ],
)
def test_signatures(contributions: dict[str, float], signature: str) -> None:
    sums = ReasonSums()
    sums.add(tuple(a_reason(name, c) for name, c in contributions.items()), 1.0)
    assert sums.signature() == signature
