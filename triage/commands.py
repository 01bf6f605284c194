"""What a person can ask for. Only ``handlers.Triage.handle(command, actor, at)`` changes a case."""

from __future__ import annotations

from dataclasses import dataclass

from triage.model import VerdictKind


@dataclass(frozen=True, slots=True)
class RecordVerdict:
    """Decide a cluster.

    Attributes:
        revision: the cluster's revision that the analyst saw; another one is a conflict.
        read: candidate ids of the members that were on the screen.
        idempotency_key: the same key again returns the first answer and changes nothing.
        scope, expires_at: required for ``expected`` (what it covers; seconds since 1970).
    """

    cluster_id: str
    kind: VerdictKind
    revision: int
    read: tuple[str, ...]
    idempotency_key: str
    reason: str = ""
    scope: str = ""
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class UndoVerdict:
    """Take a verdict back: before it is published it never was, afterwards it is retracted."""

    verdict_id: str
    idempotency_key: str
    reason: str = ""


Command = RecordVerdict | UndoVerdict
