from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.event_time import (
    END_OF_TIME,
    is_within_time,
    seconds_of,
    seconds_of_numbers,
)

THOUSANDTH = END_OF_TIME / 1_000  # the 26th of March 1970
NUMBERS = st.floats(allow_nan=True, allow_infinity=True) | st.floats(0, 1e19)


@given(st.lists(NUMBERS, max_size=5))
def test_many_numbers_are_read_as_one_by_one(numbers: list[float]) -> None:
    many = seconds_of_numbers(np.array(numbers, np.float64))
    np.testing.assert_array_equal(many, [seconds_of(number) for number in numbers])


@given(st.floats(THOUSANDTH, END_OF_TIME - 1), st.sampled_from([1e3, 1e6, 1e9]))
def test_a_time_in_a_finer_unit_is_that_time(seconds: float, unit: float) -> None:
    assert seconds_of(seconds * unit) == pytest.approx(seconds, abs=1e-5)


@given(NUMBERS.filter(lambda number: not np.isnan(number)))
def test_only_what_is_no_time_in_any_unit_is_out_of_range(number: float) -> None:
    found = seconds_of(number)
    assert found is not None
    assert is_within_time(found) == (0 <= number < END_OF_TIME * 1e9)


def test_a_text_without_a_zone_is_utc() -> None:
    aware = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    assert seconds_of(aware.replace(tzinfo=None)) == seconds_of(aware) == aware.timestamp()
    assert seconds_of(None) is None
