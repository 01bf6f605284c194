from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.labels import NewLabel, labels_of
from triage.model import MemberState, VerdictKind
from triage.policy import Policy


def test_read_members_weigh_one_and_the_others_less() -> None:
    labels = labels_of(VerdictKind.REAL, ["a", "b", "c"], ["b"], Policy())
    assert labels == (
        NewLabel("a", 1.0, 0.1, MemberState.PROPAGATED),
        NewLabel("b", 1.0, 1.0, MemberState.READ),
        NewLabel("c", 1.0, 0.1, MemberState.PROPAGATED),
    )


@pytest.mark.parametrize(
    ("kind", "y"),
    [
        (VerdictKind.REAL, {1.0}),
        (VerdictKind.SPURIOUS, {0.0}),
        (VerdictKind.EXPECTED, {0.0}),
        (VerdictKind.PIPELINE_FAULT, set()),
        (VerdictKind.UNSURE, set()),
    ],
)
def test_what_each_verdict_teaches(kind: VerdictKind, y: set[float]) -> None:
    assert {label.y for label in labels_of(kind, ["a", "b"], ["a"], Policy())} == y


@pytest.mark.parametrize("policy", [Policy(propagation_weight=0.0), Policy(propagation_limit=0)])
def test_propagation_can_be_off(policy: Policy) -> None:
    labels = labels_of(VerdictKind.REAL, ["a", "b"], ["a"], policy)
    assert [label.candidate_id for label in labels] == ["a"]


@given(
    size=st.integers(1, 300),
    reads=st.sets(st.integers(0, 299), max_size=20),
    limit=st.integers(0, 50),
)
def test_a_look_at_a_huge_cluster_stays_bounded(size: int, reads: set[int], limit: int) -> None:
    members = [f"m{i}" for i in range(size)]
    read = {f"m{i}" for i in reads if i < size}
    policy = Policy(propagation_limit=limit)
    labels = labels_of(VerdictKind.SPURIOUS, members, read, policy)
    taught = [label.candidate_id for label in labels]
    assert len(set(taught)) == len(taught)
    assert taught == [member for member in members if member in set(taught)]
    assert {label.candidate_id for label in labels if label.state is MemberState.READ} == read
    spread = [label for label in labels if label.state is MemberState.PROPAGATED]
    assert len(spread) == min(limit, size - len(read))
    assert all(label.weight == policy.propagation_weight for label in spread)
