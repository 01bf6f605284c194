"""The grouper: candidates into clusters, in commit order over all partitions."""

from __future__ import annotations

import logging
import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from detectors.clustering.leader import Assignment, Item, LeaderClusterer, exact_key
from detectors.duration import parse_duration
from streaming import metrics
from streaming.config.model import StreamConfig
from streaming.config_book import ConfigBook
from streaming.drift_clusters import DriftClusters
from streaming.metrics import Metrics
from triage.drift import SCHEMA_DRIFT, drift_title
from triage.errors import Conflict, Fenced
from triage.model import Candidate
from triage.store.base import (
    GROUPER_LEASE,
    ClusterUpdate,
    GroupedCandidate,
    GrouperStore,
    LeaseStore,
)
from triage.store.base_configs import ConfigReader
from triage.titles import Noun, title_of

log = logging.getLogger(__name__)

BATCH = 500  # candidates of one step
LEASE_S = 6.0  # seconds; after a crash the next grouper waits so long
RENEW_S = 2.0  # seconds between renewals
TITLE_MEMBERS = 200  # newest members that a title is made from
NAMESPACE = uuid.UUID("0d6f2c53-6f7d-5d0b-8f7e-0b8f3d1c7a42")


class Store(GrouperStore, LeaseStore, ConfigReader, Protocol):
    """What the grouper needs of a store."""


class Grouper:
    """Adds each candidate to a cluster, under a lease: one grouper per stream at a time.

    It follows the config that is in force in the store.
    """

    def __init__(
        self,
        config: StreamConfig,
        store: Store,
        holder: str,
        clock: Callable[[], float],
        metrics: Metrics | None = None,
    ) -> None:
        self._config = config
        self._metrics = metrics or Metrics()
        self._store = store
        self._holder = holder
        self._clock = clock
        self._book = ConfigBook(store, config.stream)
        self._epoch: int | None = None
        self._renew_at = 0.0
        self._groups = Groups(config)
        self._up_to = 0
        self._regrouped = 0

    def step(self) -> bool:
        """Group the next candidates. Return whether there were any."""
        if not self._holds_lease():
            return False
        self._follow_hands()
        batch = self._store.candidates_after(self._config.stream, self._up_to, BATCH)
        if not batch:
            return False
        self._groups.set_closed(self._store.decided(self._groups.cluster_ids()))
        updates = self._groups.add([row.candidate for row in batch])
        try:
            self._store.save_groups(
                self._config.stream, updates, batch[-1].seq, self._epoch or 0, self._clock()
            )
        except Conflict:
            # A cluster was decided in between: what was assigned in memory did not happen.
            self._rebuild()
            return True
        except Fenced as error:
            log.warning("%s; another grouper works now", error)
            self._epoch = None
            return False
        self._up_to = batch[-1].seq
        self._metrics.add(metrics.GROUPED, self._config.stream, by=len(batch))
        return True

    def settled(self) -> bool:
        """Return whether the lease is ours and every committed candidate has its cluster."""
        return self._holds_lease() and not self._store.candidates_after(
            self._config.stream, self._up_to, 1
        )

    def close(self) -> None:
        """Let the next grouper take over at once."""
        if self._epoch is not None:
            self._store.acquire_lease(self._lease(), self._holder, self._clock(), 0.0)
            self._epoch = None

    def _follow_hands(self) -> None:
        """Take over what people have split and merged since the last look."""
        newest, touched = self._store.regrouped_after(self._config.stream, self._regrouped)
        if touched:
            self._rebuild()
        self._regrouped = newest

    def _lease(self) -> str:
        return f"{GROUPER_LEASE}{self._config.stream}"

    def _holds_lease(self) -> bool:
        now = self._clock()
        if self._epoch is not None and now < self._renew_at:
            return True
        epoch = self._store.acquire_lease(self._lease(), self._holder, now, LEASE_S)
        if (epoch is not None and epoch != self._epoch) or (epoch is not None and self._follow()):
            self._rebuild()
        self._epoch, self._renew_at = epoch, now + RENEW_S
        self._metrics.set(metrics.LEASE, self._lease(), to=epoch is not None)
        return epoch is not None

    def _follow(self) -> bool:
        """Take the config in force; return whether it is another one."""
        rollout = self._store.in_force(self._config.stream)
        if rollout is None or rollout.version == self._config.version:
            return False
        self._config = self._book.config(rollout.version)
        return True

    def _rebuild(self) -> None:
        """Bring the clusterer to where the store stands."""
        self._follow()
        self._up_to = self._store.grouped_up_to(self._config.stream)
        self._groups = Groups(self._config)
        within_s = 2 * parse_duration(self._config.clustering.gap)
        self._groups.adopt(self._store.open_members(self._config.stream, within_s))


class Groups:
    """The clusters of one stream that are still growing, with their titles. Pure."""

    def __init__(self, config: StreamConfig) -> None:
        self._config = config
        self._clusterer = LeaderClusterer(config.clustering)
        self._drifts = DriftClusters(parse_duration(config.clustering.gap))
        self._members: dict[str, deque[Candidate]] = defaultdict(
            lambda: deque(maxlen=TITLE_MEMBERS)
        )
        self._sizes: dict[str, int] = defaultdict(int)
        self._features: tuple[str, ...] = ()  # of the first candidate: one space for all

    def cluster_ids(self) -> Sequence[str]:
        """Return the clusters that can still grow or have a successor."""
        return [*self._clusterer.cluster_ids(), *self._drifts.cluster_ids()]

    def set_closed(self, closed: frozenset[str]) -> None:
        """Let exactly these take no more members."""
        self._clusterer.set_closed(closed)
        self._drifts.set_closed(closed)

    def add(self, candidates: Sequence[Candidate]) -> Sequence[ClusterUpdate]:
        """Assign the candidates in order; return one update per cluster that they touch."""
        new: dict[str, list[str]] = defaultdict(list)
        predecessors: dict[str, str | None] = {}
        for candidate in candidates:
            assigned = self._assign(candidate)
            self._count(assigned.cluster_id, candidate)
            new[assigned.cluster_id].append(candidate.candidate_id)
            if assigned.predecessor:
                predecessors[assigned.cluster_id] = assigned.predecessor
        updates = [
            self._update(cluster_id, members, predecessors.get(cluster_id))
            for cluster_id, members in new.items()
        ]
        self._forget_dropped()
        return updates

    def adopt(self, members: Sequence[GroupedCandidate]) -> None:
        """Count in members whose cluster is known (after a restart)."""
        for row in members:
            if not row.cluster_id:
                continue
            if row.candidate.detector == SCHEMA_DRIFT:
                self._drifts.adopt(row.candidate, row.cluster_id)
            else:
                self._clusterer.adopt(self._item(row.candidate), row.cluster_id)
            self._count(row.cluster_id, row.candidate)

    def _assign(self, candidate: Candidate) -> Assignment:
        new_id = str(uuid.uuid5(NAMESPACE, candidate.candidate_id))
        if candidate.detector == SCHEMA_DRIFT:
            return self._drifts.assign(candidate, new_id)
        return self._clusterer.assign(self._item(candidate), new_id)

    def _count(self, cluster_id: str, candidate: Candidate) -> None:
        self._members[cluster_id].append(candidate)
        self._sizes[cluster_id] += 1

    def _item(self, candidate: Candidate) -> Item:
        signed = {reason.feature: reason.contribution for reason in candidate.reasons}
        self._features = self._features or tuple(sorted(signed))
        return Item(
            item_id=candidate.candidate_id,
            contributions=np.array([signed.get(name, 0.0) for name in self._features], np.float64),
            entities=candidate.entities,
            key=self._key(candidate),
            time=candidate.event_time,
        )

    def _key(self, candidate: Candidate) -> str:
        if candidate.detector == SCHEMA_DRIFT:
            return SCHEMA_DRIFT
        return exact_key(
            candidate.entity,
            candidate.detector,
            {reason.feature: reason.contribution for reason in candidate.reasons},
            candidate.event_time,
            self._config.clustering,
        )

    def _update(
        self, cluster_id: str, members: Sequence[str], predecessor: str | None
    ) -> ClusterUpdate:
        known = self._members[cluster_id]
        if known[0].detector == SCHEMA_DRIFT:
            title, subtitle = drift_title(known)
        else:
            title, subtitle = title_of(known, self._sizes[cluster_id], noun_of(self._config))
        return ClusterUpdate(
            cluster_id=cluster_id,
            stream=self._config.stream,
            detector=known[0].detector,
            key=self._key(known[0]),
            title=title,
            subtitle=subtitle,
            members=tuple(members),
            predecessor=predecessor,
        )

    def _forget_dropped(self) -> None:
        growing = frozenset(self.cluster_ids())
        for cluster_id in [c for c in self._members if c not in growing]:
            del self._members[cluster_id], self._sizes[cluster_id]


def noun_of(config: StreamConfig) -> Noun:
    """Return what titles call the events and the entities of a stream."""
    labels = {name: config.fields[name].label or name for name in config.entity_fields()}
    return Noun(config.noun.one, config.noun.many, labels)
