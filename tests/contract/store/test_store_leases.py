"""Leases: one holder, epochs that rise."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.support.cases import AT
from triage.store.base import Store


def test_one_holder_at_a_time(store: Store) -> None:
    assert store.acquire_lease("relay", "a", AT, 10) == 1
    assert store.acquire_lease("relay", "b", AT + 5, 10) is None
    assert store.acquire_lease("grouper", "b", AT + 5, 10) == 1


def test_renewing_keeps_the_epoch(store: Store) -> None:
    assert store.acquire_lease("relay", "a", AT, 10) == 1
    assert store.acquire_lease("relay", "a", AT + 9, 10) == 1
    assert store.acquire_lease("relay", "b", AT + 18, 10) is None
    assert store.acquire_lease("relay", "b", AT + 19, 10) == 2
    assert store.acquire_lease("relay", "a", AT + 20, 10) is None


def test_whoever_comes_back_too_late_has_a_new_epoch(store: Store) -> None:
    assert store.acquire_lease("relay", "a", AT, 10) == 1
    assert store.acquire_lease("relay", "a", AT + 10, 10) == 2


def test_a_race_has_one_winner(store: Store) -> None:
    def take(holder: str) -> int | None:
        return store.acquire_lease("relay", holder, AT, 10)

    with ThreadPoolExecutor(4) as pool:
        epochs = list(pool.map(take, "abcd"))
    assert sorted(epoch or 0 for epoch in epochs) == [0, 0, 0, 1]
