"""Late truth: in, joined, in force, back."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.cases import ANNA, AT, BANK, LEAD, STREAM, VIEWER, Desk, identity
from triage.commands import ReportTruth
from triage.errors import Invalid, NotAllowed, NotFound
from triage.late_truth import BATCH, EVERY_S, LateJoins
from triage.model import Actor, VerdictKind
from triage.queries import TruthSource
from triage.store import tables as t
from triage.store.database import Database
from triage.truth import TruthOutcome, TruthReport


def report(number: int = 1, real: bool = True, **given: Any) -> TruthReport:
    return TruthReport(id=f"cb-{number}", real=real, **(given or {"event_id": "e0"}))


@pytest.fixture
def desk(desk: Desk) -> Desk:
    desk.policy()
    return desk


def test_it_joins_by_id_event_and_entity_with_its_delay(desk: Desk) -> None:
    first, second, third = desk.add(3)
    outcome = desk.tell(
        report(1, candidate_id=first.candidate_id),
        report(2, event_id="e1", real=False),
        report(3, entities={"customer": "c1"}, time=third.event_time + 0.4),
        report(4, event_id="never"),
        at=AT + 60,
    )
    assert outcome == TruthOutcome(received=4, joined=3, waiting=1)
    assert desk.labels() == {
        first.candidate_id: (1.0, 1.0),
        second.candidate_id: (0.0, 1.0),
        third.candidate_id: (1.0, 1.0),
    }
    label = desk.store.labels_at(STREAM, 99)[0]
    assert (label.source, label.at - label.event_time) == ("chargebacks", 1060.0)
    assert desk.store.truth_sources() == [
        TruthSource(STREAM, "chargebacks", 3, 1, 0, AT + 60),
    ]


def test_the_same_again_changes_nothing(desk: Desk) -> None:
    desk.add(1)
    desk.tell(report())
    position = desk.store.label_position(STREAM)
    assert desk.tell(report(), at=AT + 5) == TruthOutcome(received=1, repeated=1)
    assert desk.store.label_position(STREAM) == position


def test_another_content_replaces_what_was_said(desk: Desk) -> None:
    (candidate,) = desk.add(1)
    desk.tell(report())
    before = desk.store.label_position(STREAM)
    outcome = desk.tell(report(real=False))
    assert outcome == TruthOutcome(received=1, joined=1, replaced=1)
    assert desk.labels() == {candidate.candidate_id: (0.0, 1.0)}
    assert desk.labels(before) == {candidate.candidate_id: (1.0, 1.0)}  # a replay still learns it


def test_of_two_reports_with_one_id_the_last_counts(desk: Desk) -> None:
    (candidate,) = desk.add(1)
    desk.tell(report(real=True), report(real=False))
    assert desk.labels() == {candidate.candidate_id: (0.0, 1.0)}


def test_it_outranks_the_verdict_and_gives_way_when_taken_back(desk: Desk) -> None:
    cluster_id = desk.cluster(1)
    (member,) = desk.members(cluster_id)
    desk.decide(cluster_id, VerdictKind.SPURIOUS)
    assert desk.tell(report(event_id="e0")).contradicting == 1
    assert desk.labels() == {member: (1.0, 1.0)}
    assert desk.tell(report(event_id="e0", real=False), source="police").contradicting == 0
    assert desk.labels() == {member: (0.0, 1.0)}  # the newest truth
    assert desk.retract("cb-1", source="police") == TruthOutcome(received=1, retracted=1)
    assert desk.labels() == {member: (1.0, 1.0)}
    desk.retract("cb-1")
    assert desk.labels() == {member: (0.0, 1.0)}
    detail = desk.store.cluster(cluster_id, 1)
    assert detail is not None
    assert detail.truths == []
    assert desk.store.truth_sources() == []


def test_the_cluster_shows_it_beside_the_verdict(desk: Desk) -> None:
    cluster_id = desk.cluster(2)
    desk.decide(cluster_id, VerdictKind.SPURIOUS)
    before = desk.store.status(AT).position
    desk.tell(report(1, event_id="e0"), report(2, event_id="e1", real=False), at=AT + 1)
    detail = desk.store.cluster(cluster_id, 2)
    assert detail is not None
    shown = {truth.id: (truth.real, truth.contradicts, truth.delay_s) for truth in detail.truths}
    assert shown == {"cb-1": (True, True, 1001.0), "cb-2": (False, False, 1000.0)}
    assert desk.store.truth_sources() == [TruthSource(STREAM, "chargebacks", 2, 0, 1, AT + 1)]
    (change,) = desk.store.changes_after(before, 10)
    assert (change.kind, change.data["ids"]) == ("clusters", [cluster_id])


class Clock:
    def __init__(self) -> None:
        self.now = AT

    def __call__(self) -> float:
        return self.now


def test_what_came_before_its_candidate_joins_it_later(desk: Desk) -> None:
    desk.tell(
        report(1, event_id="e0"),
        report(2, candidate_id=identity(STREAM, 0, 1)),
        report(3, entities={"customer": "c1"}, time=AT - 1000 + 2),
        report(4, event_id="never"),
    )
    desk.retract("cb-1")
    desk.tell(report(1, event_id="e0", real=False))
    empty = desk.store.label_position(STREAM)
    assert desk.labels() == {}
    clock = Clock()
    joins = [LateJoins(desk.store, STREAM, clock), LateJoins(desk.store, STREAM, clock)]
    first, second, third = desk.add(3)
    assert [each.step() for each in joins] == [True, False]
    assert desk.labels() == {
        first.candidate_id: (0.0, 1.0),
        second.candidate_id: (1.0, 1.0),
        third.candidate_id: (1.0, 1.0),
    }
    assert desk.labels(empty) == {}
    assert desk.store.truth_sources()[0].waiting == 1
    done = desk.store.label_position(STREAM)
    clock.now += EVERY_S
    assert not joins[0].step()
    assert desk.store.label_position(STREAM) == done


def test_many_candidates_are_looked_at_in_bounded_steps(desk: Desk) -> None:
    desk.tell(report(1, event_id=f"e{BATCH}"))
    desk.add(BATCH + 1)
    joins = LateJoins(desk.store, STREAM, Clock())
    assert joins.step()
    assert desk.labels() == {}
    assert joins.step()
    assert len(desk.labels()) == 1


def test_an_event_that_was_no_candidate_counts_for_its_entities(desk: Desk) -> None:
    who = {"customer": "c1", "terminal": "881"}
    desk.tell(report(1, entities=who, time=AT - 1000), report(2, event_id="e0", real=False))
    (label,) = desk.store.labels_at(STREAM, 99)
    assert (label.y, label.entities, label.event_time, label.vector) == (1.0, who, AT - 1000, b"")
    alone = desk.store.label_position(STREAM)
    (candidate,) = desk.add(1)
    LateJoins(desk.store, STREAM, Clock()).step()
    labels = desk.store.labels_at(STREAM, 99)
    assert {label.candidate_id for label in labels} == {candidate.candidate_id}
    assert desk.store.labels_at(STREAM, alone) == [label]  # a replay sees it as it was
    desk.retract("cb-1", "cb-2")
    assert desk.store.labels_at(STREAM, 99) == []
    assert desk.store.labels_at(STREAM, alone) == [label]


def test_every_truth_has_a_place_in_the_label_log(desk: Desk) -> None:
    desk.tell(report(1, event_id="x"), report(2, event_id="y"))
    assert desk.store.label_position(STREAM) == 2
    desk.decide(desk.cluster(1))
    assert desk.store.label_position(STREAM) == 3


@pytest.mark.parametrize("actor", [ANNA, VIEWER])
def test_only_services_and_leads_tell_it(desk: Desk, actor: Actor) -> None:
    command = ReportTruth(STREAM, "chargebacks", (report(),))
    with pytest.raises(NotAllowed, match="lead, service"):
        desk.triage.tell(command, actor, AT)
    desk.triage.tell(command, LEAD, AT)


def test_what_is_refused(desk: Desk) -> None:
    with pytest.raises(Invalid, match="no stream"):
        desk.triage.tell(ReportTruth("other", "x", (report(),)), BANK, AT)
    with pytest.raises(Invalid, match="at a time"):
        desk.tell()
    with pytest.raises(Invalid, match="source"):
        desk.tell(report(), source="")
    desk.tell(report())
    position = desk.store.label_position(STREAM)
    with pytest.raises(NotFound, match="cb-2"):
        desk.retract("cb-1", "cb-2")
    assert desk.store.label_position(STREAM) == position  # nothing happened


def test_the_audit_trail_tells_who_and_which(desk: Desk, url: str) -> None:
    desk.tell(report(1), report(2, event_id="x"))
    with closing(Database(url)) as database, database.read() as connection:
        row = connection.execute(sa.select(t.audit)).mappings().one()
    assert (row["actor"], row["action"], row["object"]) == ("bank", "truth", f"stream/{STREAM}")
    after = json.loads(row["after"])
    assert (after["source"], after["reports"], after["from_position"]) == ("chargebacks", 2, 1)
