"""A finding: one verdict *real* on the members that were listed when it was given."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from triage.model import Candidate


class FindingKind(enum.StrEnum):
    """What a revision of a finding says."""

    VERIFIED = "verified"
    REVISED = "revised"
    RETRACTED = "retracted"


@dataclass(frozen=True, slots=True)
class Finding:
    """One revision of a finding, with all that its message needs.

    Attributes:
        finding_id: stays the same over all revisions; ``revision`` counts from 1.
        cluster_id, verdict_id: where it comes from.
        decided_by, decided_at, reason: who gave the verdict, when (seconds since 1970) and why.
        revised_by, revised_at, revision_reason: the same for this revision (equal to the above in
            the first one).
        title: the cluster's; where not all members were read it begins with how many were.
        read: the members that were on the screen; unread ones are never published.
        members_total: members of the cluster at that time, read or not.
        posterior: the largest of the read members', as they were scored.
        first_time, last_time: event times of the first and the last read member.
        entities: (field, value) of the read members, each once, sorted.
    """

    finding_id: str
    revision: int
    kind: FindingKind
    stream: str
    detector: str
    cluster_id: str
    verdict_id: str
    title: str
    decided_by: str
    decided_at: float
    reason: str
    revised_by: str
    revised_at: float
    revision_reason: str
    read: Sequence[Candidate]
    members_total: int
    posterior: float
    first_time: float
    last_time: float
    config_version: str
    model_version: int
    entities: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Message:
    """What goes out for a finding."""

    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


MessageOf = Callable[[Finding], Message]
"""Encodes a finding; given to ``handlers.Triage``, since the topic's schema is not the domain's."""
