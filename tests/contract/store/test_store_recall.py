"""Clusters drawn at random: they get their look whatever their rank, and tell what is missed."""

from __future__ import annotations

import pytest

from tests.support.cases import Desk
from triage.model import VerdictKind
from triage.queries import QueueFilter
from triage.recall import Recall
from triage.shares import Purpose, Shares

REAL, SPURIOUS = VerdictKind.REAL, VerdictKind.SPURIOUS
ALL = {"random_share": 0.5, "audit_share": 0.0, "uncertain_share": 0.0}
"""Of few clusters each is drawn."""


def queue(desk: Desk) -> list[str]:
    return [row.cluster_id for row in desk.store.queue(QueueFilter(), 0, 100).rows]


def recall(desk: Desk) -> Recall:
    (one,) = desk.store.recalls()
    return one


def clusters(desk: Desk, count: int) -> list[str]:
    """Make clusters of one member, each worth less than the one before."""
    made = [desk.add(1, margin=1.0 - 0.1 * n) for n in range(count)]
    return [desk.group(members, f"c{n}") for n, members in enumerate(made)]


def test_nothing_is_known_where_nothing_came(desk: Desk) -> None:
    assert desk.store.recalls() == []


def test_what_was_drawn_comes_in_its_turn_the_oldest_first(desk: Desk) -> None:
    desk.policy(**ALL)
    made = clusters(desk, 8)
    # the first look goes to the most worth, a second one to the oldest of the others
    turns = [Shares(0.0, 0.0, 0.5).purpose(look) for look in range(4)]
    assert turns.count(Purpose.RANDOM) == 2
    desk.decide(made[0], SPURIOUS)
    later = desk.group(desk.add(1, margin=5.0), "later")
    head = queue(desk)
    turn = next(n for n in range(4) if Shares(0.0, 0.0, 0.5).purpose(1 + n) is Purpose.RANDOM)
    assert head[turn] == made[1]
    assert later in head[:2]


def test_without_a_share_nothing_is_drawn_and_nothing_told(desk: Desk) -> None:
    desk.policy(random_share=0.0)
    for cluster_id in clusters(desk, 4):
        desk.decide(cluster_id, REAL)
    assert (recall(desk).clusters, recall(desk).found, recall(desk).at_least) == (0, 0, 0.0)


def test_what_the_looks_found_is_told_with_what_it_is_made_of(desk: Desk) -> None:
    desk.policy(**ALL)
    made = clusters(desk, 5)
    desk.decide(made[0], REAL)
    desk.decide(made[1], SPURIOUS)
    told = recall(desk)  # up to the third, which waits
    assert (told.clusters, told.read, told.read_real, told.found, told.waiting) == (2, 2, 1, 1, 3)
    verdict = desk.decide(made[2], REAL)
    desk.decide(made[3], REAL)
    desk.decide(made[4], SPURIOUS)
    told = recall(desk)
    assert (told.clusters, told.found, told.waiting) == (5, 3, 0)
    assert (told.most, told.guess, told.at_least) == (3, 3.0, 1.0)  # each was drawn for certain
    assert all(look.drawn for look in desk.store.looks(None, 10))
    desk.undo(verdict.verdict_id)
    assert (recall(desk).clusters, recall(desk).found) == (2, 1)


def test_a_small_chance_leaves_much_open(desk: Desk) -> None:
    desk.policy(random_share=1e-6)
    for cluster_id in clusters(desk, 4)[:2]:
        desk.decide(cluster_id, REAL)
    assert not any(look.drawn for look in desk.store.looks(None, 10))
    told = recall(desk)
    assert (told.clusters, told.found, told.read, told.most) == (4, 2, 0, 4)
    assert told.guess is None


def test_what_is_taken_out_of_a_cluster_by_a_verdict_is_no_arrival(desk: Desk) -> None:
    desk.policy(random_share=0.5, audit_share=0.0)
    cluster_id = desk.cluster(4)
    desk.decide(cluster_id, SPURIOUS, read=desk.first(cluster_id))
    assert len(queue(desk)) == 1  # the rest
    assert (recall(desk).clusters, recall(desk).waiting) == (1, 0)


@pytest.mark.parametrize("other", ["a stream", "100 %_"])
def test_streams_are_told_apart(desk: Desk, other: str) -> None:
    second = Desk(desk.store, other)
    desk.policy(**ALL)
    second.policy(**ALL)
    desk.decide(desk.cluster(1), REAL)
    second.cluster(1, name="other")
    told = {one.stream: one for one in desk.store.recalls()}
    assert (told["payments"].clusters, told[other].clusters) == (1, 0)
