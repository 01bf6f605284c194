"""Online leader clustering of explained candidates.

Leader clustering (Hartigan, "Clustering Algorithms", 1975, chapter 3) takes items one by one: each
joins the nearest leader that is near enough, or becomes a leader itself. Here an item is the
direction of its signed SHAP vector with its entities and its time. Why this and not a density
clusterer: docs/decisions/0005-leader-clustering.md.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import Field

from detectors.base import Params
from detectors.clustering.directions import Leaders
from detectors.duration import Duration, parse_duration

MAX_LEADERS = 5_000  # the longest unused is dropped; its cluster stays, it just takes no members
TOP_FEATURES = 3
ENTITIES_KEPT = 50  # per cluster; enough to recognise the entities of a campaign

_Pair = tuple[str, str]  # entity field, value


class ClusteringSettings(Params):
    """How alike candidates have to be to share a cluster."""

    similarity: float = Field(
        default=0.9,
        gt=0,
        le=1,
        description="Smallest cosine between the explanations of a candidate and of a cluster.",
    )
    same_entity_similarity: float = Field(
        default=0.6,
        gt=0,
        le=1,
        description="The same where they share an entity, e.g. the terminal.",
    )
    gap: Duration = Field(
        default="1h", description="Longest pause in event time within a cluster: 45s, 30m, 1h, 7d."
    )
    max_size: int = Field(default=500, ge=1, le=100_000, description="Most members of one cluster.")


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


class LeaderClusterer:
    """Gives each item a cluster; the order of items decides, nothing else.

    Items of one clusterer have contributions of one length. A closed (decided) cluster takes no
    more items: the first that would have joined it founds its successor. An item costs a comparison
    with each leader that is near in time, 10 us for 300 leaders of 40 features.
    """

    def __init__(self, settings: ClusteringSettings) -> None:
        self._settings = settings
        self._leaders: Leaders | None = None  # made for the length of the first item
        self._gap = parse_duration(settings.gap)
        self._slots: dict[str, int] = {}  # cluster -> slot, least recently used first
        self._clusters: dict[int, str] = {}
        self._by_key: dict[str, int] = {}
        self._keys: dict[int, set[str]] = {}
        self._entities: dict[int, dict[_Pair, None]] = {}
        self._by_entity: dict[_Pair, dict[int, None]] = {}
        self._closed: frozenset[str] = frozenset()

    def assign(self, item: Item, new_cluster_id: str) -> Assignment:
        """Count the item in and return where; ``new_cluster_id`` is used if it founds a cluster."""
        slot = self._find(item)
        if slot is None:
            self._found(new_cluster_id, item)
            return Assignment(new_cluster_id, is_new=True)
        cluster_id = self._clusters[slot]
        if cluster_id not in self._closed:
            self._join(slot, item)
            return Assignment(cluster_id, is_new=False)
        self._drop(cluster_id)
        self._found(new_cluster_id, item)
        return Assignment(new_cluster_id, is_new=True, predecessor=cluster_id)

    def adopt(self, item: Item, cluster_id: str) -> None:
        """Count in an item whose cluster is known already (after a restart)."""
        slot = self._slots.get(cluster_id)
        if slot is None:
            self._found(cluster_id, item)
        else:
            self._join(slot, item)

    def cluster_ids(self) -> Sequence[str]:
        """Return the clusters that items can still be compared with."""
        return list(self._slots)

    def set_closed(self, closed: Collection[str]) -> None:
        """Close exactly these of the clusters (an undone verdict opens its cluster again)."""
        self._closed = frozenset(closed) & self._slots.keys()

    def _find(self, item: Item) -> int | None:
        """Return the slot of the leader that the item belongs to."""
        if self._leaders is None:
            return None
        slot = self._by_key.get(item.key)
        size, gap = self._settings.max_size, self._gap
        if slot is not None and self._leaders.takes(slot, item.time, gap, size):
            return slot
        shared = {
            slot: None for pair in item.entities.items() for slot in self._by_entity.get(pair, ())
        }
        needed = (self._settings.similarity, self._settings.same_entity_similarity)
        return self._leaders.nearest(item.contributions, item.time, gap, size, needed, list(shared))

    def _join(self, slot: int, item: Item) -> None:
        if self._leaders is not None:
            self._leaders.add(slot, item.contributions, item.time)
        cluster_id = self._clusters[slot]
        self._slots[cluster_id] = self._slots.pop(cluster_id)
        self._remember(slot, item)

    def _found(self, cluster_id: str, item: Item) -> None:
        if self._leaders is None:
            self._leaders = Leaders(len(item.contributions))
        if len(self._slots) >= MAX_LEADERS:
            self._drop(next(iter(self._slots)))
        slot = self._leaders.new(item.contributions, item.time)
        self._slots[cluster_id], self._clusters[slot] = slot, cluster_id
        self._keys[slot], self._entities[slot] = set(), {}
        self._remember(slot, item)

    def _remember(self, slot: int, item: Item) -> None:
        self._keys[slot].add(item.key)
        self._by_key[item.key] = slot
        for pair in item.entities.items():
            if len(self._entities[slot]) < ENTITIES_KEPT:
                self._entities[slot][pair] = None
                self._by_entity.setdefault(pair, {})[slot] = None

    def _drop(self, cluster_id: str) -> None:
        slot = self._slots.pop(cluster_id)
        del self._clusters[slot]
        self._closed -= {cluster_id}
        for key in self._keys.pop(slot):
            if self._by_key.get(key) == slot:
                del self._by_key[key]
        for pair in self._entities.pop(slot):
            del self._by_entity[pair][slot]
            if not self._by_entity[pair]:
                del self._by_entity[pair]
        if self._leaders is not None:
            self._leaders.free(slot)


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
