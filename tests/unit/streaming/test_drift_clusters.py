"""A field that drifts has one cluster, wherever and whenever it drifts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streaming.drift import reasons_of
from streaming.drift_clusters import DriftClusters
from tests.support.cases import a_candidate
from triage.drift import SCHEMA_DRIFT, Drift
from triage.model import Candidate

GAP = 3_600.0


def told(number: int, at: float, *fields: str) -> Candidate:
    drifts = [Drift(field, "missing", "in 0% of the records, was in 100%", 1) for field in fields]
    reasons = reasons_of(drifts, 3.0)
    return a_candidate(number, detector=SCHEMA_DRIFT, event_time=at, reasons=reasons)


def test_a_field_has_one_cluster_however_far_apart_its_partitions_are() -> None:
    clusters = DriftClusters(GAP)
    first = clusters.assign(told(1, 0.0, "speed"), "a")
    late = clusters.assign(told(2, 9 * GAP, "speed"), "b")
    early = clusters.assign(told(3, -9 * GAP, "speed", "amount"), "c")
    assert first.is_new
    assert [late.cluster_id, early.cluster_id] == ["a", "a"]
    assert clusters.assign(told(4, 99 * GAP, "amount"), "d").cluster_id == "a"


def test_other_fields_share_it_within_the_gap_only() -> None:
    clusters = DriftClusters(GAP)
    clusters.assign(told(1, 0.0, "speed"), "a")
    assert clusters.assign(told(2, GAP, "amount"), "b").cluster_id == "a"
    assert clusters.assign(told(3, 3 * GAP, "country"), "c").cluster_id == "c"
    assert set(clusters.cluster_ids()) == {"a", "c"}


def test_a_decided_one_has_a_successor_and_a_restart_goes_on() -> None:
    clusters = DriftClusters(GAP)
    clusters.adopt(told(1, 0.0, "speed"), "a")
    clusters.set_closed(["a", "elsewhere"])
    after = clusters.assign(told(2, 9 * GAP, "speed"), "b")
    assert (after.cluster_id, after.is_new, after.predecessor) == ("b", True, "a")
    assert clusters.assign(told(3, 0.0, "speed"), "c").cluster_id == "b"


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 99 * GAP)), max_size=30))
def test_no_field_is_in_two_open_clusters(drifts: list[tuple[str, float]]) -> None:
    clusters = DriftClusters(GAP)
    of: dict[str, set[str]] = {}
    for number, (field, at) in enumerate(drifts):
        found = clusters.assign(told(number, at, field), str(number))
        of.setdefault(field, set()).add(found.cluster_id)
    assert all(len(found) == 1 for found in of.values())
