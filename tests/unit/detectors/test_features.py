from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from detectors.base import ConfigError, SnapshotError
from detectors.features.base import Columns, FeatureParams
from detectors.features.cyclic_time import CyclicTime
from detectors.features.feature_set import FeatureSet
from detectors.features.frequency import Frequency
from detectors.features.log import Log
from detectors.features.number import Number
from detectors.features.registry import build, field_problems
from detectors.features.window import Window


def number(**params: Any) -> Number:
    return Number(Number.Params(kind="number", **params))


def log(**params: Any) -> Log:
    return Log(Log.Params(kind="log", **params))


def frequency(**params: Any) -> Frequency:
    return Frequency(Frequency.Params(kind="frequency", **params))


def cyclic(**params: Any) -> CyclicTime:
    return CyclicTime(CyclicTime.Params(kind="cyclic_time", **params))


def seconds(text: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp()])


def test_a_number_comes_as_it_is_and_infinity_is_missing() -> None:
    X = number(field="v").extract({"v": np.array([1.5, math.inf, math.nan, 1e300])}, np.zeros(4))
    np.testing.assert_array_equal(X[:3, 0], np.array([1.5, math.nan, math.nan], np.float32))
    assert 1e29 < X[3, 0] < math.inf


def test_a_number_is_shown_with_its_unit() -> None:
    feature = number(field="amount", unit="€")
    assert feature.show([412.0], {"amount": 412.0}) == "412.00 €"
    assert feature.usual([20.3], [55.4]) == "20–55 €"
    assert number(field="flag").show([1.0], {"flag": True}) == "yes"
    assert number(field="v").show([math.nan], {}) == "missing"
    assert number(field="v").usual([math.nan], [math.nan]) == ""


def test_a_logarithm_is_shown_as_the_value_it_stands_for() -> None:
    feature = log(field="size", unit="bytes")
    X = feature.extract({"size": np.array([1_234_567.0, -9.0, 0.0])}, np.zeros(3))
    np.testing.assert_allclose(X[:, 0], [math.log1p(1_234_567), -math.log(10), 0.0], rtol=1e-6)
    assert feature.show(X[0].tolist(), {}) == "1.23 MB"
    assert feature.usual([math.log1p(200)], [math.log1p(3e6)]) == "200 B–3 MB"
    assert feature.natural(float(X[1, 0])) == pytest.approx(-9.0, rel=1e-5)


def test_rare_and_unknown_categories_are_high() -> None:
    feature = frequency(field="service")
    X = feature.extract({"service": ["http"] * 998 + ["ftp", "http", "ftp"]}, np.zeros(1001))
    common, rare = float(X[999, 0]), float(X[1000, 0])
    unknown = float(feature.extract({"service": ["gopher"]}, np.zeros(1))[0, 0])
    assert common < 0.01 < 5.0 < rare < unknown
    assert feature.show([math.log(2312.0)], {"service": "ftp"}) == "ftp (1 in 2,300)"
    assert feature.show([common], {"service": "http"}) == "http (100 %)"
    assert feature.show([rare], {}).startswith("missing (1 in ")


def test_a_category_sees_only_what_came_before_it() -> None:
    X = frequency(field="s").extract({"s": ["a", "a", "b"]}, np.zeros(3))
    expected = [math.log(1 / 0.5), math.log(2 / 1.5), math.log(3 / 0.5)]
    np.testing.assert_allclose(X[:, 0], expected, rtol=1e-3)


def test_old_categories_fade() -> None:
    feature = frequency(field="s", half_life=10)
    feature.extract({"s": ["old"] * 500 + ["new"] * 100}, np.zeros(600))
    old, new = feature.extract({"s": ["old", "new"]}, np.zeros(2))[:, 0]
    assert old > 2.0 > 0.5 > new


def test_weights_that_grow_for_ever_stay_finite() -> None:
    feature = frequency(field="s", half_life=1)
    X = feature.extract({"s": ["a", "b"] * 1000}, np.zeros(2000))
    np.testing.assert_allclose(X[100:200], X[1800:1900], rtol=1e-6)


def test_the_number_of_categories_is_bounded() -> None:
    feature = frequency(field="s", max_categories=100)
    feature.extract({"s": ["common"] * 50 + [f"c{i}" for i in range(5_000)]}, np.zeros(5_050))
    assert feature.snapshot().arrays["weights"].size <= 100
    value = feature.extract({"s": ["common"]}, np.zeros(1))[0, 0]
    assert value == pytest.approx(math.log(5_051 / 50.5), rel=0.05)  # the rarest went, not this one


def test_midnight_is_next_to_a_minute_before() -> None:
    feature = cyclic()
    late, early, noon = (
        feature.extract({}, seconds(f"2026-03-02T{clock}"))[0]
        for clock in ("23:59", "00:00", "12:00")
    )
    assert np.linalg.norm(late - early) < 0.01 < 1.9 < np.linalg.norm(noon - early)


@pytest.mark.parametrize(
    ("period", "timezone", "text"),
    [
        ("hour_of_day", "UTC", "02:14"),
        ("hour_of_day", "Europe/Paris", "04:14"),
        ("day_of_week", "UTC", "Tue"),
        ("hour_of_week", "America/New_York", "Mon 22:14"),
    ],
)
def test_time_is_shown_as_local_clock(period: str, timezone: str, text: str) -> None:
    feature = cyclic(period=period, timezone=timezone)
    X = feature.extract({}, seconds("2026-06-02T02:14"))
    assert feature.show(X[0].tolist(), {}) == text


def test_usual_time_is_an_arc() -> None:
    feature = cyclic()
    for start, hours, first, last in ((8, 11, 8, 19), (22, 7, 22, 5)):
        times = seconds("2026-03-02T00:00") + (start + np.linspace(0, hours, 200)) * 3600
        usual = feature.usual(*np.quantile(feature.extract({}, times), [0.05, 0.95], axis=0))
        low, high = (int(clock[:2]) for clock in usual.split("–"))
        assert (low - first) % 24 <= 2, usual
        assert (last - high) % 24 <= 2, usual
    everywhere = seconds("2026-03-02T00:00") + np.linspace(0, 86_400, 500)
    X = feature.extract({}, everywhere)
    assert feature.usual(*np.quantile(X, [0.05, 0.95], axis=0)) == ""


def test_an_unknown_zone_is_named() -> None:
    with pytest.raises(ValidationError, match="no time zone"):
        cyclic(timezone="Mars/Olympus")


SPECS: tuple[FeatureParams, ...] = (
    Log.Params(kind="log", field="amount", unit="€", label="Amount"),
    Frequency.Params(kind="frequency", field="service"),
    CyclicTime.Params(kind="cyclic_time"),
    Window.Params(kind="window", entity="card", aggregate="count", over="1h", unit="payments"),
)


def batch(rows: int) -> Columns:
    return {
        "amount": np.linspace(20.0, 60.0, rows),
        "service": ["http", "dns"] * (rows // 2),
        "card": ["c1"] * rows,
    }


def test_a_set_puts_the_columns_side_by_side() -> None:
    features = FeatureSet(SPECS)
    X = features.extract(batch(10), np.arange(10.0))
    assert X.shape == (10, 5)
    assert X.dtype == np.float32
    assert X.flags.c_contiguous
    assert features.names == (
        "log_amount",
        "frequency_service",
        "hour_of_day.sin",
        "hour_of_day.cos",
        "count_by_card_1h",
    )
    assert features.labels[0] == "Amount"
    alone = build(SPECS[0]).extract(batch(10), np.arange(10.0))
    np.testing.assert_array_equal(X[:, :1], alone)


def test_reasons_are_one_per_feature_strongest_first_and_readable() -> None:
    features = FeatureSet(SPECS)
    X = features.extract(batch(10), 1.7e9 + np.arange(10.0))
    low, high = np.quantile(X, [0.05, 0.95], axis=0)
    row = X[-1].copy()
    row[0] = math.log1p(412.0)
    contributions = np.array([0.5, 0.1, -0.4, -0.5, 0.2])
    fields = {"amount": 412.0, "service": "dns", "card": "c1"}
    time, amount, count, _ = features.reasons(row, contributions, fields, low, high)
    seen: object = (time.feature, time.contribution, time.value)
    assert seen == (
        "hour_of_day",
        pytest.approx(-0.9),
        None,
    )
    assert (amount.label, amount.text, amount.usual) == ("Amount", "412.00 €", "22–58 €")
    assert amount.ratio == pytest.approx(10.3, rel=0.05)
    assert (count.text, count.entity) == ("10 payments in 1 h", "card")


def test_two_features_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="log_amount"):
        FeatureSet([SPECS[0], SPECS[0]])


def test_a_set_goes_on_from_a_snapshot_and_refuses_another_sets() -> None:
    first, second = FeatureSet(SPECS), FeatureSet(SPECS)
    first.extract(batch(10), np.arange(10.0))
    second.restore(first.snapshot())
    after = batch(4), np.arange(10.0, 14.0)
    assert second.extract(*after).tobytes() == first.extract(*after).tobytes()
    with pytest.raises(SnapshotError, match="other features"):
        FeatureSet(SPECS[:2]).restore(first.snapshot())


def test_a_field_of_the_wrong_type_is_named() -> None:
    problems = field_problems(Log.Params(kind="log", field="country"), {"country": "string"})
    assert problems == ["field: feature log needs a number field, 'country' is a string"]
