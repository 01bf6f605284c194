"""Duplicates within the horizon, and only there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streaming.recent_ids import RecentIds


def test_a_duplicate_within_the_horizon_is_found_and_forgotten_beyond_it() -> None:
    ids = RecentIds(horizon=2)
    assert [ids.is_new(i) for i in ["a", "a", "b", "c", "a"]] == [True, False, True, True, True]


@given(st.lists(st.text(max_size=3), max_size=40), st.integers(0, 40), st.integers(1, 5))
def test_a_restored_copy_answers_as_the_original(ids: list[str], cut: int, horizon: int) -> None:
    original, copy = RecentIds(horizon), RecentIds(horizon)
    for event_id in ids[:cut]:
        original.is_new(event_id)
    copy.restore(original.snapshot())
    assert [original.is_new(i) for i in ids[cut:]] == [copy.is_new(i) for i in ids[cut:]]
