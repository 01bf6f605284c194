"""Verdicts: what they change, who may give and take them back, and what is published."""

from __future__ import annotations

import dataclasses
import json
from contextlib import closing
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.cases import ANNA, AT, BEN, LEAD, STREAM, VIEWER, Desk, to_message
from triage.errors import Conflict, Fenced, Invalid, NotAllowed, NotFound
from triage.findings import Finding, Message
from triage.handlers import Triage
from triage.model import ClusterStatus, VerdictKind, VerdictState
from triage.store import tables as t
from triage.store.base import RELAY_LEASE
from triage.store.database import Database

GRACE = 8.0


class TestDeciding:
    def test_read_members_and_the_others(self, desk: Desk) -> None:
        members = desk.add(3)
        cluster_id = desk.group(members)
        read = members[1].candidate_id
        verdict = desk.decide(cluster_id, VerdictKind.REAL, read=(read,))
        row = desk.row(cluster_id)
        assert (row.status, row.verdict, row.revision) == (ClusterStatus.DECIDED, "real", 2)
        assert desk.members(cluster_id) == {read: "read"}
        assert verdict.rest is not None
        assert set(desk.members(verdict.rest).values()) == {"open"}
        assert (verdict.read, verdict.propagated, verdict.actor) == (1, 2, "anna")
        assert (verdict.state, verdict.grace_until) == (VerdictState.PENDING, AT + GRACE)

    @pytest.mark.parametrize(
        ("kind", "y"),
        [(VerdictKind.REAL, 1.0), (VerdictKind.SPURIOUS, 0.0), (VerdictKind.EXPECTED, 0.0)],
    )
    def test_what_teaches(self, desk: Desk, kind: VerdictKind, y: float) -> None:
        desk.policy(audit_share=0.0)
        members = desk.add(3)
        cluster_id = desk.group(members)
        desk.decide(cluster_id, kind, read=(members[0].candidate_id,))
        assert desk.labels() == {
            members[0].candidate_id: (y, 1.0),
            members[1].candidate_id: (y, 0.1),
            members[2].candidate_id: (y, 0.1),
        }
        (first, *_) = desk.store.labels_at(STREAM, 1)
        assert first.vector == members[0].vector
        assert (first.event_time, first.entities) == (members[0].event_time, members[0].entities)

    @pytest.mark.parametrize("kind", [VerdictKind.PIPELINE_FAULT, VerdictKind.UNSURE])
    def test_what_teaches_nothing(self, desk: Desk, kind: VerdictKind) -> None:
        verdict = desk.decide(desk.cluster(2), kind)
        assert desk.store.label_position(STREAM) == 0
        assert (verdict.learned, verdict.model_after) == (True, None)

    def test_the_streams_policy_holds(self, desk: Desk) -> None:
        desk.policy(undo_grace=60.0, propagation_weight=0.5, propagation_limit=1)
        cluster_id = desk.cluster(4)
        verdict = desk.decide(cluster_id, read=desk.first(cluster_id))
        assert verdict.grace_until == AT + 60
        assert sorted(weight for _, weight in desk.labels().values()) == [0.5, 1.0]
        assert verdict.propagated == 3

    @pytest.mark.parametrize(
        ("kind", "wrong"),
        [
            (VerdictKind.REAL, {"read": ("stranger",)}),
            (VerdictKind.REAL, {"read": ()}),
            (VerdictKind.REAL, {"idempotency_key": ""}),
            (VerdictKind.REAL, {"idempotency_key": "x" * 201}),
            (VerdictKind.REAL, {"reason": "x" * 4001}),
            (VerdictKind.EXPECTED, {"scope": " "}),
            (VerdictKind.EXPECTED, {"expires_at": None}),
            (VerdictKind.EXPECTED, {"expires_at": AT}),
            (VerdictKind.EXPECTED, {"expires_at": float("nan")}),
            (VerdictKind.EXPECTED, {"expires_at": float("inf")}),
        ],
    )
    def test_a_wrong_command_changes_nothing(
        self, desk: Desk, kind: VerdictKind, wrong: dict[str, Any]
    ) -> None:
        cluster_id = desk.cluster(1)
        before = desk.store.status(AT)
        with pytest.raises(Invalid):
            desk.decide(cluster_id, kind, **wrong)
        assert desk.row(cluster_id).revision == 1
        assert desk.store.status(AT) == before

    def test_a_member_named_twice_is_refused(self, desk: Desk) -> None:
        (member,) = desk.add(1)
        with pytest.raises(Invalid, match="twice"):
            desk.decide(desk.group([member]), read=(member.candidate_id,) * 2)

    def test_an_unknown_cluster(self, desk: Desk) -> None:
        command = dataclasses.replace(desk.command(desk.cluster(1)), cluster_id="nowhere")
        with pytest.raises(NotFound, match="nowhere"):
            desk.triage.handle(command, ANNA, AT)

    def test_the_later_of_two_is_told_what_stands(self, desk: Desk) -> None:
        cluster_id = desk.cluster(1)
        late = desk.command(cluster_id, VerdictKind.SPURIOUS)
        verdict = desk.decide(cluster_id, VerdictKind.REAL)
        with pytest.raises(Conflict, match=r"anna decided real at \d\d:\d\d:\d\d UTC") as refused:
            desk.triage.handle(late, BEN, AT)
        assert refused.value.current == verdict.verdict_id
        assert desk.row(cluster_id).verdict == VerdictKind.REAL

    def test_a_reopened_cluster_needs_a_new_look(self, desk: Desk) -> None:
        cluster_id = desk.cluster(1)
        stale = desk.command(cluster_id, VerdictKind.SPURIOUS)
        desk.undo(desk.decide(cluster_id).verdict_id)
        with pytest.raises(Conflict, match="reload"):
            desk.triage.handle(stale, BEN, AT)

    def test_viewers_decide_nothing(self, desk: Desk) -> None:
        with pytest.raises(NotAllowed, match="analyst"):
            desk.decide(desk.cluster(1), actor=VIEWER)


class TestIdempotency:
    def test_the_same_command_again_gives_the_first_answer(self, desk: Desk) -> None:
        command = desk.command(desk.cluster(1))
        first = desk.triage.handle(command, ANNA, AT)
        before = desk.store.status(AT)
        assert desk.triage.handle(command, ANNA, AT + 5) == first
        assert desk.store.status(AT) == before

    def test_another_command_under_the_key_is_refused(self, desk: Desk) -> None:
        command = desk.command(desk.cluster(1))
        desk.triage.handle(command, ANNA, AT)
        with pytest.raises(Invalid, match="idempotency"):
            desk.triage.handle(dataclasses.replace(command, reason="other"), ANNA, AT)

    def test_keys_are_each_persons_own(self, desk: Desk) -> None:
        a, b = desk.cluster(1, "a"), desk.cluster(1, "b")
        one = desk.decide(a, idempotency_key="mine")
        two = desk.decide(b, actor=BEN, idempotency_key="mine")
        assert one.verdict_id != two.verdict_id

    def test_a_refused_command_may_come_again(self, desk: Desk) -> None:
        cluster_id = desk.cluster(1)
        with pytest.raises(Conflict):
            desk.decide(cluster_id, revision=7, idempotency_key="again")
        assert desk.decide(cluster_id, idempotency_key="again").state == VerdictState.PENDING


class TestSecondOpinion:
    def test_unsure_asks_somebody_else(self, desk: Desk) -> None:
        cluster_id = desk.cluster(2)
        desk.decide(cluster_id, VerdictKind.UNSURE)
        row = desk.row(cluster_id)
        assert (row.status, row.verdict) == (ClusterStatus.SECOND_OPINION, None)
        assert set(desk.members(cluster_id).values()) == {"open"}
        with pytest.raises(Conflict, match="second opinion"):
            desk.decide(cluster_id, VerdictKind.REAL)
        desk.decide(cluster_id, VerdictKind.SPURIOUS, BEN)
        assert desk.row(cluster_id).verdict == VerdictKind.SPURIOUS

    def test_it_is_blind(self, desk: Desk) -> None:
        cluster_id = desk.cluster(1)
        desk.decide(cluster_id, VerdictKind.UNSURE, reason="looks like anna's own card")
        detail = desk.store.cluster(cluster_id, 1)
        assert detail is not None
        assert detail.verdicts == []
        assert desk.store.recent_verdicts(5, viewer="ben") == []
        assert len(desk.store.recent_verdicts(5, viewer="anna")) == 1
        with pytest.raises(Conflict) as refused:
            desk.decide(cluster_id, VerdictKind.REAL, BEN, revision=1)
        assert "anna" not in str(refused.value)
        assert "unsure" not in str(refused.value)
        desk.decide(cluster_id, VerdictKind.REAL, BEN)
        detail = desk.store.cluster(cluster_id, 1)
        assert detail is not None
        assert [verdict.kind for verdict in detail.verdicts] == ["real", "unsure"]

    def test_undoing_the_second_leaves_the_first(self, desk: Desk) -> None:
        cluster_id = desk.cluster(1)
        first = desk.decide(cluster_id, VerdictKind.UNSURE)
        second = desk.decide(cluster_id, VerdictKind.REAL, BEN)
        with pytest.raises(Conflict, match="ben has decided since"):
            desk.undo(first.verdict_id)
        desk.undo(second.verdict_id, BEN)
        assert desk.row(cluster_id).status is ClusterStatus.SECOND_OPINION
        desk.undo(first.verdict_id)
        assert desk.row(cluster_id).status is ClusterStatus.OPEN
        desk.decide(cluster_id, VerdictKind.REAL)


class TestUndo:
    def test_within_the_grace_it_never_was(self, desk: Desk) -> None:
        cluster_id = desk.cluster(3)
        verdict = desk.decide(cluster_id)
        position = desk.store.label_position(STREAM)
        undone = desk.undo(verdict.verdict_id, at=AT + GRACE - 1)
        assert undone.state == VerdictState.UNDONE
        assert desk.labels() == {}
        assert len(desk.labels(position)) == 3  # what a model knew then can be had again
        assert desk.store.label_position(STREAM) == position + 1
        row = desk.row(cluster_id)
        assert (row.status, row.verdict, row.revision) == (ClusterStatus.OPEN, None, 3)
        assert set(desk.members(cluster_id).values()) == {"open"}
        assert desk.publish(AT + 1e6) == []
        assert desk.store.outbox_topics() == []

    def test_late_but_not_yet_numbered_it_never_was_either(self, desk: Desk) -> None:
        verdict = desk.decide(desk.cluster(1))
        assert desk.undo(verdict.verdict_id, at=AT + 3600).state == VerdictState.UNDONE
        assert desk.publish(AT + 1e6) == []

    def test_after_numbering_it_is_retracted(self, desk: Desk) -> None:
        cluster_id = desk.cluster(3)
        verdict = desk.decide(cluster_id)
        desk.store.number_outbox("verified", 10, desk.relay, AT + GRACE)
        undone = desk.undo(verdict.verdict_id, at=AT + GRACE + 1)
        assert undone.state == VerdictState.RETRACTED
        assert desk.labels() == {}
        first, second = (value.split() for value in desk.publish(AT + GRACE + 1))
        assert first[0] == second[0]  # the same finding
        assert [first[1:], second[1:]] == [[b"1", b"verified", b"3"], [b"2", b"retracted", b"3"]]
        assert desk.store.recent_verdicts(1)[0].state == VerdictState.RETRACTED

    def test_after_publishing_it_is_retracted_at_once(self, desk: Desk) -> None:
        verdict = desk.decide(desk.cluster(1))
        assert len(desk.publish(AT + GRACE)) == 1
        assert desk.store.recent_verdicts(1)[0].state == VerdictState.PUBLISHED
        desk.undo(verdict.verdict_id, at=AT + 100)
        (retraction,) = desk.publish(AT + 100)
        assert b"2 retracted" in retraction

    def test_a_quiet_verdict_is_retracted_after_the_grace(self, desk: Desk) -> None:
        verdict = desk.decide(desk.cluster(1), VerdictKind.SPURIOUS)
        undone = desk.undo(verdict.verdict_id, at=AT + GRACE + 1)
        assert undone.state == VerdictState.RETRACTED
        assert desk.store.outbox_topics() == []

    def test_a_second_finding_is_another_one(self, desk: Desk) -> None:
        cluster_id = desk.cluster(1)
        first = desk.decide(cluster_id)
        desk.publish(AT + GRACE)
        desk.undo(first.verdict_id, at=AT + 20)
        desk.decide(cluster_id, at=AT + 30)
        retraction, again = desk.publish(AT + 60)
        assert retraction.split()[0] != again.split()[0]
        assert b"1 verified" in again

    def test_only_the_same_person_or_a_lead(self, desk: Desk) -> None:
        verdict = desk.decide(desk.cluster(1))
        with pytest.raises(NotAllowed, match="lead"):
            desk.undo(verdict.verdict_id, BEN)
        assert desk.undo(verdict.verdict_id, LEAD).state == VerdictState.UNDONE

    def test_only_once(self, desk: Desk) -> None:
        verdict = desk.decide(desk.cluster(1))
        desk.undo(verdict.verdict_id)
        with pytest.raises(Conflict, match="already"):
            desk.undo(verdict.verdict_id)
        with pytest.raises(NotFound):
            desk.undo("no-such-verdict")

    def test_a_retraction_is_learned_too(self, desk: Desk) -> None:
        verdict = desk.decide(desk.cluster(1))
        position = desk.store.label_position(STREAM)
        desk.commit(desk.part(label_position=position))
        assert not desk.undo(verdict.verdict_id).learned
        desk.commit(desk.part(label_position=position + 1))
        row = desk.store.verdict(verdict.verdict_id)
        assert row is not None
        assert (row.learned, row.model_before, row.model_after) == (True, position, position + 1)


def test_a_finding_speaks_of_the_read_members_only(desk: Desk) -> None:
    said: list[Finding] = []

    def message_of(finding: Finding) -> Message:
        said.append(finding)
        return to_message(finding)

    desk.triage = Triage(desk.store, message_of)
    members = desk.add(5)
    cluster_id = desk.group(members, title="5 payments")
    read = members[1:3]
    verdict = desk.decide(cluster_id, read=tuple(one.candidate_id for one in read))
    desk.publish(AT + GRACE + 1)
    desk.undo(verdict.verdict_id, at=AT + GRACE + 2)
    assert [finding.kind for finding in said] == ["verified", "retracted"]
    for finding in said:
        assert finding.title == "2 of 5 members read: 5 payments"
        assert finding.first_time == min(one.event_time for one in read)
        assert finding.last_time == max(one.event_time for one in read)
        assert finding.posterior == max(one.posterior for one in read)
    all_read = tuple(one.candidate_id for one in members)
    desk.decide(cluster_id, read=all_read, at=AT + 20)
    assert said[-1].title == "5 payments"


def test_the_grace_ends_by_itself(desk: Desk) -> None:
    desk.decide(desk.cluster(1), VerdictKind.SPURIOUS)
    desk.commit(desk.part(), at=AT + GRACE - 1)
    assert desk.store.recent_verdicts(1)[0].state == VerdictState.PENDING
    desk.commit(desk.part(), at=AT + GRACE)
    assert desk.store.recent_verdicts(1)[0].state == VerdictState.RECORDED


class TestRelay:
    def test_numbers_have_no_gap_and_wait_for_the_grace(self, desk: Desk) -> None:
        for name in "abc":
            desk.decide(desk.cluster(1, name), at=AT + ord(name) - ord("a"))
        number = desk.store.number_outbox
        assert number("verified", 10, desk.relay, AT + GRACE - 0.5) == []
        assert [row.sequence for row in number("verified", 10, desk.relay, AT + GRACE)] == [1]
        assert [row.sequence for row in number("verified", 10, desk.relay, AT + 99)] == [1, 2, 3]
        assert desk.store.outbox_topics() == ["verified"]
        desk.store.mark_published("verified", 2, desk.relay, AT + 99)
        assert [row.sequence for row in number("verified", 10, desk.relay, AT + 99)] == [3]
        desk.store.mark_published("verified", 3, desk.relay, AT + 99)
        desk.store.mark_published("verified", 1, desk.relay, AT + 99)  # late news
        assert number("verified", 10, desk.relay, AT + 99) == []
        assert desk.store.outbox_topics() == []

    def test_no_more_than_asked_for_are_under_way(self, desk: Desk) -> None:
        for name in "abc":
            desk.decide(desk.cluster(1, name))
        number = desk.store.number_outbox
        assert len(number("verified", 2, desk.relay, AT + 99)) == 2
        assert len(number("verified", 2, desk.relay, AT + 99)) == 2
        desk.store.mark_published("verified", 2, desk.relay, AT + 99)
        assert [row.sequence for row in number("verified", 2, desk.relay, AT + 99)] == [3]

    def test_topics_are_numbered_apart(self, desk: Desk) -> None:
        desk.decide(desk.cluster(1))
        (row,) = desk.store.number_outbox("verified", 9, desk.relay, AT + 99)
        assert (row.topic, row.sequence, row.headers) == ("verified", 1, (("kind", b"f"),))
        assert desk.store.number_outbox("other", 9, desk.relay, AT + 99) == []

    def test_publishing_what_has_no_number_is_refused(self, desk: Desk) -> None:
        with pytest.raises(Invalid, match="beyond"):
            desk.store.mark_published("verified", 1, desk.relay, AT)

    def test_an_old_relay_is_fenced(self, desk: Desk) -> None:
        from_now_on = desk.store.acquire_lease(RELAY_LEASE, "relay-2", AT + 2e9, 10)
        assert from_now_on == desk.relay + 1
        desk.decide(desk.cluster(1))
        for call in (
            lambda: desk.store.number_outbox("verified", 9, desk.relay, AT + 99),
            lambda: desk.store.mark_published("verified", 0, desk.relay, AT + 99),
        ):
            with pytest.raises(Fenced, match="relay-2"):
                call()
        assert len(desk.store.number_outbox("verified", 9, from_now_on, AT + 99)) == 1

    def test_boards_hear_of_it(self, desk: Desk) -> None:
        verdict = desk.decide(desk.cluster(1))
        before = desk.store.status(AT).position
        desk.publish(AT + 99)
        (change,) = desk.store.changes_after(before, 9)
        assert (change.kind, change.data) == ("published", {"verdicts": [verdict.verdict_id]})


def test_the_audit_trail_tells_who_changed_what(desk: Desk, url: str) -> None:
    cluster_id = desk.cluster(2)
    desk.policy(audit_share=0.0)
    read = desk.first(cluster_id)
    verdict = desk.decide(cluster_id, VerdictKind.EXPECTED, reason="holiday", read=read)
    desk.undo(verdict.verdict_id, LEAD, AT + 5)
    with closing(Database(url)) as database, database.read() as connection:
        first, second = connection.execute(sa.select(t.audit).order_by(t.audit.c.seq)).mappings()
    assert (first["seq"], first["at"], first["actor"], first["role"], first["action"]) == (
        1, AT, "anna", "analyst", "verdict",
    )  # fmt: skip
    assert first["object"] == f"cluster/{cluster_id}"
    assert json.loads(first["before"]) == {"status": "open", "revision": 1, "verdict": None}
    after = json.loads(first["after"])
    assert (after["status"], after["revision"], after["verdict"]) == ("decided", 2, "expected")
    assert (after["reason"], after["scope"], after["propagated"]) == ("holiday", "this customer", 1)
    assert (second["actor"], second["role"], second["action"]) == ("lea", "lead", "undo")
    assert json.loads(second["after"])["state"] == "undone"
    assert first["request_id"] != second["request_id"]
