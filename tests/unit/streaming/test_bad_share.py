"""A topic of which most can't be used stops the worker; single bad records never do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.bad_share import LOOK_EVERY, BadShare
from streaming.decode import BadRecord
from streaming.errors import Stop
from tests.support.streams import as_records


def bad(count: int, code: str = "wrong_type", field: str = "amount") -> list[BadRecord]:
    return [BadRecord(record, code, field, "") for record in as_records([b"x"]) * count]


@given(st.lists(st.integers(1, 3_000), max_size=30))
def test_a_share_up_to_the_limit_goes_on(batches: list[int]) -> None:
    share = BadShare("events/0", 0.5)
    for size in batches:
        share.add(size, bad(size // 2))


@given(st.lists(st.integers(1, 3_000), min_size=30, max_size=60))
def test_a_larger_one_stops_within_the_records_looked_at(batches: list[int]) -> None:
    share = BadShare("events/0", 0.5)
    seen = 0
    for size in batches:
        seen += size
        if seen >= LOOK_EVERY:
            with pytest.raises(Stop, match=r"over 50%"):
                share.add(size, bad(size))
            return
        share.add(size, bad(size))


def test_the_message_names_place_reasons_and_remedy() -> None:
    share = BadShare("events/3", 0.1)
    share.add(900, bad(100))
    told = r"events/3: 300 of the last 1,100 .* \(200 not_json, 100 wrong_type amount\), over 10%"
    with pytest.raises(Stop, match=told + r".* max_bad_share: 1"):
        share.add(200, bad(200, "not_json", ""))


def test_one_turns_it_off() -> None:
    BadShare("events/0", 1.0).add(5_000, bad(5_000))


def test_few_bad_records_at_the_start_do_not_count_for_ever() -> None:
    share = BadShare("events/0", 0.5)
    share.add(LOOK_EVERY, bad(400))
    for _ in range(10):
        share.add(LOOK_EVERY, bad(450))
