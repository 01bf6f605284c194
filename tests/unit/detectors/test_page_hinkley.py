from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.base import SnapshotError
from detectors.page_hinkley import PageHinkley

VALUES = st.lists(st.floats(-10, 10), max_size=30)


def test_a_rise_is_told_once_and_a_fall_never() -> None:
    rng = np.random.default_rng(1)
    test = PageHinkley(0.1, 1.0)
    level = [0.0] * 50 + [0.8] * 50 + [-3.0] * 50
    told = [test.add(x + 0.05 * y) for x, y in zip(level, rng.normal(size=150), strict=True)]
    (place,) = np.flatnonzero(told)
    assert 50 <= place < 55


def test_slow_rises_add_up() -> None:
    test = PageHinkley(0.001, 1.0)
    assert any(test.add(0.01 * i) for i in range(100))
    assert not any(PageHinkley(1.0, 1.0).add(0.01 * i) for i in range(100))


@given(VALUES, VALUES)
def test_a_restored_one_goes_on_as_if_nothing_had_been(
    before: list[float], after: list[float]
) -> None:
    one, other = PageHinkley(0.1, 3.0), PageHinkley(0.1, 3.0)
    for value in before:
        one.add(value)
    other.load(one.state())
    assert [one.add(value) for value in after] == [other.add(value) for value in after]
    assert one.state() == other.state()


@pytest.mark.parametrize("damaged", [None, [1.0], ["a", 0, 0, 0]])
def test_a_damaged_state_is_refused(damaged: object) -> None:
    with pytest.raises(SnapshotError, match="test for drift"):
        PageHinkley(0.1, 1.0).load(damaged)
