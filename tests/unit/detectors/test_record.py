from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from detectors.base import Snapshot, SnapshotError
from detectors.features import record as module
from detectors.features.base import Truths
from detectors.features.record import Record

DAY = 86_400.0


def record(**params: Any) -> Record:
    return Record(Record.Params.model_validate({"kind": "record", "entity": "shop", **params}))


def truths(*known: tuple[str, float, float], weight: float = 1.0) -> Truths:
    """Return what is known: entity, day, 1 for real or 0."""
    return Truths(
        entities=[{"shop": shop} for shop, _, _ in known],
        times=[day * DAY for _, day, _ in known],
        real=[weight * y for _, _, y in known],
        told=[weight] * len(known),
    )


def shares(
    feature: Record, days: Sequence[float], shops: Sequence[str | None]
) -> list[list[float]]:
    X = feature.extract({"shop": shops}, np.array(days) * DAY)
    return [[round(value, 3) for value in row] for row in X.tolist()]


def test_a_share_is_of_what_is_known_and_shrunk_for_small_numbers() -> None:
    feature = record(over=["1d", "7d"])
    feature.set_truths(truths(("a", 9.5, 1), ("a", 9.0, 0), ("a", 4.0, 1), ("b", 9.9, 0)))
    assert shares(feature, [9.9], ["a"]) == [[pytest.approx(1 / 3, abs=1e-3), 0.5]]
    assert shares(feature, [10.2, 10.2], ["b", "c"]) == [[0.0, 0.0], [0.0, 0.0]]
    assert shares(record(over=["1d"], shrink=9), [1], ["a"]) == [[0.0]]


def test_windows_forget() -> None:
    feature = record(over=["1d", "7d"], shrink=1)
    feature.set_truths(truths(("a", 10.0, 1)))
    assert shares(feature, [10.5, 11.0, 12.0, 17.0], ["a"] * 4) == [
        [0.5, 0.5],
        [0.0, 0.5],
        [0.0, 0.5],
        [0.0, 0.0],
    ]


def test_what_was_taken_back_leaves_no_trace() -> None:
    feature = record()
    before = feature.snapshot()
    feature.set_truths(truths(("a", 1.0, 1)))
    assert shares(feature, [], []) == []
    feature.set_truths(truths())
    after = feature.snapshot()
    assert after.meta == before.meta
    assert {k: v.tobytes() for k, v in after.arrays.items()} == {
        k: v.tobytes() for k, v in before.arrays.items()
    }


def test_a_weak_label_says_less() -> None:
    feature = record(over=["7d"])
    feature.set_truths(truths(("a", 1.0, 1), weight=0.25))
    assert shares(feature, [2.0], ["a"]) == [[0.2]]


def test_silence_speaks_only_after_its_time() -> None:
    feature = record(over=["2d"], silence="7d")
    shares(feature, [0.0, 1.0, 2.0, 6.0], ["a"] * 4)
    feature.set_truths(truths(("a", 2.0, 1)))  # a verdict: known before the silence is over
    assert shares(feature, [6.5], ["a"]) == [[0.5]]  # one told, none silent for 7 days
    assert shares(feature, [7.5], ["a"]) == [[pytest.approx(1 / 3, abs=1e-3)]]  # and that of day 0
    # days 1 and 2 are in the window, the one silent, the other told
    assert shares(feature, [9.9], ["a"]) == [[pytest.approx(1 / 3, abs=1e-3)]]


def test_an_event_that_was_told_is_not_counted_as_silent_as_well() -> None:
    feature = record(over=["30d"], silence="1d")
    shares(feature, [0.0, 0.1, 0.2], ["a"] * 3)
    feature.set_truths(truths(("a", 0.0, 1), ("a", 0.1, 0)))
    assert shares(feature, [5.0], ["a"]) == [[0.25]]


def test_truths_of_other_partitions_count_without_their_silent_events() -> None:
    feature = record(over=["30d"], silence="1d")
    feature.set_truths(truths(("a", 0.0, 1), ("a", 0.1, 1)))
    assert shares(feature, [5.0], ["a"]) == [[pytest.approx(2 / 3, abs=1e-3)]]


def test_an_entity_that_is_missing_has_no_record() -> None:
    feature = record(over=["1d"])
    (row,) = shares(feature, [1.0], [None])
    assert math.isnan(row[0])
    assert feature.show(row, {}) == "missing"


def test_truths_of_other_entities_and_without_a_time_are_left_out() -> None:
    feature = record(over=["1d"])
    known = Truths([{"host": "a"}, {"shop": "a"}], [1.0, math.nan], [1.0, 1.0], [1.0, 1.0])
    feature.set_truths(known)
    assert shares(feature, [0.0], ["a"]) == [[0.0]]


def test_the_newest_truths_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TRUTHS", 2)
    feature = record(over=["30d"])
    feature.set_truths(truths(("a", 3.0, 1), ("b", 1.0, 1), ("c", 2.0, 1)))
    assert shares(feature, [4.0] * 3, ["a", "b", "c"]) == [[0.5], [0.0], [0.5]]


def test_long_names_are_known_again() -> None:
    feature = record(over=["30d"])
    feature.set_truths(truths(("x" * 500, 1.0, 1)))
    assert shares(feature, [2.0, 2.0], ["x" * 500, "x" * 499]) == [[0.5], [0.0]]


def test_a_snapshot_holds_truths_and_silent_events() -> None:
    one, other = record(silence="1d"), record(silence="1d")
    one.set_truths(truths(("a", 0.5, 1), ("b", 0.5, 0)))
    shares(one, [0.5, 0.6, 0.7, 1.0], ["a", "a", "b", "a"])
    other.set_truths(truths(("z", 9.0, 1)))
    other.restore(one.snapshot())
    later = ([2.0, 2.5, 3.0], ["a", "b", "a"])
    assert shares(other, *later) == shares(one, *later)
    damaged = one.snapshot()
    with pytest.raises(SnapshotError, match="damaged"):
        other.restore(Snapshot(damaged.meta, {**damaged.arrays, "real": np.zeros(9)}))


def test_what_people_read() -> None:
    feature = record(over=["1d", "30d"])
    assert feature.label == "record of shop"
    assert feature.names == ("record_of_shop_1d", "record_of_shop_30d")
    assert feature.show([0.0, 0.125], {}) == "12 % found real in 30 d"
    assert feature.show([0.0, 0.0], {}) == "nothing found"
    assert feature.usual([0.0, 0.0], [0.0, 0.05]) == "0–5 %"


@pytest.mark.parametrize(
    "wrong", [{"over": []}, {"over": ["7d", "1d"]}, {"over": ["1 x"]}, {"silence": "soon"}]
)
def test_parameters_are_checked(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        record(**wrong)
