"""What a person can ask for. Only the methods of ``handlers.Triage`` change a case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from triage.model import KeepOut, VerdictKind
from triage.truth import TruthReport


@dataclass(frozen=True, slots=True)
class RecordVerdict:
    """Decide a cluster.

    Attributes:
        revision: the cluster's revision that the analyst saw; another one is a conflict.
        read: candidate ids of the members that were on the screen.
        idempotency_key: the same key again returns the first answer and changes nothing.
        scope, expires_at: required for ``expected`` (in words; seconds since 1970).
        keep_out: for ``expected``, what of its kind is kept out of the queue until then.
    """

    cluster_id: str
    kind: VerdictKind
    revision: int
    read: tuple[str, ...]
    idempotency_key: str
    reason: str = ""
    scope: str = ""
    expires_at: float | None = None
    keep_out: KeepOut = KeepOut.ENTITY_AND_REASON


@dataclass(frozen=True, slots=True)
class UndoVerdict:
    """Take a verdict back: before it is published it never was, afterwards it is retracted."""

    verdict_id: str
    idempotency_key: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ReportTruth:
    """Tell what became of events; the same again changes nothing."""

    stream: str
    source: str
    reports: tuple[TruthReport, ...]


@dataclass(frozen=True, slots=True)
class RetractTruth:
    """Take back what a source told under these ids."""

    stream: str
    source: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportMissed:
    """Say that an event that was no candidate was real; the same again changes nothing.

    Attributes:
        entities: field -> value, as far as they are known. ``time``: of the event, seconds.
        beside: the candidate that it is kept with.
    """

    stream: str
    entities: Mapping[str, str]
    time: float
    beside: str


@dataclass(frozen=True, slots=True)
class TakeBackMissed:
    """Take such a report back; it says which as ``ReportMissed`` does."""

    stream: str
    entities: Mapping[str, str]
    time: float


@dataclass(frozen=True, slots=True)
class RollBack:
    """Take back all labels that an analyst gave from ``since`` until before ``until``."""

    analyst: str
    since: float
    until: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class UndoRollBack:
    """Give the labels of a roll-back back."""

    rollback_id: str


@dataclass(frozen=True, slots=True)
class SplitCluster:
    """Let members leave a cluster: they become an open cluster of their own.

    Attributes:
        revision: the cluster's revision that the analyst saw; another one is a conflict.
        members: candidate ids, some of the cluster's but not all.
        idempotency_key: the same key again returns the first answer and changes nothing.
    """

    cluster_id: str
    revision: int
    members: tuple[str, ...]
    idempotency_key: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MergeClusters:
    """Move all members of an open cluster into another open one of its stream.

    Attributes: as of ``SplitCluster``; ``into_revision``: of the cluster that takes them.
    """

    cluster_id: str
    revision: int
    into: str
    into_revision: int
    idempotency_key: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AssignCluster:
    """Say who takes care of a cluster; None: nobody. The same again changes nothing."""

    cluster_id: str
    assignee: str | None


@dataclass(frozen=True, slots=True)
class DisputeVerdict:
    """Disagree with a verdict that stands; a lead decides between the two.

    Attributes:
        kind: what it is instead. ``read``, ``idempotency_key``: as of ``RecordVerdict``.
    """

    verdict_id: str
    kind: VerdictKind
    read: tuple[str, ...]
    idempotency_key: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SettleDispute:
    """End a dispute and let the verdict stand: its reader withdraws it, or a lead says so."""

    dispute_id: str
    idempotency_key: str
    reason: str = ""


Command = RecordVerdict | UndoVerdict
DisputeCommand = DisputeVerdict | SettleDispute
RegroupCommand = SplitCluster | MergeClusters
RollBackCommand = RollBack | UndoRollBack
TruthCommand = ReportTruth | RetractTruth
MissedCommand = ReportMissed | TakeBackMissed
