"""What the advisor reads."""

from __future__ import annotations

import hashlib

from tests.support.cases import ANNA, AT, LEAD, STREAM, Desk
from triage.model import VerdictKind
from triage.policy import Policy
from triage.store.base import SnapshotRow
from triage.store.base_advisor import SnapshotMark, Waiting


def snapshot(offset: int) -> SnapshotRow:
    blob = f"state at {offset}".encode()
    return SnapshotRow(offset, 0, hashlib.sha256(blob).hexdigest(), blob)


def test_streams_and_news(desk: Desk) -> None:
    desk.policy()
    assert list(desk.store.streams()) == [STREAM]
    before = desk.store.news()
    desk.cluster(1)
    assert desk.store.news() > before


def test_the_newest_snapshot_of_each_partition_and_how_far_it_has_come(desk: Desk) -> None:
    assert desk.store.snapshot_marks(STREAM) == {}
    for offset in (10, 20):
        desk.commit(desk.part(next_offset=offset, snapshot=snapshot(offset)))
    desk.commit(desk.part(next_offset=25))
    assert desk.store.snapshot_marks(STREAM) == {0: SnapshotMark(2, 20, 25)}
    assert desk.store.snapshot_marks("other") == {}


def test_candidates_wait_in_open_clusters_only(desk: Desk) -> None:
    first, second = desk.add(2), desk.add(2)
    a, b = desk.group(first, "a"), desk.group(second, "b")
    desk.add(1)  # in no cluster yet
    expected = [Waiting(one.candidate_id, a, 0) for one in first]
    expected += [Waiting(one.candidate_id, b, 0) for one in second]
    assert list(desk.store.waiting(STREAM, 10)) == expected[::-1]
    assert list(desk.store.waiting(STREAM, 3)) == expected[:0:-1]
    desk.decide(b)
    assert list(desk.store.waiting(STREAM, 10)) == expected[1::-1]
    assert list(desk.store.waiting("other", 10)) == []


def test_vectors_by_candidate(desk: Desk) -> None:
    known = desk.add(2)
    found = desk.store.vectors([known[1].candidate_id, "unknown"])
    assert {name: one.vector for name, one in found.items()} == {
        known[1].candidate_id: known[1].vector
    }
    assert found[known[1].candidate_id].features_version == "f1"
    assert desk.store.vectors([]) == {}


def test_trust_falls_with_what_others_overruled(desk: Desk) -> None:
    assert desk.store.trust(STREAM) == {}
    for number in range(4):
        cluster = desk.cluster(1, f"k{number}")
        given = desk.decide(cluster, VerdictKind.SPURIOUS, ANNA)
        if number:
            desk.undo(given.verdict_id, LEAD, AT + 1)
            desk.decide(cluster, VerdictKind.REAL, LEAD, AT + 2)
    trust = desk.store.trust(STREAM)
    assert 0 < trust[ANNA.name] < trust[LEAD.name] == 1.0


def test_a_cluster_as_a_question_needs_it(desk: Desk) -> None:
    members = desk.add(3)
    cluster = desk.group(members)
    asked = desk.store.asked(cluster)
    assert asked is not None
    assert (asked.stream, asked.policy) == (STREAM, Policy())
    assert list(asked.members) == [one.candidate_id for one in members]
    assert desk.store.asked("none") is None
