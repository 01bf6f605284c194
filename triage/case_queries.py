"""What the board reads about a cluster's fellows: past cases, open ones, splits and merges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from triage.cases import Regrouping
from triage.model import VerdictKind


@dataclass(frozen=True, slots=True)
class PastCase:
    """A decided cluster that is like another one, and how it turned out.

    Attributes:
        actor, at, reason: of the verdict that stands.
        proved: what late truth said of its members: (real, not real).
    """

    cluster_id: str
    title: str
    subtitle: str
    size: int
    last_time: float
    kind: VerdictKind
    actor: str
    at: float
    reason: str
    proved: tuple[int, int]


@dataclass(frozen=True, slots=True)
class AlikeCluster:
    """An open cluster that may be the same thing; ``shared``: entities that both have."""

    cluster_id: str
    title: str
    subtitle: str
    revision: int
    size: int
    last_time: float
    shared: int
    same_reasons: bool


@dataclass(frozen=True, slots=True)
class RecordDetail:
    """One member's record.

    Attributes:
        event_id, partition, offset: where it is in the log; no event id where the stream has none.
        fields: the declared fields; •••• for those that the policy masks.
        links: (label, address) to the user's own systems.
        beside: (candidate id, entity, event time) of the cluster's strongest members.
    """

    candidate_id: str
    entity: str
    event_time: float
    event_id: str | None
    partition: int
    offset: int
    fields: Mapping[str, Any]
    links: Sequence[tuple[str, str]]
    beside: Sequence[tuple[str, str, float]]


@dataclass(frozen=True, slots=True)
class Looking:
    """Somebody has a cluster before the eyes, since then (seconds since 1970)."""

    actor: str
    cluster_id: str
    since: float


@dataclass(frozen=True, slots=True)
class FoundEntity:
    """An entity whose value begins like what was typed; ``clusters``: that it is in."""

    name: str
    value: str
    clusters: int


@dataclass(frozen=True, slots=True)
class FoundCohort:
    """A cohort whose value begins like what was typed; ``clusters``: with members of it."""

    name: str
    value: str
    clusters: int


class CaseQueries(Protocol):
    """Part of ``queries.Queries``."""

    def merged_into(self, cluster_id: str) -> str | None:
        """Return the cluster that a merged one's members are in, None if it was not merged."""

    def regroupings(self, cluster_id: str) -> Sequence[Regrouping]:
        """Return the splits and merges that a cluster had a part in, newest first."""

    def past_cases(self, cluster_id: str, limit: int) -> Sequence[PastCase]:
        """Return decided clusters with the same leading reasons or exact key, newest first."""

    def looking(self, now: float) -> Sequence[Looking]:
        """Return who looks at what, who came first first."""

    def entities_like(self, beginning: str, limit: int) -> Sequence[FoundEntity]:
        """Return entities whose value begins so, by value."""

    def cohorts_like(self, beginning: str, limit: int) -> Sequence[FoundCohort]:
        """Return cohorts whose value begins so, by value."""

    def record(self, cluster_id: str, candidate_id: str | None) -> RecordDetail | None:
        """Return the record of a member, of the strongest if none is named; None if it is none."""

    def alike(self, cluster_id: str, limit: int) -> Sequence[AlikeCluster]:
        """Return open clusters of its stream with the same reasons or an entity in common.

        Those that share most come first, then those that are nearest in time.
        """
