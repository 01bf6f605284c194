"""Events that no detector showed: reported as real, counted in records, taken back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.cases import ANNA, AT, BANK, BEN, LEAD, STREAM, VIEWER, Desk, identity
from triage.commands import (
    ReportMissed,
    ReportTruth,
    RetractTruth,
    RollBack,
    TakeBackMissed,
    UndoRollBack,
)
from triage.errors import Invalid, NotAllowed, NotFound
from triage.late_truth import LateJoins
from triage.model import Actor, VerdictKind
from triage.policy import Policy
from triage.queries import EntityEvent
from triage.store import tables as t
from triage.store.database import Database
from triage.truth import MISSED, TruthOutcome, TruthReport

BEFORE = AT - 5000  # of the event in every candidate's context
ITS = {"customer": "c0", "terminal": "881"}
FIRST = identity(STREAM, 0, 0)  # the candidate beside which they are kept


def kept(*times: float, **fields: str) -> tuple[Mapping[str, Any], ...]:
    """Return a context with ordinary events at these times."""
    known = {"terminal": "881", "amount": 30.0, **fields}
    return tuple({"time": time, "fields": known} for time in times)


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """Beside a candidate of customer c0 some ordinary events are kept."""
    desk.policy(analyst_day_weight=3.0)
    desk.cluster(1, entities=ITS, entity="c0", context=kept(*(BEFORE + i for i in range(6))))
    return desk


def missed(
    time: float = BEFORE, entities: Mapping[str, str] = ITS, beside: str = FIRST
) -> ReportMissed:
    return ReportMissed(STREAM, entities, time, beside)


def report(desk: Desk, actor: Actor = ANNA, at: float = AT, **given: Any) -> TruthOutcome:
    return desk.triage.missed(missed(**given), actor, at)


def take_back(desk: Desk, actor: Actor = ANNA, at: float = AT, **given: Any) -> TruthOutcome:
    one = missed(**given)
    return desk.triage.missed(TakeBackMissed(one.stream, one.entities, one.time), actor, at)


def told(desk: Desk) -> list[tuple[float, float, str]]:
    """Return (y, event time, source) of what is known of events that were no candidates."""
    labels = desk.store.labels_at(STREAM, desk.store.label_position(STREAM))
    return [(one.y, one.event_time, one.source) for one in labels if not one.vector]


def test_a_report_counts_in_the_records_of_its_entities_until_it_is_taken_back(desk: Desk) -> None:
    start = desk.store.label_position(STREAM)
    assert report(desk) == TruthOutcome(received=1, waiting=1)
    there = desk.store.label_position(STREAM)
    assert there > start  # so that workers see that there is something new
    (label,) = desk.store.labels_at(STREAM, there)
    assert (label.y, label.event_time, label.entities) == (1.0, BEFORE, ITS)
    assert report(desk, BEN, AT + 9) == TruthOutcome(received=1, repeated=1)
    assert desk.store.label_position(STREAM) == there
    assert take_back(desk) == TruthOutcome(received=1, retracted=1)
    assert told(desk) == []
    assert len(desk.store.labels_at(STREAM, there)) == 1  # a replay up to there still learns it
    assert report(desk) == TruthOutcome(received=1, waiting=1)


@pytest.mark.parametrize("fewer", [ITS, {"terminal": "881"}, {**ITS, "country": "TR"}])
def test_what_is_a_candidate_is_decided_as_its_cluster(
    desk: Desk, fewer: Mapping[str, str]
) -> None:
    (candidate,) = desk.add(1, entities=ITS, event_time=BEFORE)  # also kept beside another one
    with pytest.raises(Invalid, match="give a verdict"):
        report(desk, time=candidate.event_time, entities=fewer)
    assert told(desk) == []


@pytest.mark.parametrize(
    "unknown",
    [
        {"time": BEFORE + 0.5},
        {"time": 4e9},
        {"entities": {"customer": "c1"}},
        {"entities": {"x": "c0"}},
        {"beside": identity(STREAM, 0, 99)},
    ],
)
def test_only_what_is_kept_beside_a_candidate_can_be_reported(
    desk: Desk, unknown: Mapping[str, Any]
) -> None:
    with pytest.raises(NotFound, match="no such event is kept"):
        report(desk, **unknown)
    assert told(desk) == []


def test_an_event_of_a_stream_without_a_key(desk: Desk) -> None:
    (candidate,) = desk.add(1, entity="", entities={"terminal": "881"}, context=kept(BEFORE + 9))
    here: dict[str, Any] = {"entities": {"terminal": "881"}, "beside": candidate.candidate_id}
    assert report(desk, time=BEFORE + 9, **here).waiting == 1
    with pytest.raises(Invalid, match="give a verdict"):
        report(desk, time=candidate.event_time, entities={"terminal": "881"})


def test_it_never_joins_a_candidate_that_comes_later(desk: Desk) -> None:
    report(desk)
    desk.add(1, event_time=BEFORE + 0.2, entities=ITS, entity="c0")
    LateJoins(desk.store, STREAM, lambda: AT).step()
    assert desk.labels() == {}


def test_late_truth_and_verdicts_on_the_same_event_outrank_it(desk: Desk) -> None:
    report(desk)
    report(desk, time=BEFORE + 1)
    own = {"customer": "c0", "country": "TR"}  # as the bank knows it, and when
    bank = TruthReport(id="cb", real=False, entities=own, time=BEFORE - 0.6)
    desk.triage.tell(ReportTruth(STREAM, "bank", (bank,)), BANK, AT)
    assert [one[2] for one in told(desk)] == ["bank"]  # both lie within a minute of it
    desk.triage.tell(RetractTruth(STREAM, "bank", ("cb",)), BANK, AT)
    assert len(told(desk)) == 2
    became = desk.group(desk.add(1, event_time=BEFORE + 1, entities=ITS, entity="c0"), "late")
    desk.decide(became, VerdictKind.SPURIOUS)
    assert told(desk) == [(1.0, BEFORE, MISSED)]


def test_what_knows_no_entities_is_no_event(desk: Desk) -> None:
    desk.add(1, event_time=BEFORE, entities={}, entity="")  # such as what tells of schema drift
    assert report(desk).waiting == 1


def test_an_event_is_the_same_through_a_candidate_that_knows_less_of_it(desk: Desk) -> None:
    report(desk)
    mine = {"customer": "c0"}
    desk.cluster(1, "k2", entities=mine, entity="c0", context=kept(BEFORE))
    second: dict[str, Any] = {"entities": mine, "beside": identity(STREAM, 0, 1)}
    assert report(desk, BEN, **second).repeated == 1
    assert {event.missed_by for event in events(desk) if event.time == BEFORE} == {"anna"}
    assert take_back(desk, entities=mine).retracted == 1


def test_two_entities_with_the_keys_value_are_not_mixed_up(desk: Desk) -> None:
    same = {"sender": "a", "receiver": "a"}
    desk.cluster(1, "k2", entities=same, entity="a", context=({"time": 5.0, "fields": {"x": 1.0}},))
    with pytest.raises(NotFound):
        report(desk, time=5.0, entities=same)


@pytest.mark.parametrize("actor", [VIEWER, BANK])
def test_it_takes_somebody_who_decides(desk: Desk, actor: Actor) -> None:
    with pytest.raises(NotAllowed, match="analyst, lead"):
        report(desk, actor)


def test_others_reports_are_taken_back_by_leads(desk: Desk) -> None:
    report(desk)
    with pytest.raises(NotAllowed, match="undo_others"):
        take_back(desk, BEN)
    assert take_back(desk, LEAD).retracted == 1
    with pytest.raises(NotFound, match="nobody has reported"):
        take_back(desk, LEAD)


def test_one_analysts_day_has_the_limit_of_labels(desk: Desk) -> None:
    for number in range(3):
        report(desk, time=BEFORE + number)
    with pytest.raises(Invalid, match="may report 3 events of a stream on one day"):
        report(desk, time=BEFORE + 3)
    assert report(desk, BEN, time=BEFORE + 3).received == 1
    assert report(desk, at=AT + 86_400, time=BEFORE + 4).received == 1


def test_an_unknown_stream_and_the_name_of_another_source_are_refused(desk: Desk) -> None:
    with pytest.raises(NotFound):
        desk.triage.missed(ReportMissed("other", ITS, BEFORE, FIRST), ANNA, AT)
    one = TruthReport(id="1", real=True, event_id="e0")
    with pytest.raises(Invalid, match="'missed' is kept"):
        desk.triage.tell(ReportTruth(STREAM, MISSED, (one,)), BANK, AT)


def test_a_roll_back_takes_them_with_the_verdicts_and_gives_them_back(desk: Desk) -> None:
    report(desk)
    report(desk, BEN, time=BEFORE + 1)
    before = told(desk)
    done = desk.triage.roll_back(RollBack("anna", AT - 1, AT + 1), LEAD, AT + 5)
    assert len(done.taken) == 1
    assert told(desk) == [(1.0, BEFORE + 1, MISSED)]
    desk.triage.roll_back(UndoRollBack(done.rollback_id), LEAD, AT + 6)
    assert sorted(told(desk)) == sorted(before)
    again = desk.triage.roll_back(RollBack("anna", AT - 1, AT + 1), LEAD, AT + 7)  # old times
    report(desk, at=AT + 8)
    desk.triage.roll_back(UndoRollBack(again.rollback_id), LEAD, AT + 9)
    assert len(told(desk)) == 2  # once, though it was reported again meanwhile
    last = desk.triage.roll_back(RollBack("anna", AT - 1, AT + 9), LEAD, AT + 10)
    report(desk, at=AT + 11)
    take_back(desk, LEAD, at=AT + 12)
    desk.triage.roll_back(UndoRollBack(last.rollback_id), LEAD, AT + 13)
    assert told(desk) == [(1.0, BEFORE + 1, MISSED)]  # a lead has spoken since


def events(desk: Desk) -> list[EntityEvent]:
    entity = desk.store.entity("customer", "c0", 10)
    assert entity is not None
    return list(entity.events)


def test_the_entitys_page_knows_each_event_and_who_reported_it(desk: Desk) -> None:
    ordinary, *_, candidate = events(desk)
    assert (ordinary.stream, ordinary.entities, ordinary.candidate_id) == (STREAM, ITS, None)
    assert candidate.candidate_id is not None
    report(desk, time=ordinary.time, entities=ordinary.entities)
    assert [event.missed_by for event in events(desk)] == ["anna", *[None] * 6]
    take_back(desk)
    assert [event.missed_by for event in events(desk)] == [None] * 7


def test_who_gives_a_second_opinion_is_not_told_of_others_reports(desk: Desk) -> None:
    report(desk)
    cluster = desk.cluster(1, "k2", entities=ITS, entity="c0")
    desk.decide(cluster, VerdictKind.UNSURE)

    def seen_by(name: str) -> set[str | None]:
        entity = desk.store.entity("customer", "c0", 10, name)
        assert entity is not None
        return {event.missed_by for event in entity.events if event.time == BEFORE}

    assert [seen_by(name) for name in ("anna", "ben")] == [{"anna"}, {None}]
    desk.cluster(1, "k3", entities=ITS, entity="c0", event_time=AT + 9)  # a newer one hides it not
    entity = desk.store.entity("customer", "c0", 1, "ben")
    assert entity is not None
    assert not any(event.missed_by for event in entity.events)


def test_a_value_that_the_board_hides_is_no_entitys_name(desk: Desk) -> None:
    desk.store.register_config(STREAM, "v2", "text", AT, "Payments", Policy(masked=("terminal",)))
    assert events(desk)[0].entities == {"customer": "c0"}


def test_both_ways_are_audited(desk: Desk, url: str) -> None:
    report(desk)
    take_back(desk, LEAD)
    with closing(Database(url)) as database, database.read() as connection:
        rows = connection.execute(sa.select(t.audit).order_by(t.audit.c.seq)).mappings().all()
    entries = [(row["action"], row["actor"], json.loads(row["after"])) for row in rows[-2:]]
    said = {"entities": ITS, "time": BEFORE}
    assert entries == [("report_missed", "anna", said), ("take_back_missed", LEAD.name, said)]
