"""What late truth says of members that were closed, or would be, without being read."""

from __future__ import annotations

import pytest

from tests.support.cases import AT, BEN, STREAM, Desk
from triage.closer import EVERY_S, Closer
from triage.closing import Bound
from triage.model import VerdictKind
from triage.queries import QueueFilter
from triage.truth import TruthReport

SPURIOUS = VerdictKind.SPURIOUS


class Clock:
    now = AT

    def __call__(self) -> float:
        self.now += EVERY_S
        return self.now


def audited(desk: Desk) -> list[str]:
    """Dismiss a cluster whose three unread members are all audited; return these."""
    desk.policy(audit_share=0.5, closing_limit=0.3)
    desk.decide(desk.cluster(1, "bens"), SPURIOUS, BEN)
    cluster_id = desk.cluster(4, "audited")
    desk.decide(cluster_id, SPURIOUS, read=desk.first(cluster_id))
    rows = desk.store.queue(QueueFilter(viewer="ben"), 0, 10).rows
    for row in rows:
        desk.decide(row.cluster_id, SPURIOUS, BEN)
    return sorted(member for row in rows for member in desk.members(row.cluster_id))


def closed(desk: Desk, unread: int) -> tuple[str, list[str]]:
    """Dismiss a cluster while closing is on; return it with the members that nobody read."""
    desk.policy(audit_share=1e-6, closing_limit=0.3)
    cluster_id = desk.cluster(unread + 1, "closed")
    desk.decide(cluster_id, SPURIOUS, read=desk.first(cluster_id))
    members = desk.members(cluster_id)
    return cluster_id, sorted(member for member in members if members[member] == "closed")


def report(number: int, candidate_id: str, real: bool) -> TruthReport:
    return TruthReport(id=f"cb-{number}", candidate_id=candidate_id, real=real)


def bound(desk: Desk) -> Bound:
    (one,) = desk.store.bounds()
    return one


def test_it_outranks_the_reader_of_an_audit(desk: Desk) -> None:
    first, second, _ = audited(desk)
    assert (bound(desk).told, bound(desk).wrong, bound(desk).by_truth) == (0, 0, False)
    desk.tell(report(1, first, real=True), report(2, second, real=False))
    assert (bound(desk).told, bound(desk).wrong, bound(desk).audits) == (2, 1, 3)
    assert [row.truth for row in desk.store.audits(STREAM, 9)].count(True) == 1
    desk.tell(report(1, first, real=True), report(2, first, real=False), source="police")
    assert (bound(desk).told, bound(desk).wrong) == (2, 0)  # the newest counts, each audit once
    desk.retract("cb-2", source="police")
    assert bound(desk).wrong == 1
    desk.retract("cb-1", source="police")
    desk.retract("cb-1", "cb-2")
    assert (bound(desk).told, bound(desk).wrong) == (0, 0)


def test_what_was_read_of_the_dismissed_cluster_is_no_closing(desk: Desk) -> None:
    audited(desk)
    cluster_id, unread = closed(desk, 3)
    (read,) = set(desk.members(cluster_id)) - set(unread)
    desk.tell(report(1, read, real=True))
    assert (bound(desk).told, bound(desk).unread_real) == (0, 0)


def test_closed_members_that_are_real_are_counted_each_once(desk: Desk) -> None:
    audited(desk)
    _, unread = closed(desk, 3)
    for number, member in enumerate(unread):
        desk.tell(report(number, member, real=True), source="a")
        desk.tell(report(number, member, real=True), source="b")
        assert bound(desk).unread_real == number + 1
    desk.retract("cb-0", source="b")
    assert bound(desk).unread_real == 3
    desk.retract("cb-0", source="a")
    assert bound(desk).unread_real == 2


def test_a_reader_proved_wrong_opens_everything_again(desk: Desk) -> None:
    members = audited(desk)
    cluster_id, unread = closed(desk, 1)
    closer = Closer(desk.store, STREAM, Clock())
    assert not closer.step()
    assert (bound(desk).share, bound(desk).met, bound(desk).closed) == (0.25, True, 1)
    desk.tell(report(1, members[0], real=True))
    assert closer.step()
    assert (bound(desk).met, bound(desk).closed) == (False, 0)
    desk.tell(report(2, unread[0], real=True))
    assert (bound(desk).share, bound(desk).met, bound(desk).closed) == (0.5, False, 0)
    assert desk.row(cluster_id).size == 1
    assert bound(desk).unread_real == 1  # open again, but closing it would have been wrong


def weights(desk: Desk) -> list[float]:
    """Return the weights of labels in force of members that nobody read."""
    return [weight for _, weight in desk.labels().values() if weight < 1]


@pytest.mark.parametrize("kind", [SPURIOUS, VerdictKind.REAL])
@pytest.mark.parametrize("of", ["read", "unread"])
def test_what_denies_a_verdict_takes_its_propagation_back(
    desk: Desk, kind: VerdictKind, of: str
) -> None:
    desk.policy(audit_share=0.0)
    cluster_id = desk.cluster(4)
    (read,) = desk.first(cluster_id)
    verdict = desk.decide(cluster_id, kind, read=[read])
    assert verdict.rest is not None
    worth = desk.row(verdict.rest).worth
    member = read if of == "read" else sorted(desk.members(verdict.rest))[0]
    says = kind is VerdictKind.REAL
    desk.tell(report(1, member, real=says))
    assert len(weights(desk)) == (3 if of == "read" else 2)  # it agrees
    desk.tell(report(1, member, real=not says))
    assert weights(desk) == []
    assert desk.labels()[member] == (float(not says), 1.0)
    assert desk.labels()[read][1] == 1.0
    assert desk.row(verdict.rest).worth > worth
    position = desk.store.label_position(STREAM)
    desk.tell(report(2, member, real=not says), source="police")
    assert desk.store.label_position(STREAM) == position + 2  # its own rows, no others
    desk.retract("cb-1")
    desk.retract("cb-2", source="police")
    assert weights(desk) == []  # what it set free stays so
    desk.undo(verdict.verdict_id)
    assert desk.labels() == {}


def test_it_opens_what_the_same_verdict_closed_unread(desk: Desk) -> None:
    audited(desk)
    cluster_id, unread = closed(desk, 3)
    assert bound(desk).closed == 3
    desk.tell(report(1, unread[0], real=True))
    assert bound(desk).closed == 0
    (verdict,) = [one for one in desk.store.recent_verdicts(9) if one.cluster_id == cluster_id]
    assert verdict.rest is not None
    assert sorted(desk.members(verdict.rest)) == unread
    assert desk.row(verdict.rest).worth == pytest.approx(10 * desk.row(verdict.rest).posterior)


def test_a_verdict_against_what_is_told_already_speaks_for_nobody_else(desk: Desk) -> None:
    desk.policy(audit_share=0.0)
    cluster_id = desk.cluster(4)
    (read,) = desk.first(cluster_id)
    desk.tell(report(1, sorted(set(desk.members(cluster_id)) - {read})[0], real=True))
    verdict = desk.decide(cluster_id, SPURIOUS, read=[read])
    assert weights(desk) == []
    assert verdict.rest is not None
    assert desk.row(verdict.rest).worth == pytest.approx(10 * desk.row(verdict.rest).posterior)
