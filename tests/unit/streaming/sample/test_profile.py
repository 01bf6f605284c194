"""What the fields of a sample are taken for."""

from __future__ import annotations

import math

import numpy as np
import pytest

from streaming.sample.profile import profile_of, rhythm
from tests.unit.streaming.sample.drawn import column, sample_of

DAY = 86_400


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2.5, None], "number"),
        ([True, False], "boolean"),
        (["a", None], "string"),
        (["a", 7], "string"),
        (["2026-03-02T10:00:00Z", "2026-03-02 10:00:00"], "time"),
        (["2026-03-02T10:00:00Z", "soon"], "string"),
        ([1_700_000_000, 1_700_000_100], "number"),
    ],
)
def test_the_type_is_one_that_takes_every_value(values: list[object], kind: str) -> None:
    assert profile_of(column(*values)).fields["x"].kind == kind


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([None, None], "is never filled"),
        ([{"a": 1}], "holds lists, or objects"),
        ([[1]], "holds lists, or objects"),
        ([True, 1], "holds values of several types"),
        (["a", 1.5], "holds values of several types"),
        (["a" * 9_000], "holds texts of more than 8,192 characters"),
    ],
)
def test_what_no_type_takes_is_unusable(values: list[object], why: str) -> None:
    own = profile_of(column(*values)).fields["x"]
    assert own.kind == "unusable"
    assert own.why.startswith(why)


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("event_time", 1_700_000_000, "time"),
        ("ts", 1_700_000_000.5, "time"),
        ("createdAt", 1_700_000_000, "time"),
        ("created_at", 1_700_000_000_000, "time"),
        ("amount", 1_700_000_000, "number"),
        ("ts", 17_000_000_000, "number"),
        ("count", 10**400, "unusable"),
        ("time", 12, "number"),
    ],
)
def test_a_number_is_a_time_where_its_name_and_size_say_so(
    name: str, value: float, kind: str
) -> None:
    assert profile_of(sample_of([{name: value}])).fields[name].kind == kind


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "2.5", None], "number"),
        (["true", "false"], "boolean"),
        (["2026-03-02", "2026-03-02 10:00"], "time"),
        (["01234", "5"], "string"),
        (["1", "x"], "string"),
    ],
)
def test_cells_of_a_table_are_what_all_of_them_look_like(cells: list[object], kind: str) -> None:
    sample = sample_of([{"x": cell} for cell in cells], cells=True)
    assert profile_of(sample).fields["x"].kind == kind


def test_gaps_ranges_and_commonest_values_are_counted() -> None:
    sample = sample_of([{"n": i, "t": "ab"[i % 4 == 3]} for i in range(8)], [{"t": None}, {}])
    fields = profile_of(sample).fields
    number, text = fields["n"], fields["t"]
    assert (number.low, number.middle, number.high) == (0, 3.5, 7)
    assert math.isclose(number.missing, 0.2)
    assert (number.count, number.distinct, number.rising) == (8, 8, True)
    assert text.common == [("a", 0.6), ("b", 0.2)]
    assert text.per_value == 4


def test_the_rhythm_of_the_day_is_the_rate_and_not_the_number_drawn() -> None:
    def day(number: int, busy: int) -> list[float]:
        """Return times: one each ten minutes, at ``busy`` o'clock one each minute."""
        minutes = (minute for minute in range(24 * 60) if minute % 10 == 0 or minute // 60 == busy)
        return [number * DAY + minute * 60.0 for minute in minutes]

    flat = [[{"at": t} for t in day(number, -1)] for number in range(5)]
    busy = [[{"at": t} for t in day(number, 9)] for number in range(5)]
    # A stretch that is drawn from the night only makes the night no busier.
    night = [{"at": 5 * DAY + i * 600.0} for i in range(30)]
    for stretches, times, hour in ((flat, 1, None), ([*busy, night], 9, 9)):
        sample = sample_of(*stretches)
        values = [event["at"] for event in sample.events()]
        found, at = rhythm(sample, np.array(values))
        assert round(found) == times
        assert hour in (None, at)
    assert rhythm(sample_of(flat[0]), np.array([e["at"] for e in flat[0]])) == (0, 0)
