"""What the advisor reads. It writes nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from triage.policy import Policy


@dataclass(frozen=True, slots=True)
class Waiting:
    """A candidate in an open cluster, as the advisor lists it."""

    candidate_id: str
    cluster_id: str
    partition: int


@dataclass(frozen=True, slots=True)
class Vector:
    """A kept feature vector of an event; its columns mean what ``features_version`` says."""

    vector: bytes
    features_version: str
    event_time: float


@dataclass(frozen=True, slots=True)
class SnapshotMark:
    """Which snapshot of a partition is the newest, and how far the partition has come since."""

    number: int
    offset: int
    next_offset: int


@dataclass(frozen=True, slots=True)
class AskedCluster:
    """A cluster as a question about it needs it: all members, oldest first.

    ``blind``: an audit that waits for its answer; what was said of its like is not to be told.
    """

    stream: str
    members: Sequence[str]
    policy: Policy
    blind: bool = False


class AdvisorReads(Protocol):
    """Part of ``base.Store``."""

    def streams(self) -> Sequence[str]:
        """Return the streams that ever ran, retired ones too."""

    def news(self) -> int:
        """Return the number of the newest change: equal means that no cluster has changed."""

    def snapshot_marks(self, stream: str) -> Mapping[int, SnapshotMark]:
        """Return partition -> its newest snapshot; partitions without one are left out."""

    def waiting(self, stream: str, limit: int) -> Sequence[Waiting]:
        """Return the newest candidates that are in a cluster and wait for a verdict."""

    def vectors(self, candidate_ids: Collection[str]) -> Mapping[str, Vector]:
        """Return the vectors of these candidates; those not known are left out."""

    def trust(self, stream: str) -> Mapping[str, float]:
        """Return what a label of each analyst weighs; who is not named weighs 1."""

    def asked(self, cluster_id: str) -> AskedCluster | None:
        """Return a cluster, None if there is no such one."""
