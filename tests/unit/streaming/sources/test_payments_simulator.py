from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streaming.sources._payments_fraud import KINDS, QUIET
from streaming.sources.payments_simulator import PaymentsSimulator, open_source
from tests.unit.streaming.sources.declared import stream

KEY = "customer_id"
FIRST_MINUTE = 12_000  # payments at 200 a second


@cache
def simulator() -> PaymentsSimulator:
    return PaymentsSimulator(1, None, (KEY,))


@cache
def payments(count: int = 36_000) -> Sequence[dict[str, Any]]:
    return [json.loads(row.value) for row in simulator().read(0, count).rows]


@settings(max_examples=15, deadline=None)
@given(position=st.integers(0, 5_000_000), count=st.integers(1, 2_500))
def test_any_part_can_be_made_again_by_anybody(position: int, count: int) -> None:
    fresh = PaymentsSimulator(1, None, (KEY,))
    chunk = fresh.read(position, count)
    assert chunk == simulator().read(position, count)
    assert len(chunk.rows) == count
    assert json.loads(chunk.rows[0].value)["tx_id"] == f"tx-{position:09d}"


def test_another_seed_is_another_world() -> None:
    other = PaymentsSimulator(2, None, (KEY,)).read(0, 100).rows
    assert not set(other) & set(simulator().read(0, 100).rows)


def test_fraud_is_rare_and_of_three_kinds() -> None:
    kinds = Counter(payment["label_kind"] for payment in payments())
    assert set(kinds) == {None, *KINDS}
    share = 1 - kinds[None] / len(payments())
    assert 0.005 < share < 0.01
    assert all((p["label_kind"] is not None) == p["label"] for p in payments())


@pytest.mark.parametrize("seed", range(1, 6))
def test_the_first_minute_has_every_kind_after_a_quiet_start(seed: int) -> None:
    rows = PaymentsSimulator(seed, None, (KEY,)).read(0, FIRST_MINUTE).rows
    kinds = [json.loads(row.value)["label_kind"] for row in rows]
    assert set(kinds[:QUIET]) == {None}
    assert set(kinds[QUIET:8_000]) == {None, *KINDS}


def test_amounts_of_a_kind_stand_out_against_the_customers_own() -> None:
    usual: dict[str, list[float]] = {}
    for payment in payments():
        if not payment["label"]:
            usual.setdefault(payment["customer_id"], []).append(payment["amount"])
    ratios: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for payment in payments():
        own = usual.get(payment["customer_id"], [])
        if payment["label"] and len(own) >= 5:
            ratios[payment["label_kind"]].append(payment["amount"] / float(np.median(own)))
    medians = {kind: np.median(found) for kind, found in ratios.items()}
    assert medians["amount_far_above_normal"] > 10
    assert 3 < medians["compromised_terminal"] < 12
    assert 2 < medians["stolen_card"] < 10


def test_a_compromised_terminal_is_a_burst_of_many_customers() -> None:
    bursts: dict[str, list[dict[str, Any]]] = {}
    for payment in payments():
        if payment["label_kind"] == "compromised_terminal":
            bursts.setdefault(payment["terminal_id"], []).append(payment)
    assert bursts
    for burst in bursts.values():
        assert len({payment["customer_id"] for payment in burst}) >= 10
        assert _at(burst[-1]) - _at(burst[0]) < dt.timedelta(hours=4)


def test_time_rises_and_days_have_a_rhythm() -> None:
    times = [_at(payment) for payment in payments()]
    assert times == sorted(times)
    assert dt.timedelta(hours=23) < times[-1] - times[0] < dt.timedelta(hours=25)
    hours = Counter(time.hour for time in times)
    assert hours[15] > 4 * hours[3] > 0


def test_it_ends_where_it_is_told_to() -> None:
    source = open_source("payments_simulator?seed=4&events=1500", stream(KEY, amount="number"))
    assert source.total() == 1_500
    chunk = source.read(1_400, 500)
    assert (len(chunk.rows), chunk.position, chunk.done) == (100, 1_500, True)
    assert not source.read(0, 1_499).done


def _at(payment: dict[str, Any]) -> dt.datetime:
    return dt.datetime.fromisoformat(payment["tx_time"])
