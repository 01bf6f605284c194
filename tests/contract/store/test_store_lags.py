"""How far partitions are behind their log."""

from __future__ import annotations

from tests.support.cases import AT, STREAM, Desk
from triage.lag import Lag, LagState, PartitionLag, state_of
from triage.store.base import Store


def test_each_partition_has_what_was_told_last(store: Store) -> None:
    Desk(store, partitions=2)
    Desk(store, "other")
    assert store.lags(STREAM) == [PartitionLag(STREAM, 0, None), PartitionLag(STREAM, 1, None)]
    store.tell_lags(STREAM, [])
    store.tell_lags(STREAM, [Lag(0, 500, 12.5, AT), Lag(1, 0, 0.0, AT)])
    store.tell_lags(STREAM, [Lag(1, 7, None, AT + 5)])
    assert store.lags(STREAM) == [
        PartitionLag(STREAM, 0, Lag(0, 500, 12.5, AT)),
        PartitionLag(STREAM, 1, Lag(1, 7, None, AT + 5)),
    ]
    assert [(one.stream, one.partition) for one in store.lags()] == [
        ("other", 0),
        (STREAM, 0),
        (STREAM, 1),
    ]
    assert store.lags("nowhere") == []


def lag(records: int, seconds: float | None, at: float = AT) -> PartitionLag:
    return PartitionLag(STREAM, 0, Lag(0, records, seconds, at))


def test_what_nobody_tells_is_unknown() -> None:
    fine, late = lag(0, 0.0), lag(90, 60.0)
    assert lag(90, 2.0).state(AT) is LagState.CAUGHT_UP, "on their way"
    assert lag(90, None).state(AT) is LagState.BEHIND
    assert fine.state(AT + 30) is LagState.CAUGHT_UP
    assert fine.state(AT + 31) is LagState.UNKNOWN
    assert state_of([fine, late], AT) is LagState.BEHIND
    assert state_of([late, PartitionLag(STREAM, 1, None)], AT) is LagState.UNKNOWN
    assert state_of([], AT) is LagState.UNKNOWN
