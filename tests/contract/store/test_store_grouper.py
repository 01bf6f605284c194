"""What the grouper may rely on."""

from __future__ import annotations

import dataclasses

import pytest

from tests.support.cases import AT, STREAM, Desk, a_candidate, a_reason, identity
from triage.drift import SCHEMA_DRIFT
from triage.errors import Conflict, Fenced, NotFound
from triage.model import ClusterStatus
from triage.queries import QueueFilter
from triage.store.base import GROUPER_LEASE, ClusterUpdate


def test_a_cluster_is_what_its_members_are(desk: Desk) -> None:
    members = desk.add(2, entity="c1", margin=0.0) + desk.add(1, entity="c2", margin=1.0)
    cluster_id = desk.group(members, title="3 payments", subtitle="2 customers")
    row = desk.row(cluster_id)
    assert (row.title, row.subtitle, row.size, row.entities) == ("3 payments", "2 customers", 3, 2)
    assert (row.first_time, row.last_time) == (members[0].event_time, members[2].event_time)
    assert row.posterior == pytest.approx(members[2].posterior)
    assert (row.score, row.weakest) == (3.5, 2.5)
    assert row.worth == pytest.approx(10 * row.posterior)
    assert [name for name, _ in row.top] == ["amount", "hour"]
    assert [mean for _, mean in row.top] == pytest.approx([1.0, -0.2])
    assert (row.status, row.revision, row.verdict) == (ClusterStatus.OPEN, 1, None)


def test_growing_adds_to_what_was_there(desk: Desk) -> None:
    first = desk.add(2, entity="c1", margin=2.0)
    cluster_id = desk.group(first)
    strong = (a_reason("amount", 4.0, text="900 €"), a_reason("hour", -0.2))
    late = desk.add(2, entity="c2", margin=0.0, reasons=strong)
    assert desk.group(late, title="4 payments") == cluster_id
    detail = desk.store.cluster(cluster_id, 10)
    assert detail is not None
    assert (detail.row.size, detail.row.entities, detail.row.title) == (4, 2, "4 payments")
    assert detail.row.revision == 1  # growing takes nobody's verdict away
    amount = detail.reasons[0]
    assert (amount.feature, amount.mean) == ("amount", 2.5)
    assert (amount.low, amount.high) == (1.0, 4.0)
    assert amount.text == "412 €"  # of the member with the largest score
    assert detail.row.posterior == pytest.approx(first[0].posterior)
    assert (detail.row.score, detail.row.weakest) == (4.5, 2.5)


def test_rescored_before_it_is_grouped(desk: Desk) -> None:
    members = desk.add(1, margin=0.0)
    desk.commit(desk.part(rescored={members[0].candidate_id: 0.1}))
    assert desk.row(desk.group(members)).posterior == 0.1


def test_saving_twice_adds_once(desk: Desk) -> None:
    members = desk.add(3)
    desk.group(members)
    cluster_id = desk.group(members)
    detail = desk.store.cluster(cluster_id, 10)
    assert detail is not None
    assert (detail.row.size, detail.members_total, len(detail.members)) == (3, 3, 3)
    assert detail.reasons[0].mean == 1.0


def test_grouped_up_to_is_per_stream(desk: Desk) -> None:
    other = Desk(desk.store, "network")
    desk.group(desk.add(2))
    seen = desk.store.candidates_after(STREAM, 0, 10)
    assert desk.store.grouped_up_to(STREAM) == 2
    assert desk.store.grouped_up_to("network") == 0
    assert [row.cluster_id for row in seen] == [identity("cluster", "k")] * 2
    other.add(1)
    assert [row.seq for row in desk.store.candidates_after("network", 0, 10)] == [3]
    assert desk.store.candidates_after("network", 0, 10)[0].cluster_id is None


def test_open_members_are_the_newest_by_event_time(desk: Desk) -> None:
    old = desk.add(1, event_time=AT - 100)
    new = desk.add(2, event_time=AT)
    desk.group([*old, *new])
    desk.add(1, event_time=AT)  # in no cluster
    found = desk.store.open_members(STREAM, 50)
    bare = [dataclasses.replace(candidate, context=(), record={}) for candidate in new]
    assert [row.candidate for row in found] == bare
    assert len(desk.store.open_members(STREAM, 100)) == 3
    assert desk.store.open_members("network", 100) == []


def test_members_that_tell_of_drift_are_never_too_old(desk: Desk) -> None:
    desk.group(desk.add(1, event_time=AT - 10**6, detector=SCHEMA_DRIFT), "drift")
    desk.group(desk.add(2, event_time=AT))
    assert len(desk.store.open_members(STREAM, 50)) == 3


def test_an_event_of_the_far_future_makes_no_member_old(desk: Desk) -> None:
    growing = desk.add(3, event_time=AT)
    desk.group([*growing, *desk.add(1, event_time=AT + 1e9)])
    found = {row.candidate.candidate_id for row in desk.store.open_members(STREAM, 50)}
    assert found >= {one.candidate_id for one in growing}


def test_a_decided_cluster_takes_no_members(desk: Desk) -> None:
    cluster_id = desk.cluster(1)
    verdict = desk.decide(cluster_id)
    late = desk.add(1)
    assert desk.store.decided([cluster_id, "unknown"]) == {cluster_id}
    with pytest.raises(Conflict, match="decided"):
        desk.group(late)
    assert desk.store.grouped_up_to(STREAM) == 1
    successor = desk.group(late, "next", predecessor=cluster_id)
    assert desk.row(successor).predecessor == cluster_id
    desk.undo(verdict.verdict_id)
    assert desk.store.decided([cluster_id]) == frozenset()


def test_a_candidate_is_in_one_cluster(desk: Desk) -> None:
    members = desk.add(1)
    desk.group(members, "a")
    with pytest.raises(Conflict, match="already"):
        desk.group(members, "b")
    assert desk.store.cluster(identity("cluster", "b"), 1) is None


def test_an_unknown_candidate_is_refused(desk: Desk) -> None:
    with pytest.raises(NotFound, match="no candidate"):
        desk.group([a_candidate(99)])


def test_without_the_newest_lease_nothing_is_saved(desk: Desk) -> None:
    members = desk.add(1)
    desk.store.acquire_lease(f"{GROUPER_LEASE}{STREAM}", "grouper-2", AT + 2e9, 10)
    with pytest.raises(Fenced, match="grouper-2"):
        desk.group(members)
    assert desk.store.queue(QueueFilter(), 0, 10).total == 0


def test_changes_name_the_clusters(desk: Desk) -> None:
    before = desk.store.status(AT).position
    cluster_id = desk.group(desk.add(1))
    (change,) = desk.store.changes_after(before, 10)
    assert (change.kind, change.data) == ("clusters", {"ids": [cluster_id], "total": 1})


def test_no_new_members_still_moves_the_mark(desk: Desk) -> None:
    desk.store.save_groups(STREAM, [], 17, desk.lease, AT)
    assert desk.store.grouped_up_to(STREAM) == 17
    update = ClusterUpdate("x", STREAM, "d", "k", "t", "s", members=[])
    with pytest.raises(NotFound, match="needs a member"):
        desk.store.save_groups(STREAM, [update], 18, desk.lease, AT)


def test_hostile_values_find_their_place(desk: Desk) -> None:
    """Longer than an index entry may be, with characters that a database refuses."""
    entity = "\0\ud800é<" + "x" * 20_000
    members = desk.add(2, entity=entity, entities={"k" * 5000: entity, "ip": ""})
    cluster_id = desk.group(members, key=entity, title=entity[:500], subtitle="\0")
    assert desk.store.queue(QueueFilter(entity=entity), 0, 5).total == 1
    assert desk.store.queue(QueueFilter(entity=entity[:-1] + "y"), 0, 5).total == 0
    assert desk.store.queue(QueueFilter(text=entity), 0, 5).total == 1
    assert len(desk.store.entity_events(cluster_id, 9)) == 3
    assert desk.store.members(cluster_id, 0, 1)[0].candidate.entity == entity
