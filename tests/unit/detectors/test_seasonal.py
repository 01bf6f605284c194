"""Ordinary things at the wrong hour stand out, and only these."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.base import Snapshot, SnapshotError, Vector
from detectors.features.registry import build
from detectors.features.seasonal import Seasonal

HOUR, DAY = 3_600.0, 86_400.0
MONDAY = 1_700_438_400.0  # 2023-11-20, midnight UTC


def seasonal(**given: object) -> Seasonal:
    feature = build(Seasonal.Params.model_validate({"kind": "seasonal", **given}))
    assert isinstance(feature, Seasonal)
    return feature


def shifts(days: int, first: int, last: int, each: int = 2) -> Vector:
    """Return times on so many days, evenly from one hour to another."""
    hours = np.repeat(np.arange(first, last), each) + np.tile(np.arange(each) / each, last - first)
    return MONDAY + np.concatenate([day * DAY + hours * HOUR for day in range(days)])


def acted(feature: Seasonal, times: Vector, user: str) -> Vector:
    users = [user] * len(times)
    return feature.extract({"user": users}, times)[:, 0].astype(np.float64)


def test_each_entity_has_its_own_hours() -> None:
    feature = seasonal(entity="user", period="hour_of_day")
    day, night = shifts(28, 9, 17), shifts(28, 0, 6)
    for start in range(0, len(day), 16):
        acted(feature, day[start : start + 16], "ann")
        acted(feature, night[start * 6 // 8 : start * 6 // 8 + 12], "bob")
    three, ten = np.array([MONDAY + 28 * DAY + 3 * HOUR]), np.array([MONDAY + 28 * DAY + 10 * HOUR])
    assert acted(feature, three, "ann")[0] > acted(feature, ten, "ann")[0] + 2.0
    assert acted(feature, ten, "bob")[0] > acted(feature, three, "bob")[0] + 2.0


def test_who_is_new_is_judged_by_everybodys_hours() -> None:
    feature = seasonal(entity="user", period="hour_of_day")
    acted(feature, shifts(28, 9, 17), "ann")
    night = np.array([MONDAY + 28 * DAY + 3 * HOUR])
    assert acted(feature, night, "eve")[0] > 2.0
    assert acted(feature, night + 8 * HOUR, "kim")[0] < 0.0
    assert feature.show([2.0], {}) == "1 in 180 at this hour"
    assert feature.usual([-1.0], [2.0]) == "11 % to 1 in 180"


def loads(feature: Seasonal, times: Vector, values: Vector) -> Vector:
    return feature.extract({"load": values}, times)[:, 0].astype(np.float64)


def rhythm(times: Vector, seed: int = 0) -> Vector:
    noise = np.random.default_rng(seed).normal(0.0, 1.0, len(times))
    return 100.0 + 40.0 * np.sin(2 * np.pi * times / DAY) + noise


def test_a_value_is_judged_by_its_hour() -> None:
    feature = seasonal(field="load", period="hour_of_day", unit="%")
    times = MONDAY + np.arange(0, 30 * DAY, HOUR)
    found = loads(feature, times, rhythm(times))
    assert np.abs(found[-200:]).mean() < 2.0
    low, high = 30 * DAY + 18 * HOUR, 30 * DAY + 6 * HOUR  # where it is 60, and 140
    assert loads(feature, np.array([MONDAY + low]), np.array([140.0]))[0] > 6.0
    assert abs(loads(feature, np.array([MONDAY + high]), np.array([140.0]))[0]) < 4.0
    assert feature.show([9.26], {"load": 140.0}) == "140 %, 9.3 deviations above its hour's"
    assert feature.show([-2.0], {}) == "2.0 deviations below its hour's"


def test_an_entitys_level_is_its_own() -> None:
    feature = seasonal(field="load", entity="host", period="hour_of_day")
    times = np.repeat(MONDAY + np.arange(0, 40 * DAY, HOUR), 2)
    values = rhythm(times)
    values[1::2] += 500.0
    hosts = ["small", "large"] * (len(times) // 2)
    found = feature.extract({"load": values, "host": hosts}, times)[:, 0]
    assert np.abs(found[-100:]).mean() < 2.0
    late = np.full(2, times[-1] + HOUR)
    swapped = feature.extract({"load": values[:2][::-1], "host": hosts[:2]}, late)[:, 0]
    assert swapped[0] > 8.0 > -8.0 > swapped[1]


def test_one_strange_value_widens_nothing_and_a_change_becomes_usual() -> None:
    feature = seasonal(field="load", period="hour_of_day", half_life="3d")
    times = MONDAY + np.arange(0, 20 * DAY, HOUR)
    values = rhythm(times)
    values[300] = 1e30
    found = loads(feature, times, values)
    assert np.abs(found[301:]).max() < 8.0
    later = times + 20 * DAY
    moved = loads(feature, later, rhythm(later) + 200.0)
    assert moved[0] > 8.0
    assert np.abs(moved[-24:]).mean() < 2.0


def test_a_time_far_ahead_wipes_nothing_out() -> None:
    feature = seasonal(entity="user", period="hour_of_day")
    acted(feature, shifts(28, 9, 17), "ann")
    acted(feature, np.array([MONDAY + 4_000 * DAY]), "ann")
    times = MONDAY + 28 * DAY + np.array([3.0, 10.0]) * HOUR
    night, day = acted(feature, times, "ann")
    assert night > day + 2.0
    assert np.isnan(acted(feature, np.array([1e300]), "ann")[0])


def test_hours_are_those_of_the_people() -> None:
    feature = seasonal(period="hour_of_day", timezone="America/New_York")
    acted(feature, shifts(28, 14, 22), "ann")  # 9 to 17 there
    winter = MONDAY + 28 * DAY + np.array([15.0, 3.0]) * HOUR
    summer = MONDAY + 200 * DAY + np.array([13.5]) * HOUR  # half past nine, in summer time
    assert acted(feature, winter, "ann")[1] > 2.0 > 0.0 > acted(feature, summer, "ann")[0]


def test_memory_is_bounded_and_the_longest_unseen_is_forgotten() -> None:
    feature = seasonal(entity="user", max_entities=3)
    users = [f"u{number}" for number in range(200)]
    feature.extract({"user": users}, MONDAY + np.arange(200.0))
    arrays = feature.snapshot().arrays
    assert arrays["cells"].shape == (4, 169, 4)
    other = seasonal(entity="user", max_entities=3)
    other.restore(feature.snapshot())
    more = {"user": ["u199", "new", "u198", "u197"]}
    times = MONDAY + np.arange(200.0, 204.0)
    assert other.extract(more, times).tobytes() == feature.extract(more, times).tobytes()


def test_a_damaged_or_foreign_snapshot_is_refused() -> None:
    feature = seasonal(entity="user")
    feature.extract({"user": ["a", "b"]}, MONDAY + np.arange(2.0))
    good = feature.snapshot()
    for name in ("rows", "cells", "clock"):
        arrays = {**good.arrays, name: good.arrays[name][:-1]}
        with pytest.raises(SnapshotError):
            seasonal(entity="user").restore(Snapshot({}, arrays))
    with pytest.raises(SnapshotError):
        seasonal(entity="user", period="hour_of_day").restore(good)
