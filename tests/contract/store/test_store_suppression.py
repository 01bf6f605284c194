"""An expected verdict keeps its like out of the queue: within bounds, in sight, for a time."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.cases import ANNA, AT, BEN, STREAM, Desk
from triage.expiry import Expiry
from triage.guard import EVERY_S, SuppressionGuard
from triage.model import ClusterStatus, KeepOut, SuppressionState, VerdictKind
from triage.queries import QueueFilter, SuppressionRow, VerdictRow
from triage.store import tables as t
from triage.store.database import Database
from triage.truth import TruthReport

END = AT + 7 * 86_400.0


class Clock:
    def __init__(self) -> None:
        self.now = AT

    def __call__(self) -> float:
        return self.now


def expect(desk: Desk, count: int = 2, **given: Any) -> VerdictRow:
    """Call a cluster of card c1 at terminal 881 expected."""
    cluster_id = desk.cluster(count, "first")
    return desk.decide(cluster_id, VerdictKind.EXPECTED, expires_at=END, **given)


def listed(desk: Desk, status: ClusterStatus, order: str = "worth") -> list[str]:
    where = QueueFilter(status=status, viewer="anna", order=order)
    page = desk.store.queue(where, 0, 100)
    assert page.total == len(page.rows)
    return [row.cluster_id for row in page.rows]


def only(desk: Desk) -> SuppressionRow:
    (row,) = desk.store.suppressions()
    return row


def test_what_is_covered_is_clustered_counted_and_out_of_the_open_queue(desk: Desk) -> None:
    verdict = expect(desk)
    hidden = desk.cluster(3, "like it")
    other = desk.cluster(1, "another card", entity="c9", entities={"customer": "c9"})
    for order in ("worth", "newest", "largest"):
        assert listed(desk, ClusterStatus.OPEN, order) == [other]
        assert listed(desk, ClusterStatus.SUPPRESSED, order) == [hidden]
        assert len(listed(desk, ClusterStatus.DECIDED, order)) == 1
    assert desk.row(hidden).size == 3
    status = desk.store.status(AT)
    assert (status.open_clusters, status.suppressed_clusters) == (1, 1)
    row = only(desk)
    assert (row.suppression_id, row.candidates, row.clusters) == (verdict.verdict_id, 3, 1)
    assert (row.entities, row.features) == (("c1",), ("+amount", "-hour"))
    assert (row.actor, row.scope, row.expires_at) == ("anna", "this customer", END)
    assert row.state is SuppressionState.ACTIVE


@pytest.mark.parametrize(
    ("keep_out", "hidden"),
    [
        (KeepOut.ENTITY, 2),
        (KeepOut.REASON, 2),
        (KeepOut.ENTITY_AND_REASON, 1),
        (KeepOut.NOTHING, 0),
    ],
)
def test_the_scope_is_chosen(desk: Desk, keep_out: KeepOut, hidden: int) -> None:
    expect(desk, keep_out=keep_out)
    desk.cluster(1, "both")
    desk.cluster(1, "entity", reasons=())
    desk.cluster(1, "reason", entity="c9", entities={"customer": "c9"})
    assert len(listed(desk, ClusterStatus.SUPPRESSED)) == hidden


def test_one_that_is_not_covered_opens_the_cluster(desk: Desk) -> None:
    expect(desk)
    hidden = desk.cluster(1, "mixed")
    desk.group(desk.add(1), "mixed")
    assert listed(desk, ClusterStatus.SUPPRESSED) == [hidden]
    desk.group(desk.add(1, entity="c9", entities={}), "mixed")
    assert listed(desk, ClusterStatus.OPEN) == [hidden]
    desk.group(desk.add(1), "mixed")
    assert listed(desk, ClusterStatus.OPEN) == [hidden]


def test_an_open_cluster_that_it_covers_later_stays_open(desk: Desk) -> None:
    waiting = desk.cluster(1, "waiting")
    expect(desk)
    desk.group(desk.add(1), "waiting")
    assert listed(desk, ClusterStatus.OPEN) == [waiting]


def test_it_ends_at_its_date_and_what_was_hidden_stays_so(desk: Desk) -> None:
    expect(desk)
    hidden = desk.cluster(1, "before")
    clock = Clock()
    clock.now = END
    assert Expiry(desk.store, clock).step()
    assert only(desk).state is SuppressionState.EXPIRED
    after = desk.cluster(1, "after")
    assert listed(desk, ClusterStatus.OPEN) == [after]
    assert listed(desk, ClusterStatus.SUPPRESSED) == [hidden]
    desk.group(desk.add(1), "before")
    assert sorted(listed(desk, ClusterStatus.OPEN)) == sorted([after, hidden])


def test_undo_opens_what_it_kept_out(desk: Desk) -> None:
    verdict = expect(desk)
    hidden = desk.cluster(2, "hidden")
    before = desk.store.status(AT).position
    desk.undo(verdict.verdict_id)
    assert hidden in listed(desk, ClusterStatus.OPEN)
    assert only(desk).state is SuppressionState.UNDONE
    changes = desk.store.changes_after(before, 10)
    assert [hidden] in [change.data.get("ids") for change in changes]
    assert desk.cluster(1, "next") in listed(desk, ClusterStatus.OPEN)


def test_a_surge_breaks_it_and_opens_everything(desk: Desk, url: str) -> None:
    verdict = expect(desk)
    clock = Clock()
    guards = [SuppressionGuard(desk.store, STREAM, clock) for _ in range(2)]
    hidden = desk.cluster(10, "hidden")
    assert not guards[0].step()
    assert listed(desk, ClusterStatus.SUPPRESSED) == [hidden]
    desk.group(desk.add(1), "hidden")
    assert not guards[0].step()  # not yet due
    clock.now += EVERY_S
    assert [guard.step() for guard in guards] == [True, False]
    assert listed(desk, ClusterStatus.OPEN) == [hidden]
    assert desk.labels() == {}  # its verdict teaches no more
    row = only(desk)
    assert row.state is SuppressionState.BROKEN
    assert row.because.startswith("volume: 11 in a day")
    shown = desk.store.verdict(verdict.verdict_id)
    assert shown is not None
    assert not shown.learned
    with closing(Database(url)) as database, database.read() as connection:
        newest = sa.select(t.audit).order_by(t.audit.c.seq.desc()).limit(1)
        entry = connection.execute(newest).mappings().one()
    assert (entry["action"], json.loads(entry["after"])["reopened"]) == ("break_suppression", 1)
    clock.now = END
    assert not Expiry(desk.store, clock).step()  # ended already


@pytest.mark.parametrize("of", ["first", "hidden"])
def test_late_truth_that_one_of_it_is_real_breaks_it(desk: Desk, of: str) -> None:
    desk.policy()
    verdict = expect(desk)
    desk.cluster(2, "hidden")
    (hidden,) = listed(desk, ClusterStatus.SUPPRESSED)
    told = desk.first(verdict.cluster_id if of == "first" else hidden)[0]
    desk.tell(TruthReport(id="t0", real=False, candidate_id=told))
    assert only(desk).state is SuppressionState.ACTIVE
    desk.tell(TruthReport(id="t1", real=True, candidate_id=told))
    assert only(desk).state is SuppressionState.BROKEN
    assert only(desk).because == "late truth: something that it covers was real"
    assert hidden in listed(desk, ClusterStatus.OPEN)
    assert desk.labels() == {told: (1.0, 1.0)}
    desk.group(desk.add(1), "more")
    assert listed(desk, ClusterStatus.SUPPRESSED) == []


def test_truth_that_was_there_before_its_candidate_was_hidden_breaks_it_too(desk: Desk) -> None:
    desk.policy()
    expect(desk)
    (candidate,) = desk.add(1)
    desk.tell(TruthReport(id="t1", real=True, candidate_id=candidate.candidate_id))
    assert only(desk).state is SuppressionState.ACTIVE
    hidden = desk.group([candidate], "hidden")
    assert SuppressionGuard(desk.store, STREAM, Clock()).step()
    assert only(desk).state is SuppressionState.BROKEN
    assert hidden in listed(desk, ClusterStatus.OPEN)


def test_a_surge_is_one_within_a_day_of_events(desk: Desk) -> None:
    expect(desk)
    guard = SuppressionGuard(desk.store, STREAM, Clock())
    for day in range(1, 5):
        desk.cluster(5, f"day {day}", event_time=AT + day * 86_400.0 * 1.1)
    assert not guard.step()
    assert only(desk).candidates == 20


def test_new_entities_break_it(desk: Desk) -> None:
    desk.policy(suppression_surge=1.0)
    expect(desk)
    guard = SuppressionGuard(desk.store, STREAM, Clock())
    for number in range(4):
        entities = {"customer": "c1", "terminal": f"new {number}"}
        desk.cluster(1, f"k{number}", entities=entities)
    assert guard.step()
    assert only(desk).because.startswith("new terminal: 4, 1 when")
    assert len(listed(desk, ClusterStatus.OPEN)) == 4


def test_a_suppressed_cluster_can_be_decided(desk: Desk) -> None:
    expect(desk)
    hidden = desk.cluster(1, "hidden")
    verdict = desk.decide(hidden, VerdictKind.REAL, BEN)
    assert listed(desk, ClusterStatus.SUPPRESSED) == []
    desk.undo(verdict.verdict_id, BEN)
    assert listed(desk, ClusterStatus.OPEN) == [hidden]


def test_other_verdicts_keep_nothing_out(desk: Desk) -> None:
    for number, kind in enumerate(set(VerdictKind) - {VerdictKind.EXPECTED}):
        desk.decide(desk.cluster(1, f"k{number}"), kind, ANNA)
    assert desk.store.suppressions() == []


def test_pipeline_faults_and_doubt_are_not_learned(desk: Desk) -> None:
    fault = desk.decide(desk.cluster(2, "fault"), VerdictKind.PIPELINE_FAULT)
    unsure = desk.decide(desk.cluster(2, "unsure"), VerdictKind.UNSURE)
    assert desk.labels() == {}
    assert desk.store.label_position(STREAM) == 0
    assert fault.learned
    assert unsure.learned
