"""Clusters drawn for a look in an evaluation: as the store draws them."""

from __future__ import annotations

from streaming.evaluate.queue import Cluster, Member
from streaming.evaluate.random_looks import RandomLooks
from triage.model import VerdictKind
from triage.policy import Policy

REAL, SPURIOUS = VerdictKind.REAL, VerdictKind.SPURIOUS


def clusters(*truths: int) -> list[Cluster]:
    return [
        Cluster(f"c{n}", [Member(f"m{n}", 0, n, b"", "v", 0.0, {}, 0.5, truth)])
        for n, truth in enumerate(truths)
    ]


def test_what_waits_holds_up_what_came_after() -> None:
    looks = RandomLooks("s", Policy(random_share=0.5))
    some = clusters(1, 0, 1)
    looks.arrive(some, 5)
    assert all(cluster.drawn for cluster in some)
    assert looks.figures() == {"random_looks": 0, "recall": None, "recall_at_least": 0.0}
    looks.decided(some[2], REAL)
    looks.decided(some[0], REAL)
    assert looks.figures() == {"random_looks": 1, "recall": 1.0, "recall_at_least": 1.0}
    looks.decided(some[1], SPURIOUS)
    assert looks.figures() == {"random_looks": 3, "recall": 1.0, "recall_at_least": 1.0}


def test_what_nobody_looks_at_is_missed() -> None:
    looks = RandomLooks("s", Policy(random_share=1e-6))
    some = clusters(*[1] * 50)
    looks.arrive(some, 0)
    for cluster in some[:10]:
        looks.decided(cluster, REAL)
    assert looks.figures() == {"random_looks": 0, "recall": 0.2, "recall_at_least": 0.2}


def test_nothing_is_drawn_without_a_share() -> None:
    looks = RandomLooks("s", Policy(random_share=0.0))
    some = clusters(1, 1)
    looks.arrive(some, 5)
    assert not any(cluster.drawn for cluster in some)
    assert looks.figures()["recall_at_least"] == 0.0
