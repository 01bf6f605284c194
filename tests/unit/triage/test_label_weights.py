from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.label_log import Entry
from triage.label_weights import DAY, weighed
from triage.model import MemberState
from triage.policy import Policy
from triage.reliability import PRIOR_MEAN, Reliability, reliabilities

POLICY = Policy()


def entry(position: int, candidate: str, y: float, actor: str = "anna", **rest: object) -> Entry:
    filled: dict[str, object] = {
        "group": f"g{position}",
        "weight": 1.0,
        "state": MemberState.READ,
        "source": "",
        "at": 0.0,
        "event_time": 0.0,
        **rest,
    }
    return Entry(position=position, candidate_id=candidate, y=y, actor=actor, **filled)  # type: ignore[arg-type]


def truth(position: int, candidate: str, y: float) -> Entry:
    return entry(position, candidate, y, actor="bank", source="chargebacks")


def weights(entries: list[Entry], policy: Policy = POLICY) -> dict[str, float]:
    return {one.candidate_id: weight for one, weight in weighed(entries, policy)}


def test_who_is_as_good_as_the_prior_has_full_weight_and_a_coin_none() -> None:
    assert Reliability().mean == PRIOR_MEAN
    assert Reliability().weight == 1.0
    assert Reliability(agreed=50).weight == 1.0
    assert 0.0 < Reliability(disagreed=2).weight < 1.0
    assert Reliability(disagreed=8).mean == 0.5
    assert Reliability(disagreed=8).weight == 0.0
    assert Reliability(disagreed=80).weight == 0.0


def test_only_reads_that_truth_speaks_of_are_evidence() -> None:
    log = [
        entry(1, "a", 1.0),
        entry(2, "b", 0.0),
        entry(3, "c", 0.0, state=MemberState.PROPAGATED),
        entry(4, "d", 0.0, actor="ben"),
        truth(5, "a", 1.0),
        truth(6, "b", 1.0),
        truth(7, "c", 1.0),
    ]
    assert reliabilities(log) == {"anna": Reliability(1, 1), "ben": Reliability()}


def test_a_second_read_is_evidence_about_the_first_reader() -> None:
    overruled = [entry(1, "a", 0.0), entry(2, "b", 0.0), entry(3, "c", 0.0), entry(4, "d", 0.0)]
    log = [
        entry(5, "a", 1.0, actor="ben"),
        entry(6, "b", 0.0, actor="ben"),
        entry(7, "c", 1.0),  # anna herself
        truth(8, "d", 1.0),  # outranks the second reader
        entry(9, "d", 0.0, actor="ben"),
    ]
    found = reliabilities(log, overruled)
    assert found == {"anna": Reliability(1, 2), "ben": Reliability(0, 1)}
    assert "anna" not in reliabilities(log[:2], overruled)  # none of her labels is in force


def test_a_wrong_analyst_weighs_less_everywhere_and_truth_in_full() -> None:
    wrong = [entry(i, f"w{i}", 0.0) for i in range(4)] + [
        truth(9 + i, f"w{i}", 1.0) for i in range(4)
    ]
    log = [*wrong, entry(20, "x", 1.0), entry(21, "y", 1.0, actor="ben")]
    found = weights(log)
    assert found["x"] == pytest.approx(Reliability(disagreed=4).weight)
    assert found["y"] == 1.0
    assert found["w0"] == 1.0


def test_what_one_analyst_or_one_day_moves_is_capped() -> None:
    policy = Policy(analyst_day_weight=2.0, day_weight=3.0)
    monday = [entry(i, f"m{i}", 1.0) for i in range(4)]
    other = [entry(10 + i, f"o{i}", 1.0, actor="ben") for i in range(2)]
    tuesday = [entry(20, "t", 1.0, at=DAY)]
    told = [truth(30, "told", 1.0)]
    assert weights(monday, policy)["m0"] == 0.5
    found = weights([*monday, *other, *tuesday, *told], policy)
    assert found["m0"] == pytest.approx(0.5 * 3 / 4)
    assert found["o0"] == pytest.approx(1.0 * 3 / 4)
    assert (found["t"], found["told"]) == (1.0, 1.0)


rows = st.lists(
    st.tuples(
        st.sampled_from("abcdef"),
        st.sampled_from([0.0, 1.0]),
        st.sampled_from(["anna", "ben", "bank"]),
        st.sampled_from([0.0, DAY]),
    ),
    max_size=20,
)


@given(rows, st.randoms(use_true_random=False))
def test_the_order_makes_no_difference_and_nobody_exceeds_the_cap(
    drawn: list[tuple[str, float, str, float]], rng: random.Random
) -> None:
    log = [
        truth(i, candidate, y) if actor == "bank" else entry(i, candidate, y, actor, at=at)
        for i, (candidate, y, actor, at) in enumerate(drawn)
    ]
    policy = Policy(analyst_day_weight=3.0, day_weight=4.0)
    found = {one.position: weight for one, weight in weighed(log, policy)}
    shuffled = list(log)
    rng.shuffle(shuffled)
    again = {one.position: weight for one, weight in weighed(shuffled, policy)}
    assert again == found
    totals: dict[tuple[str, float], float] = {}
    for one, weight in weighed(log, policy):
        if not one.source:
            totals[one.actor, one.at] = totals.get((one.actor, one.at), 0.0) + weight
    assert all(total <= 3.0 + 1e-9 for total in totals.values())
