"""Values of a case while a handler works on it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from triage.findings import FindingKind
from triage.model import ClusterStatus, VerdictKind, VerdictState


@dataclass(frozen=True, slots=True)
class Case:
    """A cluster as a handler needs it.

    ``revision`` counts verdicts and their reversals, not new members: a busy cluster must be
    decidable while it grows, and members that were not on the screen are never *read*.
    ``origin``: the verdict out of whose unread members it was made. ``counted``: these count among
    the closings already. ``suggested``: what the model says of it.
    """

    cluster_id: str
    stream: str
    detector: str
    title: str
    subtitle: str
    status: ClusterStatus
    revision: int
    verdict: VerdictKind | None
    origin: str | None = None
    counted: bool = False
    suggested: VerdictKind = VerdictKind.UNSURE


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict as it is stored.

    Attributes:
        read_ids: the members that were on the screen; ``propagated``: number of the others.
        label_position: newest row of the label log that it caused; None if it teaches nothing.
        suggested: what the board suggested to the reader; None where it suggests nothing.
    """

    verdict_id: str
    cluster_id: str
    stream: str
    kind: VerdictKind
    state: VerdictState
    actor: str
    at: float
    reason: str
    scope: str
    expires_at: float | None
    read_ids: tuple[str, ...]
    propagated: int
    grace_until: float
    label_position: int | None = None
    suggested: VerdictKind | None = None


@dataclass(frozen=True, slots=True)
class FindingRevision:
    """A published (or to be published) revision of a finding."""

    finding_id: str
    revision: int
    verdict_id: str
    kind: FindingKind
    outbox_id: int
    at: float


@dataclass(frozen=True, slots=True)
class Rollback:
    """One roll-back as it is kept.

    Attributes:
        analyst, since, until: whose labels, given when (seconds since 1970; ``until`` excluded).
        taken: (id, label position of the retraction) of every verdict and report of a missed event
            that it silenced.
        undone_at: when its labels were given back, None while it stands.
    """

    rollback_id: str
    analyst: str
    since: float
    until: float
    actor: str
    at: float
    reason: str
    taken: tuple[tuple[str, int], ...]
    undone_at: float | None = None


@dataclass(frozen=True, slots=True)
class Regrouping:
    """A split or a merge as it is kept.

    Attributes:
        kind: ``split`` or ``merge``.
        cluster_id: the cluster that members left; ``other``: the one that they are in since.
        members: candidate ids of those that moved.
    """

    regrouping_id: str
    kind: str
    stream: str
    cluster_id: str
    other: str
    members: tuple[str, ...]
    actor: str
    at: float
    reason: str


class DisputeState(enum.StrEnum):
    """``open`` waits for a lead; ``kept``: the verdict stays; ``accepted``: it was taken back."""

    OPEN = "open"
    KEPT = "kept"
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Dispute:
    """A second reader's disagreement with a verdict, and what became of it.

    Attributes:
        kind: what the reader says instead. ``read_ids``: the members that were on the screen.
        settled_by, settled_at, answer: who ended it, when, in which words; empty while it is open.
    """

    dispute_id: str
    verdict_id: str
    cluster_id: str
    kind: VerdictKind
    actor: str
    at: float
    reason: str
    read_ids: tuple[str, ...]
    state: DisputeState = DisputeState.OPEN
    settled_by: str = ""
    settled_at: float | None = None
    answer: str = ""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to which object; ``before`` and ``after`` hold what changed."""

    at: float
    actor: str
    role: str
    action: str
    object: str
    request_id: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
