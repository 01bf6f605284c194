from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from streaming.evaluate.analyst import Analyst, labels_from
from streaming.evaluate.queue import Cluster, Member, Queue
from streaming.pipeline import PartitionPipeline
from tests.support.streams import as_records, events, small_config
from triage.model import Candidate, VerdictKind
from triage.policy import Policy

CONFIG = small_config()


@pytest.fixture(scope="module")
def candidates() -> Sequence[Candidate]:
    return PartitionPipeline(CONFIG, 0, "topic-id").process(as_records(events(900))).candidates


def queue_of(candidates: Sequence[Candidate]) -> Queue:
    queue = Queue(CONFIG)
    queue.add(candidates, [1] * len(candidates))
    return queue


def drained(queue: Queue) -> list[Cluster]:
    clusters = []
    while (cluster := queue.open_next()) is not None:
        clusters.append(cluster)
    return clusters


def member(posterior: float, truth: int, name: str = "") -> Member:
    return Member(name or f"{posterior}-{truth}", 0, 0, b"", "v", 0.0, {}, posterior, truth)


def test_every_candidate_is_in_one_cluster(candidates: Sequence[Candidate]) -> None:
    clusters = drained(queue_of(candidates))
    ids = [member.candidate_id for cluster in clusters for member in cluster.members]
    assert sorted(ids) == sorted(one.candidate_id for one in candidates)
    assert 1 < len(clusters) < len(candidates)


def test_the_most_worth_comes_first(candidates: Sequence[Candidate]) -> None:
    worths = [cluster.worth() for cluster in drained(queue_of(candidates))]
    assert worths == sorted(worths, reverse=True)


def test_however_candidates_arrive_the_clusters_are_the_same(
    candidates: Sequence[Candidate],
) -> None:
    one_by_one = Queue(CONFIG)
    for candidate in candidates:
        one_by_one.add([candidate], [1])
    at_once = {one.cluster_id: len(one.members) for one in drained(queue_of(candidates))}
    assert {one.cluster_id: len(one.members) for one in drained(one_by_one)} == at_once


def test_an_opened_cluster_grows_and_a_decided_one_does_not(
    candidates: Sequence[Candidate],
) -> None:
    whole = max(drained(queue_of(candidates)), key=lambda one: len(one.members))
    ids = {one.candidate_id for one in whole.members}
    mine = [one for one in candidates if one.candidate_id in ids]
    assert len(mine) > 2

    queue = queue_of(mine[:1])
    opened = queue.open_next()
    assert opened is not None
    queue.add(mine[1:2], [1])
    assert len(opened.members) == 2
    assert queue.waiting() == 0

    queue.close(opened)
    queue.add(mine[2:], [1] * len(mine[2:]))
    assert len(opened.members) == 2
    successor = queue.open_next()
    assert successor is not None
    assert successor.cluster_id != opened.cluster_id


def test_new_posteriors_change_the_order(candidates: Sequence[Candidate]) -> None:
    queue = queue_of(candidates)
    before = [cluster.cluster_id for cluster in drained(queue_of(candidates))]

    def turned(vectors: Sequence[bytes]) -> npt.NDArray[np.float64]:
        old = {one.vector: one.posterior for one in candidates}
        return np.array([1.0 - old[vector] for vector in vectors])

    queue.rescore(0, turned)
    queue.rescore(1, lambda vectors: np.zeros(len(vectors)))
    assert [cluster.cluster_id for cluster in drained(queue)] != before


def test_three_members_are_read_the_strongest_first() -> None:
    cluster = Cluster("c", [member(p, 1) for p in (0.2, 0.9, 0.5, 0.7)])
    read = Analyst(0.0, 0).read(cluster)
    assert [one.posterior for one in read] == [0.9, 0.7, 0.5]


@pytest.mark.parametrize(
    ("truths", "verdict"),
    [
        ([1, 1, 0], VerdictKind.REAL),
        ([1, 0, 0], VerdictKind.SPURIOUS),
        ([1, 0], VerdictKind.REAL),
        ([0], VerdictKind.SPURIOUS),
        ([-1, 1], VerdictKind.REAL),
        ([-1, -1, 0], VerdictKind.SPURIOUS),
        ([-1, -1], VerdictKind.UNSURE),
    ],
)
def test_the_verdict_is_what_most_of_the_read_members_are(
    truths: list[int], verdict: VerdictKind
) -> None:
    assert Analyst(0.0, 0).verdict([member(0.5, truth) for truth in truths]) is verdict


def test_the_share_of_wrong_verdicts_is_the_error() -> None:
    analyst = Analyst(0.2, 0)
    wrong = sum(analyst.verdict([member(0.5, 1)]) is VerdictKind.SPURIOUS for _ in range(1_000))
    assert 150 < wrong < 250


def test_a_verdict_labels_what_was_read_fully_and_the_rest_a_little() -> None:
    members = [member(0.5, 1, name) for name in "abcdef"]
    cluster = Cluster("c", members)
    labels = labels_from("v", VerdictKind.REAL, cluster, members[:3], Policy(propagation_limit=2))
    assert [(one.candidate_id, one.y, one.weight) for one in labels] == [
        ("a", 1.0, 1.0),
        ("b", 1.0, 1.0),
        ("c", 1.0, 1.0),
        ("d", 1.0, 0.1),
        ("e", 1.0, 0.1),
    ]
    assert labels_from("v", VerdictKind.UNSURE, cluster, members, Policy()) == []
