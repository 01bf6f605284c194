"""Splits and merges by hand: members, labels, findings, titles, and what the grouper hears."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.cases import ANNA, AT, BEN, LEAD, STREAM, VIEWER, Desk, a_reason
from triage.case_queries import Looking
from triage.cases import Regrouping
from triage.commands import AssignCluster, MergeClusters, SplitCluster
from triage.errors import Conflict, Invalid, NotAllowed, NotFound
from triage.model import Actor, Candidate, ClusterStatus, VerdictKind
from triage.queries import QueueFilter
from triage.store.base import ClusterUpdate


def ids(members: list[Candidate]) -> list[str]:
    return [member.candidate_id for member in members]


def split(
    desk: Desk, cluster: str, members: list[str], actor: Actor = ANNA, **given: Any
) -> Regrouping:
    desk.keys += 1
    filled = {
        "revision": desk.row(cluster).revision,
        "idempotency_key": f"split-{desk.keys}",
        **given,
    }
    return desk.triage.regroup(SplitCluster(cluster, members=tuple(members), **filled), actor, AT)


def merge(desk: Desk, cluster: str, into: str, actor: Actor = ANNA, **given: Any) -> Regrouping:
    desk.keys += 1
    filled = {
        "revision": desk.row(cluster).revision,
        "into_revision": desk.row(into).revision,
        "idempotency_key": f"merge-{desk.keys}",
        **given,
    }
    return desk.triage.regroup(MergeClusters(cluster, into=into, **filled), actor, AT)


class TestSplit:
    def test_what_leaves_is_a_cluster_of_its_own(self, desk: Desk) -> None:
        usual = desk.add(3, margin=0.5)
        odd = desk.add(
            1,
            margin=2.0,
            entity="c9",
            entities={"customer": "c9"},
            reasons=(a_reason("hour", 3.0),),
        )
        cluster = desk.group([*usual, *odd], title="4 payments, terminal 881")
        done = split(desk, cluster, ids(odd), reason="another customer")
        assert desk.members(cluster).keys() == set(ids(usual))
        assert desk.members(done.other) == {odd[0].candidate_id: "open"}
        stays, left = desk.row(cluster), desk.row(done.other)
        assert (stays.size, stays.title[:2], stays.revision) == (3, "3 ", 2)
        assert (left.size, left.status, left.revision) == (1, ClusterStatus.OPEN, 1)
        assert "c9" in left.title + left.subtitle
        assert (stays.top[0][0], left.top[0][0]) == ("amount", "hour")
        assert stays.posterior == pytest.approx(usual[0].posterior)
        assert left.posterior == pytest.approx(odd[0].posterior)
        assert (stays.entities, left.entities) == (1, 1)
        assert (stays.score, stays.weakest, left.weakest) == (3.0, 3.0, 4.5)
        found = desk.store.queue(QueueFilter(entity="c9"), 0, 9).rows
        assert [row.cluster_id for row in found] == [done.other]
        assert desk.store.regroupings(cluster) == desk.store.regroupings(done.other) == [done]
        assert desk.store.regrouped_after(STREAM, 0) == (1, sorted([cluster, done.other]))
        assert desk.store.regrouped_after(STREAM, 1) == (1, [])
        assert desk.store.changes_after(0, 99)[-1].data["ids"] == [cluster, done.other]

    def test_the_same_request_again_does_nothing(self, desk: Desk) -> None:
        members = desk.add(3)
        cluster = desk.group(members)
        command = SplitCluster(cluster, 1, tuple(ids(members)[:1]), "again")
        first = desk.triage.regroup(command, ANNA, AT)
        assert desk.triage.regroup(command, ANNA, AT + 9) == first
        assert desk.row(cluster).size == 2
        other = SplitCluster(cluster, 1, tuple(ids(members)[1:2]), "again")
        with pytest.raises(Invalid, match="idempotency key"):
            desk.triage.regroup(other, ANNA, AT)

    def test_what_is_refused(self, desk: Desk) -> None:
        members = desk.add(3)
        cluster = desk.group(members)
        stranger = desk.group(desk.add(1), "other")
        with pytest.raises(Invalid, match="some must stay"):
            split(desk, cluster, ids(members))
        with pytest.raises(Invalid, match="not in this cluster"):
            split(desk, cluster, list(desk.members(stranger)))
        with pytest.raises(Invalid, match="twice"):
            split(desk, cluster, ids(members)[:1] * 2)
        with pytest.raises(Invalid, match="name 1 to"):
            split(desk, cluster, [])
        with pytest.raises(Conflict, match="has changed"):
            split(desk, cluster, ids(members)[:1], revision=7)
        with pytest.raises(NotFound):
            desk.triage.regroup(SplitCluster("nowhere", 1, ("x",), "nowhere"), ANNA, AT)
        with pytest.raises(NotAllowed):
            split(desk, cluster, ids(members)[1:2], VIEWER)

    def test_one_that_waits_for_a_second_opinion_stays(self, desk: Desk) -> None:
        members = desk.add(3)
        cluster = desk.group(members)
        desk.decide(cluster, VerdictKind.UNSURE)
        with pytest.raises(Conflict, match="second opinion"):
            split(desk, cluster, ids(members)[:1])

    def test_labels_of_what_leaves_a_decided_cluster_are_retracted(self, desk: Desk) -> None:
        members = desk.add(4)
        cluster = desk.group(members)
        read = ids(members)[:2]
        verdict = desk.decide(cluster, VerdictKind.SPURIOUS, read=tuple(read))
        before = dict(desk.labels())
        done = split(desk, cluster, [read[0]])
        assert before.pop(read[0]) == (0.0, 1.0)
        assert desk.labels() == before
        assert desk.members(done.other) == {read[0]: "open"}
        assert desk.row(cluster).status is ClusterStatus.DECIDED
        after = desk.store.verdict(verdict.verdict_id)
        assert after is not None
        assert (after.read, after.propagated) == (1, 2)
        desk.undo(verdict.verdict_id)
        assert desk.labels() == {}

    def test_labels_that_are_silent_stay_silent(self, desk: Desk) -> None:
        members = desk.add(3)
        cluster = desk.group(members)
        desk.decide(cluster, VerdictKind.PIPELINE_FAULT, read=tuple(ids(members)))
        split(desk, cluster, ids(members)[:1])
        assert desk.labels() == {}

    def test_a_published_finding_is_revised(self, desk: Desk) -> None:
        members = desk.add(4)
        cluster = desk.group(members)
        read = ids(members)[:3]
        verdict = desk.decide(cluster, read=tuple(read))
        (first,) = desk.publish(AT + 10)
        finding = first.decode().split()[0]
        with pytest.raises(Invalid, match="not in this cluster"):  # unread ones are its rest by now
            split(desk, cluster, [members[3].candidate_id])
        split(desk, cluster, [read[0]])
        split(desk, cluster, [read[1]])  # before the first revision is out: replaced
        assert desk.publish(AT + 20) == [f"{finding} 2 revised 1".encode()]
        desk.undo(verdict.verdict_id, at=AT + 30)
        assert desk.publish(AT + 40) == [f"{finding} 3 retracted 1".encode()]

    def test_a_finding_in_its_grace_is_replaced(self, desk: Desk) -> None:
        members = desk.add(3)
        cluster = desk.group(members)
        read = ids(members)[:2]
        verdict = desk.decide(cluster, read=tuple(read))
        split(desk, cluster, [read[0]])
        assert desk.publish(AT + 1) == []
        (only,) = desk.publish(AT + 10)
        assert only.decode().split()[1:] == ["1", "verified", "1"]
        row = desk.store.verdict(verdict.verdict_id)
        assert row is not None
        assert row.state == "published"

    def test_undo_of_a_published_finding_whose_revision_waits_retracts_it(self, desk: Desk) -> None:
        members = desk.add(3)
        cluster = desk.group(members)
        verdict = desk.decide(cluster, read=tuple(ids(members)))
        (first,) = desk.publish(AT + 10)
        split(desk, cluster, ids(members)[:1])
        undone = desk.undo(verdict.verdict_id, at=AT + 11)
        assert undone.state == "retracted"
        (last,) = desk.publish(AT + 20)
        assert last.decode().split() == [first.decode().split()[0], "2", "retracted", "2"]

    def test_not_all_that_was_read_may_leave(self, desk: Desk) -> None:
        members = desk.add(3)
        cluster = desk.group(members)
        read = ids(members)[:1]
        desk.decide(cluster, read=tuple(read))
        with pytest.raises(Invalid, match="undo the verdict instead"):
            split(desk, cluster, read)
        assert desk.members(cluster).keys() == set(read)

    def test_what_came_out_of_a_decided_cluster_stays_as_it_is(self, desk: Desk) -> None:
        cluster, other = desk.cluster(4), desk.cluster(1, "other")
        rest = desk.decide(cluster, read=tuple(desk.members(cluster))[:1]).rest
        assert rest is not None
        with pytest.raises(Conflict, match="came out of a decided one"):
            merge(desk, rest, other)
        with pytest.raises(Conflict, match="came out of a decided one"):
            split(desk, rest, list(desk.members(rest))[:1])
        assert rest not in [one.cluster_id for one in desk.store.alike(other, 9)]

    def test_somebody_elses_verdict_takes_a_lead(self, desk: Desk) -> None:
        members = desk.add(3)
        cluster = desk.group(members)
        desk.decide(cluster, read=tuple(ids(members)))
        with pytest.raises(NotAllowed):
            split(desk, cluster, ids(members)[:1], BEN)
        assert split(desk, cluster, ids(members)[:1], LEAD).actor == LEAD.name


class TestMerge:
    def test_all_members_move(self, desk: Desk) -> None:
        a, b = desk.add(2, margin=0.1), desk.add(3, margin=0.9)
        first, second = (
            desk.group(a, "a", title="2 payments"),
            desk.group(b, "b", title="3 payments"),
        )
        done = merge(desk, first, second)
        assert desk.members(second).keys() == set(ids(a) + ids(b))
        row = desk.row(second)
        assert (row.size, row.title[:2], row.revision) == (5, "5 ", 2)
        assert desk.store.cluster(first, 5) is None
        assert desk.store.merged_into(first) == second
        assert desk.store.merged_into(second) is None
        everything = desk.store.queue(QueueFilter(status=None), 0, 9)
        assert ([one.cluster_id for one in everything.rows], everything.total) == ([second], 1)
        assert desk.store.status(AT).open_clusters == 1
        assert desk.store.decided([first, second]) == {first}
        assert done.members == tuple(ids(a))
        last = desk.cluster(1, "last")
        merge(desk, second, last)
        assert desk.store.merged_into(first) == last

    def test_what_is_refused(self, desk: Desk) -> None:
        first, second = desk.cluster(2, "a"), desk.cluster(2, "b")
        with pytest.raises(Invalid, match="another cluster"):
            merge(desk, first, first)
        with pytest.raises(Conflict, match="has changed"):
            merge(desk, first, second, into_revision=5)
        desk.decide(second)
        with pytest.raises(Conflict, match="it is decided"):
            merge(desk, first, second)
        with pytest.raises(Conflict, match="it is decided"):
            merge(desk, second, first)
        assert desk.row(first).size == 2

    def test_the_grouper_can_neither_grow_nor_the_analyst_decide_it(self, desk: Desk) -> None:
        first, second = desk.cluster(2, "a"), desk.cluster(2, "b")
        command = desk.command(first, revision=2)
        merge(desk, first, second)
        new = desk.add(1)
        with pytest.raises(Conflict):
            desk.group(new, "a")
        with pytest.raises(Conflict):
            desk.triage.handle(command, ANNA, AT)

    def test_a_title_alone_can_be_saved(self, desk: Desk) -> None:
        cluster = desk.cluster(2)
        update = ClusterUpdate(cluster, STREAM, "forest", "k", "A new title", "of two", ())
        desk.store.save_groups(STREAM, [update], desk.store.grouped_up_to(STREAM), desk.lease, AT)
        assert (desk.row(cluster).title, desk.row(cluster).size) == ("A new title", 2)


class TestFellows:
    def test_past_cases_and_what_became_of_them(self, desk: Desk) -> None:
        past = [desk.cluster(1, f"past {number}") for number in range(3)]
        desk.decide(past[0], VerdictKind.REAL, reason="card stolen")
        desk.decide(past[1], VerdictKind.SPURIOUS, BEN)
        undone = desk.decide(past[2])
        desk.undo(undone.verdict_id)
        desk.decide(desk.cluster(1, "else", reasons=(a_reason("distance", 2.0),)))
        cluster = desk.cluster(1, "new")
        cases = desk.store.past_cases(cluster, 9)
        assert [(case.cluster_id, case.kind, case.actor) for case in cases] == [
            (past[1], "spurious", "ben"),
            (past[0], "real", "anna"),
        ]
        assert (cases[1].reason, cases[1].proved) == ("card stolen", (0, 0))
        page = desk.store.queue(QueueFilter(status=None), 0, 9)
        ratios = {row.cluster_id: row.similar for row in page.rows}
        assert ratios[cluster] == {"real": 1, "spurious": 1}
        assert ratios[past[0]] == {"spurious": 1}
        assert desk.store.past_cases("nowhere", 9) == []

    def test_open_ones_alike(self, desk: Desk) -> None:
        other = (a_reason("distance", 2.0),)
        cluster = desk.cluster(1, "this")
        both = desk.cluster(1, "both")
        who = {"entity": "c7", "entities": {"customer": "c7"}}
        reasons = desk.cluster(1, "reasons", **who)
        shares = desk.cluster(1, "shares", reasons=other)
        desk.cluster(1, "neither", reasons=other, **who)
        desk.decide(desk.cluster(1, "decided"))
        alike = desk.store.alike(cluster, 9)
        assert [one.cluster_id for one in alike] == [both, shares, reasons]
        assert [one.same_reasons for one in alike] == [True, False, True]
        assert alike[2].shared == 0


class TestTeam:
    def test_a_cluster_is_assigned_and_listed_under_its_assignee(self, desk: Desk) -> None:
        mine, other = desk.cluster(1, "a"), desk.cluster(1, "b")
        desk.triage.assign(AssignCluster(mine, "anna"), ANNA, AT)
        before = desk.store.status(AT).position
        desk.triage.assign(AssignCluster(mine, "anna"), ANNA, AT)
        assert desk.store.status(AT).position == before
        assert (desk.row(mine).assignee, desk.row(other).assignee) == ("anna", "")
        found = desk.store.queue(QueueFilter(assignee="anna"), 0, 9)
        assert ([row.cluster_id for row in found.rows], found.total) == ([mine], 1)
        desk.triage.assign(AssignCluster(mine, "ben"), BEN, AT)
        assert desk.row(mine).assignee == "ben"
        desk.triage.assign(AssignCluster(mine, None), ANNA, AT)
        assert desk.row(mine).assignee == ""
        with pytest.raises(NotAllowed):
            desk.triage.assign(AssignCluster(mine, "ben"), ANNA, AT)
        with pytest.raises(NotAllowed):
            desk.triage.assign(AssignCluster(mine, None), VIEWER, AT)
        with pytest.raises(NotFound):
            desk.triage.assign(AssignCluster("nowhere", "anna"), ANNA, AT)
        desk.triage.assign(AssignCluster(other, "ben"), LEAD, AT)
        assert desk.row(other).assignee == "ben"

    def test_who_looks_at_what_is_forgotten_by_itself(self, desk: Desk) -> None:
        store = desk.store
        store.look_at("ben", "c1", AT, 45.0)
        store.look_at("anna", "c1", AT + 1, 45.0)
        store.look_at("ben", "c1", AT + 30, 45.0)
        assert [(one.actor, one.since) for one in store.looking(AT + 31)] == [
            ("ben", AT),
            ("anna", AT + 1),
        ]
        store.look_at("anna", "c2", AT + 40, 45.0)
        assert store.looking(AT + 41)[-1] == Looking("anna", "c2", AT + 40)
        store.look_at("anna", None, AT + 42, 45.0)
        assert [one.actor for one in store.looking(AT + 43)] == ["ben"]
        assert store.looking(AT + 80) == []
        store.look_at("ben", "c1", AT + 90, 45.0)
        assert store.looking(AT + 91)[0].since == AT + 90
