"""The clusters that wait for a look, as the board would list them. In memory, without a store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from streaming.config.model import StreamConfig
from streaming.grouper import Groups
from triage.model import Candidate
from triage.shares import Purpose
from triage.worth import worth

EVEN = 5.0  # the worth of a cluster that is as likely real as not


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
    """Members in the order in which they came.

    ``pull``: as the store has it; 0 for an audit. ``root``: the cluster that they were first in.
    ``drawn``: for a random look.
    """

    cluster_id: str
    members: list[Member] = field(default_factory=list)
    pull: float = 1.0
    root: str = ""
    drawn: bool = False

    def __post_init__(self) -> None:
        self.root = self.root or self.cluster_id

    def worth(self) -> float:
        """Return the value of a look: as the store has it, by its strongest member."""
        return worth(max(member.posterior for member in self.members), self.pull)

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

    def add(self, candidates: Sequence[Candidate], truths: Sequence[int]) -> Sequence[Cluster]:
        """Put candidates, in order, into their clusters; return those that are new."""
        if not candidates:
            return []
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
        fresh = []
        for update in self._groups.add(candidates):
            cluster_id = update.cluster_id
            cluster = self._opened.get(cluster_id) or self._waiting.get(cluster_id)
            if cluster is None:
                cluster = self._waiting[cluster_id] = Cluster(cluster_id)
                fresh.append(cluster)
            cluster.members += [members[member] for member in update.members]
        return fresh

    def waiting(self) -> int:
        """Return how many clusters wait for a look."""
        return len(self._waiting)

    def open_next(self, purpose: Purpose = Purpose.WORTH) -> Cluster | None:
        """Take the next cluster for this purpose out of the queue, else the most worth.

        None if none waits.
        """
        if not self._waiting:
            return None
        audits = [one for one in self._waiting.values() if not one.pull]  # the oldest first
        if self._chance is not None:
            top = self._waiting[self._chance.choice(sorted(self._waiting))]
        elif purpose is Purpose.AUDIT and audits:
            top = audits[0]
        elif purpose is Purpose.RANDOM and any(one.drawn for one in self._waiting.values()):
            top = next(one for one in self._waiting.values() if one.drawn)
        elif purpose is Purpose.UNCERTAIN:
            top = max(
                self._waiting.values(),
                key=lambda one: (one.pull > 0, -abs(one.worth() - EVEN), one.cluster_id),
            )
        else:
            top = max(self._waiting.values(), key=lambda one: (one.worth(), one.cluster_id))
        del self._waiting[top.cluster_id]
        self._opened[top.cluster_id] = top
        return top

    def put(self, cluster: Cluster) -> None:
        """Let a cluster wait that no grouper made."""
        self._waiting[cluster.cluster_id] = cluster

    def take_untouched(self, cluster_id: str) -> Sequence[Member]:
        """Take out a rest that nobody has looked at, unless a look at it is worth all again."""
        waits = self._waiting.get(cluster_id)
        if waits is None or waits.pull == 1.0:
            return []
        return self._waiting.pop(cluster_id).members

    def pull_fully(self, cluster_id: str) -> None:
        """Let a look at a cluster be worth its posterior again, if it waits."""
        if cluster_id in self._waiting:
            self._waiting[cluster_id].pull = 1.0

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
            if member.partition == partition and cluster.pull  # an audit is blind
        ]
        values = posteriors([member.vector for member in waiting]).tolist()
        for member, posterior in zip(waiting, values, strict=True):
            member.posterior = posterior
