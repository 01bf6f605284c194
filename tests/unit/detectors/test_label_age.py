from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.base import Snapshot, SnapshotError
from detectors.learning.label_age import LabelAge
from detectors.learning.label_model import Labels

DAY = 86_400.0


def labels(*times: float) -> Labels:
    count = len(times)
    X = np.zeros((count, 1), np.float32)
    return Labels(
        [str(i) for i in range(count)], X, np.ones(count), np.ones(count), np.array(times)
    )


def weights(age: LabelAge, given: Labels) -> list[float]:
    left: list[float] = age.aged(given).weight.tolist()
    return left


def block(age: LabelAge, *times: float) -> None:
    age.note(np.array(times))
    age.end_block()


def test_a_label_counts_half_after_its_half_life() -> None:
    age = LabelAge("10d")
    old = labels(0.0, 10 * DAY, 20 * DAY, 99 * DAY)
    assert weights(age, old) == [1, 1, 1, 1]
    block(age, 20 * DAY)
    assert weights(age, old) == [0.25, 0.5, 1, 1]


def test_a_wrong_clock_ages_nothing_and_no_label_vanishes() -> None:
    age = LabelAge("1d")
    block(age, 0.0, 0.0, 1e12)
    assert weights(age, labels(0.0)) == [1]
    block(age, 1e12)
    assert 0 < weights(age, labels(0.0))[0] < 1e-9


def test_without_a_half_life_or_times_labels_are_as_they_are() -> None:
    never, age = LabelAge(None), LabelAge("1s")
    for one in (never, age):
        block(one, 9 * DAY)
    some = labels(0.0)
    assert never.aged(some) is some
    timeless = Labels(some.ids, some.X, some.y, some.weight)
    assert age.aged(timeless) is timeless


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=9), st.integers(0, 9))
def test_it_is_the_same_however_its_times_come_and_over_a_restart(
    times: list[float], cut: int
) -> None:
    whole, parts = LabelAge("1h"), LabelAge("1h")
    block(whole, *times)
    parts.note(np.array(times[:cut]))
    restored = LabelAge("1h")
    restored.restore(parts.snapshot())
    block(restored, *times[cut:])
    given_labels = labels(0.0, 1e6)
    assert weights(whole, given_labels) == weights(restored, given_labels)


def test_a_damaged_snapshot_is_refused() -> None:
    for damaged in (Snapshot({"now": 1.0}, {}), Snapshot({"now": "x"}, {"times": np.zeros(2)})):
        with pytest.raises(SnapshotError, match="age of labels"):
            LabelAge("1h").restore(damaged)
