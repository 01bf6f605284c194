"""The clusters that wait for a look, as the board would list them. In memory, without a store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from streaming.config.model import StreamConfig
from streaming.grouper import Groups
from triage.model import Candidate
from triage.worth import worth


@dataclass(slots=True, eq=False)
class Member:
    """A candidate in a cluster.

    Attributes:
        truth: 1 anomaly, 0 normal, -1 not known; the oracle's alone.
        posterior: probability that it is real, by the newest model.
    """

    candidate_id: str
    partition: int
    offset: int
    vector: bytes
    features_version: str
    event_time: float
    entities: Mapping[str, str]
    posterior: float
    truth: int


@dataclass(slots=True, eq=False)
class Cluster:
    """Members in the order in which they came."""

    cluster_id: str
    members: list[Member] = field(default_factory=list)

    def worth(self) -> float:
        """Return the value of a look: as the store has it, by its strongest member."""
        return worth(max(member.posterior for member in self.members))

    def strongest(self, count: int) -> Sequence[Member]:
        """Return the members that the cluster's page lists first."""
        return sorted(self.members, key=lambda member: -member.posterior)[:count]


class Queue:
    """Clusters without a verdict.

    With ``chance`` any cluster is opened instead of the top one.

    A cluster that has been opened leaves the queue, takes new members until its answer is there,
    and none afterwards: the first that would have joined it founds a new one.
    """

    def __init__(self, config: StreamConfig, chance: np.random.Generator | None = None) -> None:
        self._chance = chance
        self._groups = Groups(config)
        self._waiting: dict[str, Cluster] = {}
        self._opened: dict[str, Cluster] = {}
        self._closed: set[str] = set()

    def add(self, candidates: Sequence[Candidate], truths: Sequence[int]) -> None:
        """Put candidates, in order, into their clusters."""
        if not candidates:
            return
        self._closed &= set(self._groups.cluster_ids())
        self._groups.set_closed(frozenset(self._closed))
        members = {
            one.candidate_id: Member(
                candidate_id=one.candidate_id,
                partition=one.partition,
                offset=one.offset,
                vector=one.vector,
                features_version=one.features_version,
                event_time=one.event_time,
                entities=one.entities,
                posterior=one.posterior,
                truth=truth,
            )
            for one, truth in zip(candidates, truths, strict=True)
        }
        for update in self._groups.add(candidates):
            cluster = self._opened.get(update.cluster_id)
            if cluster is None:
                new = Cluster(update.cluster_id)
                cluster = self._waiting.setdefault(update.cluster_id, new)
            cluster.members += [members[member] for member in update.members]

    def waiting(self) -> int:
        """Return how many clusters wait for a look."""
        return len(self._waiting)

    def open_top(self) -> Cluster | None:
        """Take the cluster whose look is worth most out of the queue; None if none waits."""
        if not self._waiting:
            return None
        if self._chance is not None:
            top = self._waiting[self._chance.choice(sorted(self._waiting))]
        else:
            top = max(self._waiting.values(), key=lambda one: (one.worth(), one.cluster_id))
        del self._waiting[top.cluster_id]
        self._opened[top.cluster_id] = top
        return top

    def close(self, cluster: Cluster) -> None:
        """Note that the cluster has its verdict."""
        del self._opened[cluster.cluster_id]
        self._closed.add(cluster.cluster_id)

    def rescore(
        self, partition: int, posteriors: Callable[[Sequence[bytes]], npt.NDArray[np.float64]]
    ) -> None:
        """Give the waiting members of a partition new probabilities, of their vectors."""
        waiting = [
            member
            for cluster in self._waiting.values()
            for member in cluster.members
            if member.partition == partition
        ]
        values = posteriors([member.vector for member in waiting]).tolist()
        for member, posterior in zip(waiting, values, strict=True):
            member.posterior = posterior
