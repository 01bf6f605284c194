"""A second reader disagrees: nothing is overwritten, a lead decides."""

from __future__ import annotations

import dataclasses

import pytest

from tests.support.cases import ANNA, AT, BEN, LEAD, STREAM, VIEWER, Desk
from triage.cases import Dispute, DisputeState
from triage.commands import DisputeVerdict, SettleDispute
from triage.errors import Conflict, Invalid, NotAllowed, NotFound
from triage.model import Actor, ClusterStatus, VerdictKind, VerdictState
from triage.queries import ClusterDetail, QueueFilter, QueueRow

OTHER_LEAD = Actor("lou", "lead")
SPURIOUS = VerdictKind.SPURIOUS
DISPUTED = QueueFilter(status=None, disputed=True)


def disagree(
    desk: Desk, cluster: str, verdict: str, kind: VerdictKind = SPURIOUS, actor: Actor = BEN
) -> Dispute:
    command = DisputeVerdict(verdict, kind, desk.first(cluster), f"{actor.name}-{kind}", "no")
    return desk.triage.dispute(command, actor, AT + 60)


def settle(desk: Desk, dispute: Dispute, actor: Actor) -> Dispute:
    return desk.triage.dispute(SettleDispute(dispute.dispute_id, "settle", "seen"), actor, AT + 90)


def detail(desk: Desk, cluster: str) -> ClusterDetail:
    found = desk.store.cluster(cluster, 1)
    assert found is not None
    return found


def listed(desk: Desk) -> list[QueueRow]:
    return list(desk.store.queue(DISPUTED, 0, 10).rows)


def test_the_verdict_stands_until_a_lead_decides(desk: Desk) -> None:
    cluster, other = desk.cluster(2), desk.cluster(1, "other")
    verdict = desk.decide(cluster)
    desk.decide(other)
    begun = disagree(desk, cluster, verdict.verdict_id)
    assert detail(desk, cluster).disputes == [begun]
    assert (begun.state, begun.kind, begun.actor) == (DisputeState.OPEN, SPURIOUS, "ben")
    row = desk.row(cluster)
    assert (row.status, row.verdict) == (ClusterStatus.DECIDED, VerdictKind.REAL)
    assert [one.cluster_id for one in listed(desk)] == [cluster]
    assert desk.store.status(AT).disputed_clusters == 1
    kept = settle(desk, begun, LEAD)
    assert (kept.state, kept.settled_by, kept.answer) == (DisputeState.KEPT, "lea", "seen")
    assert detail(desk, cluster).disputes == [kept]
    assert listed(desk) == []
    assert desk.row(cluster).verdict == VerdictKind.REAL


def test_a_lead_who_takes_the_verdict_back_ends_it(desk: Desk) -> None:
    cluster = desk.cluster(2)
    verdict = desk.decide(cluster)
    disagree(desk, cluster, verdict.verdict_id)
    desk.undo(verdict.verdict_id, LEAD, AT + 100)
    (ended,) = detail(desk, cluster).disputes
    assert (ended.state, ended.settled_by) == (DisputeState.ACCEPTED, "lea")
    assert listed(desk) == []
    assert desk.row(cluster).status is ClusterStatus.OPEN
    desk.decide(cluster, SPURIOUS, LEAD, at=AT + 200)
    assert [str(one.state) for one in detail(desk, cluster).verdicts] == [
        VerdictState.PENDING,
        VerdictState.UNDONE,
    ]


def test_whose_it_is_may_end_it(desk: Desk) -> None:
    cluster = desk.cluster(1)
    verdict = desk.decide(cluster)
    withdrawn = settle(desk, disagree(desk, cluster, verdict.verdict_id), BEN)
    assert withdrawn.state is DisputeState.WITHDRAWN
    again = disagree(desk, cluster, verdict.verdict_id, VerdictKind.EXPECTED)
    desk.undo(verdict.verdict_id, ANNA)
    ended = {one.dispute_id: one for one in detail(desk, cluster).disputes}
    assert len(ended) == 2
    assert ended[again.dispute_id].settled_by == "anna"


def test_neither_another_analyst_nor_who_is_disputed_keeps_the_verdict(desk: Desk) -> None:
    cluster = desk.cluster(1)
    verdict = desk.decide(cluster, actor=LEAD)
    begun = disagree(desk, cluster, verdict.verdict_id)
    with pytest.raises(NotAllowed, match="lead"):
        settle(desk, begun, ANNA)
    with pytest.raises(NotAllowed, match="another lead"):
        settle(desk, begun, LEAD)
    assert settle(desk, begun, OTHER_LEAD).state is DisputeState.KEPT
    with pytest.raises(Conflict, match="over: kept by lou"):
        desk.triage.dispute(SettleDispute(begun.dispute_id, "again"), BEN, AT)


def test_what_nobody_read_is_no_longer_taught(desk: Desk) -> None:
    cluster = desk.cluster(6)
    read = desk.first(cluster, 2)
    verdict = desk.decide(cluster, read=read)
    assert set(desk.labels()) > set(read)
    disagree(desk, cluster, verdict.verdict_id)
    assert set(desk.labels()) == set(read)
    assert {y for y, _ in desk.labels().values()} == {1.0}


def test_two_kinds_of_dismissal_teach_the_same(desk: Desk) -> None:
    cluster = desk.cluster(6)
    verdict = desk.decide(cluster, SPURIOUS, read=desk.first(cluster, 2))
    before = desk.labels()
    disagree(desk, cluster, verdict.verdict_id, VerdictKind.EXPECTED)
    assert desk.labels() == before


def test_the_same_again_changes_nothing(desk: Desk) -> None:
    cluster = desk.cluster(1)
    verdict = desk.decide(cluster)
    begun = disagree(desk, cluster, verdict.verdict_id)
    before = desk.store.status(AT)
    assert disagree(desk, cluster, verdict.verdict_id) == begun
    assert desk.store.status(AT) == before


def test_what_can_not_be_disputed(desk: Desk) -> None:
    cluster = desk.cluster(2)
    verdict = desk.decide(cluster)
    ask = DisputeVerdict(verdict.verdict_id, SPURIOUS, desk.first(cluster), "k")
    wrong = [
        (dataclasses.replace(ask, verdict_id="none"), BEN, NotFound, "no verdict"),
        (dataclasses.replace(ask, kind=VerdictKind.REAL), BEN, Invalid, "if not real"),
        (dataclasses.replace(ask, kind=VerdictKind.UNSURE), BEN, Invalid, "what it is"),
        (dataclasses.replace(ask, read=("stranger",)), BEN, Invalid, "not in this cluster"),
        (dataclasses.replace(ask, read=()), BEN, Invalid, "name the members"),
        (ask, ANNA, Invalid, "your own"),
        (ask, VIEWER, NotAllowed, "analyst"),
    ]
    for command, actor, error, words in wrong:
        with pytest.raises(error, match=words):
            desk.triage.dispute(command, actor, AT)
    disagree(desk, cluster, verdict.verdict_id)
    with pytest.raises(Conflict, match="ben has disagreed already"):
        disagree(desk, cluster, verdict.verdict_id, actor=OTHER_LEAD)
    desk.undo(verdict.verdict_id)
    with pytest.raises(Conflict, match="not the one that stands"):
        desk.triage.dispute(ask, BEN, AT)
    assert desk.store.status(AT).disputed_clusters == 0
    assert desk.row(cluster).stream == STREAM
