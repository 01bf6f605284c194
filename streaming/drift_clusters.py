"""Clusters of fields that have drifted: one per field, whatever partitions and times."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from detectors.clustering.leader import Assignment
from triage.model import Candidate


class DriftClusters:
    """Gives what tells of drift a cluster.

    A field that drifts in several partitions is one change of the data, however far their events
    are apart in time; fields that drift within ``gap`` seconds of each other are most likely one,
    too. As elsewhere, a closed cluster takes no more: the first that would have joined it founds
    its successor.
    """

    def __init__(self, gap: float) -> None:
        self._gap = gap
        self._by_field: dict[str, str] = {}  # field -> its newest cluster
        self._spans: dict[str, tuple[float, float]] = {}  # cluster -> event times
        self._closed: frozenset[str] = frozenset()

    def assign(self, candidate: Candidate, new_cluster_id: str) -> Assignment:
        """Count the candidate in and return where."""
        found = self._find(candidate)
        if found is not None and found not in self._closed:
            self.adopt(candidate, found)
            return Assignment(found, is_new=False)
        if found is not None:
            self._drop(found)
        self.adopt(candidate, new_cluster_id)
        return Assignment(new_cluster_id, is_new=True, predecessor=found)

    def adopt(self, candidate: Candidate, cluster_id: str) -> None:
        """Count in a candidate whose cluster is known."""
        at = candidate.event_time
        start, end = self._spans.get(cluster_id, (at, at))
        self._spans[cluster_id] = min(start, at), max(end, at)
        self._by_field |= dict.fromkeys(fields_of(candidate), cluster_id)

    def cluster_ids(self) -> Sequence[str]:
        """Return the clusters that can still grow or have a successor."""
        return list(self._spans)

    def set_closed(self, closed: Collection[str]) -> None:
        """Let exactly these take no more."""
        self._closed = frozenset(closed) & self._spans.keys()

    def _find(self, candidate: Candidate) -> str | None:
        for field in fields_of(candidate):
            if field in self._by_field:
                return self._by_field[field]
        for cluster_id, (start, end) in self._spans.items():
            if start - self._gap <= candidate.event_time <= end + self._gap:
                return cluster_id
        return None

    def _drop(self, cluster_id: str) -> None:
        del self._spans[cluster_id]
        self._by_field = {f: known for f, known in self._by_field.items() if known != cluster_id}


def fields_of(candidate: Candidate) -> Sequence[str]:
    """Return the fields that a candidate of drift tells of."""
    return [reason.label for reason in candidate.reasons]
