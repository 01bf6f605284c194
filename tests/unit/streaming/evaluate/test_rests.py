"""Unread members in an evaluation: the same as the store does, in memory."""

from __future__ import annotations

from collections.abc import Sequence

from streaming.evaluate.queue import Cluster, Member, Queue
from streaming.evaluate.rests import Closing, Rests
from tests.support.streams import small_config
from triage.model import VerdictKind
from triage.policy import Policy
from triage.shares import Purpose

REAL, SPURIOUS = VerdictKind.REAL, VerdictKind.SPURIOUS
EVERYTHING = Policy(audit_share=0.5, closing_limit=0.45)


def cluster(size: int, name: str = "c", truth: int = 0) -> Cluster:
    members = [
        Member(f"{name}{i}", 0, 0, b"", "v", 0.0, {}, 0.9 - i / 100, truth) for i in range(size)
    ]
    return Cluster(name, members)


class Table:
    """A queue and what its verdicts leave."""

    def __init__(self, policy: Policy = EVERYTHING, mode: Closing = Closing.AUDITED) -> None:
        self.queue = Queue(small_config())
        self.rests = Rests("s", self.queue, policy, mode)

    def decide(
        self, one: Cluster, kind: VerdictKind, read: Sequence[Member] | None = None
    ) -> tuple[set[str], str | None]:
        labels, gone = self.rests.decided(one, kind, one.members[:1] if read is None else read)
        return {label.candidate_id for label in labels}, gone

    def audits(self) -> list[Cluster]:
        found = []
        while (one := self.queue.open_next(Purpose.AUDIT)) is not None and not one.pull:
            found.append(one)
        return found


def test_what_nobody_read_waits_and_sinks() -> None:
    table = Table(Policy(audit_share=0.0))
    assert table.decide(cluster(4), SPURIOUS) == ({"c0", "c1", "c2", "c3"}, None)
    rest = table.queue.open_next()
    assert rest is not None
    assert [member.candidate_id for member in rest.members] == ["c1", "c2", "c3"]
    assert (rest.root, round(rest.worth(), 2)) == ("c", 2.97)


def test_one_verdict_closes_all_where_it_may() -> None:
    table = Table(mode=Closing.ALL)
    table.decide(cluster(4, truth=1), SPURIOUS)
    assert table.queue.waiting() == 0
    figures = table.rests.figures()
    assert (figures["closed_unread"], figures["closed_wrongly"]) == (3, 3)


def test_clean_audits_close_and_a_wrong_one_opens_again() -> None:
    table = Table()
    table.decide(cluster(4), SPURIOUS)
    first = table.audits()
    assert len(first) == 3
    for audit in first:
        table.decide(audit, SPURIOUS)
    assert table.rests.figures()["wrong_bound"] == 0.0
    table.rests._policy = Policy(audit_share=1e-6, closing_limit=0.45)
    table.decide(cluster(3, "d"), SPURIOUS)
    assert table.rests.figures()["closed_unread"] == 2
    table.rests._policy = EVERYTHING
    table.decide(cluster(2, "e", truth=1), SPURIOUS)
    (audit,) = table.audits()
    assert table.decide(audit, REAL) == (set(), None)  # a second read is asked for
    (again,) = table.audits()
    assert table.decide(again, REAL) == ({"e1"}, "e")
    figures = table.rests.figures()
    assert (figures["audits_wrong"], figures["closed_unread"], figures["reopened"]) == (1, 0, 2)


def test_what_is_drawn_gets_no_label_of_the_verdict() -> None:
    table = Table()
    assert table.decide(cluster(3), SPURIOUS) == ({"c0"}, None)


def test_a_contrary_verdict_on_the_rest_takes_the_guesses_back() -> None:
    table = Table(Policy(audit_share=0.0))
    table.decide(cluster(4), SPURIOUS)
    rest = table.queue.open_next()
    assert rest is not None
    assert table.decide(rest, REAL)[1] == "c"


def test_real_ones_are_never_closed_unread() -> None:
    table = Table(Policy(audit_share=0.5, closing_limit=0.99))
    table.decide(cluster(4, truth=1), REAL)
    assert table.rests.figures()["closings"] == 0
    assert table.queue.waiting() == 1


def test_late_truth_outranks_the_audit_and_counts_against_what_was_closed() -> None:
    table = Table(Policy(audit_share=0.5, closing_limit=0.45))
    one = cluster(2, "a", truth=1)
    table.decide(one, SPURIOUS)
    (audit,) = table.audits()
    table.decide(audit, SPURIOUS)
    assert table.rests.figures()["audits_wrong"] == 0  # both readers were wrong
    table.rests.tell(one.members)
    figures = table.rests.figures()
    assert (figures["audits_wrong"], figures["told"], figures["wrong_bound"]) == (1, 1, 1.0)
    table.rests._policy = Policy(audit_share=1e-6)
    unread = cluster(4, "b", truth=1)
    table.decide(unread, SPURIOUS)
    table.rests.tell(unread.members)
    assert table.rests._bound().unread_real == 3
