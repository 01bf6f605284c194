from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.evaluate.span import Moment, Span, parse_span


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("1000", Span(1000)),
        (" 5 ", Span(5)),
        ("0", Span(0)),
        ("1d", Span(86_400.0, in_time=True)),
        ("30m", Span(1_800.0, in_time=True)),
    ],
)
def test_numbers_are_events_and_durations_event_time(text: str, span: Span) -> None:
    assert parse_span(text) == span


@pytest.mark.parametrize("text", ["", "often", "1y", "-5", "1.5"])
def test_anything_else_names_the_form(text: str) -> None:
    with pytest.raises(ValueError, match="like 1000, nor a duration, like 1d"):
        parse_span(text)


@given(
    st.floats(0.5, 1e6), st.floats(0, 1e6), st.floats(0, 1e8), st.booleans(), st.integers(0, 10**6)
)
def test_the_next_place_is_ahead_and_not_a_span_too_far(
    size: float, first: float, time: float, in_time: bool, count: int
) -> None:
    span, now = Span(size, in_time), Moment(count, time)
    here = time if in_time else count
    place = span.next(first, now)
    assert not span.reached(place, now) or place == pytest.approx(here, rel=1e-9)
    assert place <= max(here, first) + size * (1 + 1e-6) or place == first


def test_a_place_is_reached_when_the_stream_stands_there() -> None:
    start = Moment(10, 50.0)
    assert Span(5).after(start) == 15
    assert not Span(5).reached(15, Moment(14, 1e9))
    assert Span(5).reached(15, Moment(15, 0.0))
    assert Span(5.0, in_time=True).after(start) == 55.0
    assert Span(5.0, in_time=True).reached(55.0, Moment(0, 55.0))
