"""Online leader clustering of explained candidates.

Leader clustering (Hartigan, "Clustering Algorithms", 1975, chapter 3) takes items one by one: each
joins the nearest leader that is near enough, or becomes a leader itself. Here an item is the
direction of its signed SHAP vector with its entities and its time. Why this and not a density
clusterer: docs/decisions/0005-leader-clustering.md.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from pydantic import Field

from detectors.base import Params
from detectors.duration import Duration, parse_duration

MAX_LEADERS = 5_000  # the longest unused is dropped; its cluster stays, it just takes no members
TOP_FEATURES = 3
ENTITIES_KEPT = 50  # per cluster; enough to recognise the entities of a campaign


class ClusteringSettings(Params):
    """How alike candidates have to be to share a cluster."""

    similarity: float = Field(
        0.9,
        gt=0,
        le=1,
        description="Smallest cosine between the explanations of a candidate and of a cluster.",
    )
    same_entity_similarity: float = Field(
        0.6,
        gt=0,
        le=1,
        description="The same where they share an entity, e.g. the terminal.",
    )
    gap: Duration = Field(
        "1h", description="Longest pause in event time within a cluster: 45s, 30m, 1h, 7d."
    )
    max_size: int = Field(500, ge=1, le=100_000, description="Most members of one cluster.")


@dataclass(frozen=True, slots=True)
class Item:
    """A candidate as the clusterer sees it.

    Attributes:
        item_id: becomes the id of the cluster that it founds, through the caller.
        contributions: signed contributions of the features; only the direction matters.
        entities: entity field -> value.
        key: items with equal keys within the gap always share a cluster (``exact_key``).
        time: event time, seconds.
    """

    item_id: str
    contributions: npt.NDArray[np.float64]
    entities: Mapping[str, str]
    key: str
    time: float


@dataclass(frozen=True, slots=True)
class Assignment:
    """Where an item goes. ``predecessor``: the decided cluster that a new one follows."""

    cluster_id: str
    is_new: bool
    predecessor: str | None = None


@dataclass(slots=True)
class _Leader:
    cluster_id: str
    direction_sum: npt.NDArray[np.float64]
    first: float
    last: float
    size: int = 1
    closed: bool = False
    keys: set[str] = field(default_factory=set)
    entities: dict[tuple[str, str], None] = field(default_factory=dict)


class LeaderClusterer:
    """Gives each item a cluster; the order of items decides, nothing else.

    Items of one clusterer have contributions of one length. A closed (decided) cluster takes no
    more items: the first that would have joined it founds its successor.
    """

    def __init__(self, settings: ClusteringSettings) -> None:
        self._settings = settings
        self._gap = parse_duration(settings.gap)
        self._leaders: dict[str, _Leader] = {}  # least recently used first
        self._by_key: dict[str, str] = {}

    def assign(self, item: Item, new_cluster_id: str) -> Assignment:
        """Return the item's cluster and count it in; ``new_cluster_id`` is used if it founds one."""
        direction = _unit(item.contributions)
        leader = self._same_key(item) or self._nearest(item, direction)
        if leader is not None and not leader.closed:
            self._join(leader, item, direction)
            return Assignment(leader.cluster_id, is_new=False)
        predecessor = leader.cluster_id if leader is not None else None
        if predecessor is not None:
            self._drop(predecessor)
        self._found(new_cluster_id, item, direction)
        return Assignment(new_cluster_id, is_new=True, predecessor=predecessor)

    def adopt(self, item: Item, cluster_id: str) -> None:
        """Count in an item whose cluster is known already (after a restart)."""
        direction = _unit(item.contributions)
        leader = self._leaders.get(cluster_id)
        if leader is None:
            self._found(cluster_id, item, direction)
        else:
            self._join(leader, item, direction)

    def cluster_ids(self) -> Sequence[str]:
        """Return the clusters that items can still be compared with."""
        return list(self._leaders)

    def set_closed(self, closed: Collection[str]) -> None:
        """Close exactly these of the clusters (an undone verdict opens its cluster again)."""
        for leader in self._leaders.values():
            leader.closed = leader.cluster_id in closed

    def _same_key(self, item: Item) -> _Leader | None:
        leader = self._leaders.get(self._by_key.get(item.key, ""))
        return leader if leader is not None and self._takes(leader, item) else None

    def _nearest(self, item: Item, direction: npt.NDArray[np.float64]) -> _Leader | None:
        leaders = [leader for leader in self._leaders.values() if self._takes(leader, item)]
        if not leaders:
            return None
        sums = np.stack([leader.direction_sum for leader in leaders])
        lengths = np.linalg.norm(sums, axis=1)
        cosines = sums @ direction / np.where(lengths > 0, lengths, 1.0)
        needed = np.array(
            [
                self._settings.same_entity_similarity
                if any(pair in leader.entities for pair in item.entities.items())
                else self._settings.similarity
                for leader in leaders
            ]
        )
        margins = cosines - needed
        best = int(np.argmax(margins))
        return leaders[best] if margins[best] >= 0 else None

    def _takes(self, leader: _Leader, item: Item) -> bool:
        near = leader.first - self._gap <= item.time <= leader.last + self._gap
        return near and leader.size < self._settings.max_size

    def _join(self, leader: _Leader, item: Item, direction: npt.NDArray[np.float64]) -> None:
        leader.direction_sum = leader.direction_sum + direction
        leader.first = min(leader.first, item.time)
        leader.last = max(leader.last, item.time)
        leader.size += 1
        self._leaders[leader.cluster_id] = self._leaders.pop(leader.cluster_id)
        self._remember(leader, item)

    def _found(self, cluster_id: str, item: Item, direction: npt.NDArray[np.float64]) -> None:
        leader = _Leader(cluster_id, direction, item.time, item.time)
        self._leaders[cluster_id] = leader
        self._remember(leader, item)
        if len(self._leaders) > MAX_LEADERS:
            self._drop(next(iter(self._leaders)))

    def _remember(self, leader: _Leader, item: Item) -> None:
        leader.keys.add(item.key)
        self._by_key[item.key] = leader.cluster_id
        for pair in item.entities.items():
            if len(leader.entities) < ENTITIES_KEPT:
                leader.entities[pair] = None

    def _drop(self, cluster_id: str) -> None:
        leader = self._leaders.pop(cluster_id)
        for key in leader.keys:
            if self._by_key.get(key) == cluster_id:
                del self._by_key[key]


def exact_key(
    entity: str,
    detector: str,
    contributions: Mapping[str, float],
    time: float,
    settings: ClusteringSettings,
) -> str:
    """Return the key that repeats of one thing share: entity, detector, top features, coarse time.

    ``contributions``: feature -> signed contribution. Coarse time counts in steps of the gap.
    """
    ordered = sorted(contributions.items(), key=lambda pair: (-abs(pair[1]), pair[0]))
    top = ",".join(f"{'+' if value >= 0 else '-'}{name}" for name, value in ordered[:TOP_FEATURES])
    return f"{detector}|{entity}|{top}|{int(time // parse_duration(settings.gap))}"


def _unit(contributions: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    length = float(np.linalg.norm(contributions))
    return contributions / length if length > 0 else np.zeros_like(contributions)
