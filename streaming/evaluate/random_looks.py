"""Looks at clusters drawn at random, and what they say of those that were never looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from streaming.evaluate.measures import rounded
from streaming.evaluate.queue import Cluster
from triage.bound import Drawn
from triage.draw import is_drawn, probability
from triage.model import VerdictKind
from triage.policy import Policy
from triage.recall import Arrivals, Recall, recall_of


class RandomLooks:
    """Draws clusters as they come, as the store does; in memory."""

    def __init__(self, stream: str, policy: Policy) -> None:
        self._stream = stream
        self._policy = policy
        self._arrived: list[tuple[Cluster, float]] = []  # with the probability of each
        self._verdicts: dict[str, VerdictKind] = {}

    def arrive(self, clusters: Sequence[Cluster], looks: int) -> None:
        """Draw some of the clusters that have come; so many looks were made before."""
        policy = self._policy
        for cluster in clusters:
            chance = probability(policy.random_share, looks, len(self._arrived), 1)
            name = ("random look", cluster.cluster_id)
            cluster.drawn = is_drawn(policy.audit_seed, name, chance)
            self._arrived.append((cluster, chance))

    def decided(self, cluster: Cluster, kind: VerdictKind) -> None:
        """Take a verdict in."""
        self._verdicts[cluster.cluster_id] = kind

    def figures(self) -> Mapping[str, Any]:
        """Return which part of the real clusters was found, and what can be said of it."""
        recall = self._recall()
        known = [cluster for cluster, _ in self._known()]
        real = [one for one in known if any(member.truth == 1 for member in one.members)]
        found = sum(self._is_real(cluster) for cluster in real)
        return {
            "random_looks": recall.read,
            "recall": rounded(found / len(real)) if real else None,
            "recall_at_least": rounded(recall.at_least),
        }

    def _known(self) -> Sequence[tuple[Cluster, float]]:
        """Return what came before the first drawn cluster that waits."""
        return list(takewhile(lambda one: not self._waits(one[0]), self._arrived))

    def _waits(self, cluster: Cluster) -> bool:
        return cluster.drawn and cluster.cluster_id not in self._verdicts

    def _is_real(self, cluster: Cluster) -> bool:
        return self._verdicts.get(cluster.cluster_id) is VerdictKind.REAL

    def _recall(self) -> Recall:
        groups: dict[float, Drawn] = {}
        read = found = 0
        for cluster, chance in self._known():
            before = groups.get(chance, Drawn(chance, 0))
            hit = cluster.drawn and self._is_real(cluster)
            groups[chance] = Drawn(chance, before.count + 1, before.hits + hit)
            read += cluster.drawn
            found += self._is_real(cluster)
        waiting = sum(self._waits(cluster) for cluster, _ in self._arrived)
        drawn = [one for one in groups.values() if one.probability]
        return recall_of(self._stream, Arrivals(drawn, read, found, waiting))
