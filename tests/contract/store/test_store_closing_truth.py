"""What late truth says of members that were closed, or would be, without being read."""

from __future__ import annotations

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
    desk.tell(report(1, members[0], real=True), report(2, unread[0], real=True))
    assert closer.step()
    assert (bound(desk).share, bound(desk).met, bound(desk).closed) == (0.5, False, 0)
    assert desk.row(cluster_id).size == 1
    assert bound(desk).unread_real == 1  # open again, but closing it would have been wrong
