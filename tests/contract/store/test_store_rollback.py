"""An analyst's labels: weighed, taken back as if they had never been, given back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing

import pytest
import sqlalchemy as sa

from tests.support.cases import ANNA, AT, BEN, LEAD, STREAM, Desk
from triage.cases import Rollback
from triage.commands import RollBack, UndoRollBack
from triage.errors import Conflict, Invalid, NotAllowed, NotFound
from triage.expiry import Expiry
from triage.model import ClusterStatus, SuppressionState, VerdictKind
from triage.reliability import Reliability
from triage.store import tables as t
from triage.store.database import Database
from triage.truth import TruthReport

HOUR = 3_600.0


@pytest.fixture
def desk(desk: Desk) -> Desk:
    desk.policy(analyst_day_weight=3.0)
    return desk


def roll_back(desk: Desk, since: float = AT, until: float = AT + HOUR) -> Rollback:
    return desk.triage.roll_back(RollBack("anna", since, until, "taken over"), LEAD, AT + HOUR)


def undo(desk: Desk, done: Rollback, at: float = AT + 2 * HOUR) -> Rollback:
    return desk.triage.roll_back(UndoRollBack(done.rollback_id), LEAD, at)


def days_work(desk: Desk, *, with_anna: bool) -> None:
    """Two analysts, one of them wrong, and truth about what both have read."""
    for number in range(4):
        ours = desk.cluster(3, f"{desk.stream} anna {number}")
        theirs = desk.cluster(3, f"{desk.stream} ben {number}")
        if with_anna:
            desk.decide(ours, VerdictKind.SPURIOUS, ANNA, AT + number)
        desk.decide(theirs, VerdictKind.REAL, BEN, AT + number)
    told = [TruthReport(id=str(i), real=True, event_id=f"e{i}") for i in range(0, 24, 5)]
    desk.tell(*told)


def by_event(desk: Desk) -> Mapping[float, tuple[float, float]]:
    """Return the labels by their events' times: the same in two streams that saw the same."""
    labels = desk.store.labels_at(desk.stream, desk.store.label_position(desk.stream))
    return {label.event_time: (label.y, label.weight) for label in labels}


def test_after_it_the_labels_are_those_of_a_stream_that_never_had_them(desk: Desk) -> None:
    other = Desk(desk.store, "other")
    other.policy(analyst_day_weight=3.0)
    days_work(other, with_anna=False)
    days_work(desk, with_anna=True)
    before, place = by_event(desk), desk.store.label_position(STREAM)
    assert before != by_event(other)
    done = roll_back(desk)
    assert len(done.taken) == 4
    assert by_event(desk) == by_event(other)
    assert len(desk.labels(place)) == len(before)  # a replay up to there still learns them
    undo(desk, done)
    assert by_event(desk) == before
    again = roll_back(desk)
    assert by_event(desk) == by_event(other)
    undo(desk, again)
    assert by_event(desk) == before


def test_only_the_period_is_taken_and_the_cluster_stays_decided(desk: Desk) -> None:
    early, late = desk.cluster(1, "early"), desk.cluster(1, "late")
    desk.decide(early, at=AT)
    kept = desk.labels()
    late_verdict = desk.decide(late, at=AT + 60)
    done = roll_back(desk, since=AT + 60)
    assert [verdict_id for verdict_id, _ in done.taken] == [late_verdict.verdict_id]
    assert desk.labels() == kept
    assert desk.row(late).status is ClusterStatus.DECIDED
    assert desk.store.rollbacks() == [done]
    assert desk.store.verdict(late_verdict.verdict_id) is not None


def test_what_stands_no_more_is_not_given_back(desk: Desk) -> None:
    undone = desk.decide(desk.cluster(1, "undone"), at=AT)
    expired = desk.decide(
        desk.cluster(1, "expired"), VerdictKind.EXPECTED, at=AT, expires_at=AT + HOUR + 1
    )
    done = roll_back(desk)
    desk.undo(undone.verdict_id, at=AT + HOUR)
    undo(desk, done)
    assert desk.labels() == {}
    assert expired.verdict_id in {verdict_id for verdict_id, _ in done.taken}


def test_given_back_labels_of_an_expected_verdict_still_expire(desk: Desk) -> None:
    desk.decide(desk.cluster(1), VerdictKind.EXPECTED, at=AT, expires_at=AT + 9 * HOUR)
    undo(desk, roll_back(desk))
    assert len(desk.labels()) == 1
    assert Expiry(desk.store, lambda: AT + 9 * HOUR).step()
    assert desk.labels() == {}


def test_what_it_kept_out_of_the_queue_is_open_again(desk: Desk) -> None:
    desk.decide(desk.cluster(1, "first"), VerdictKind.EXPECTED, at=AT)
    hidden = desk.cluster(1, "hidden")
    assert desk.row(hidden).status is ClusterStatus.SUPPRESSED
    roll_back(desk)
    assert desk.row(hidden).status is ClusterStatus.OPEN
    assert desk.store.suppressions()[0].state is SuppressionState.UNDONE


def test_analysts_are_shown_with_their_evidence(desk: Desk) -> None:
    days_work(desk, with_anna=True)
    anna, ben = desk.store.analysts()
    assert (anna.analyst, ben.analyst) == ("anna", "ben")
    assert anna.disagreed > 0
    assert anna.agreed == 0
    assert (ben.disagreed, ben.weight) == (0, 1.0)
    assert anna.weight < 1.0


def test_who_is_overruled_weighs_less_elsewhere_and_who_corrects_himself_does_not(
    desk: Desk,
) -> None:
    elsewhere = desk.cluster(1, "elsewhere")
    (member,) = desk.members(elsewhere)
    desk.decide(elsewhere, VerdictKind.SPURIOUS, ANNA)
    for number, overruler in enumerate((ANNA, LEAD, LEAD)):
        cluster_id = desk.cluster(1, f"k{number}")
        wrong = desk.decide(cluster_id, VerdictKind.SPURIOUS, ANNA)
        desk.undo(wrong.verdict_id, overruler)
        place = desk.store.label_position(STREAM)
        assert desk.labels()[member][1] == Reliability(disagreed=max(0, number - 1)).weight
        desk.decide(cluster_id, VerdictKind.REAL, LEAD)
        assert desk.labels(place)[member][1] == Reliability(disagreed=max(0, number - 1)).weight
    assert desk.labels()[member] == (0.0, Reliability(disagreed=2).weight)
    anna, lead = desk.store.analysts()
    assert (anna.disagreed, lead.disagreed) == (2, 0)


def test_what_is_refused(desk: Desk) -> None:
    with pytest.raises(NotAllowed, match="lead"):
        desk.triage.roll_back(RollBack("anna", AT, AT + 1), ANNA, AT)
    with pytest.raises(NotFound, match="anna has no labels"):
        roll_back(desk)
    with pytest.raises(Invalid, match="before until"):
        roll_back(desk, until=AT)
    desk.decide(desk.cluster(1))
    done = roll_back(desk)
    undo(desk, done)
    with pytest.raises(Conflict, match="undone already"):
        undo(desk, done)
    with pytest.raises(NotFound):
        desk.triage.roll_back(UndoRollBack("none"), LEAD, AT)


def test_the_audit_trail_tells(desk: Desk, url: str) -> None:
    desk.decide(desk.cluster(1))
    undo(desk, roll_back(desk))
    with closing(Database(url)) as database, database.read() as connection:
        newest = sa.select(t.audit).order_by(t.audit.c.seq.desc()).limit(2)
        rows = connection.execute(newest).mappings().all()
    assert [row["action"] for row in rows] == ["undo_roll_back", "roll_back"]
    assert {row["object"] for row in rows} == {"analyst/anna"}
    assert json.loads(rows[1]["after"])["reason"] == "taken over"
