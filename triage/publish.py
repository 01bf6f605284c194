"""Revisions of findings: made, put into the outbox, called back while they are still in it."""

from __future__ import annotations

from collections.abc import Sequence

from triage.cases import Case, FindingRevision, Verdict
from triage.findings import Finding, FindingKind, MessageOf
from triage.ids import made_id
from triage.model import Candidate
from triage.store.base import UnitOfWork


def send(
    unit: UnitOfWork, message_of: MessageOf, finding: Finding, at: float, not_before: float
) -> None:
    """Put a revision into the outbox and note it."""
    outbox_id = unit.send(message_of(finding), at, finding.verdict_id, not_before)
    unit.add_finding(
        FindingRevision(
            finding.finding_id, finding.revision, finding.verdict_id, finding.kind, outbox_id, at
        )
    )


def recall(unit: UnitOfWork, verdict_id: str) -> int:
    """Take back the revision that is not out yet; return the newest that is out, 0 if none is."""
    newest = unit.finding(verdict_id)
    if newest is None:
        return 0
    if not unit.withdraw(verdict_id):
        return newest.revision
    unit.drop_finding(newest)
    return newest.revision - 1


def finding_of(
    case: Case, verdict: Verdict, read: Sequence[Candidate], total: int, kind: FindingKind
) -> Finding:
    """Return what the members that were read say; nothing but the title tells of the others."""
    times = [candidate.event_time for candidate in read]
    part = "" if len(read) == total else f"{len(read):,} of {total:,} members read: "
    return Finding(
        finding_id=made_id("finding", verdict.verdict_id),
        revision=1,
        kind=kind,
        stream=case.stream,
        detector=case.detector,
        cluster_id=case.cluster_id,
        verdict_id=verdict.verdict_id,
        title=part + case.title,
        decided_by=verdict.actor,
        decided_at=verdict.at,
        reason=verdict.reason,
        revised_by=verdict.actor,
        revised_at=verdict.at,
        revision_reason=verdict.reason,
        read=tuple(read),
        members_total=total,
        posterior=max(candidate.posterior for candidate in read),
        first_time=min(times),
        last_time=max(times),
        config_version=read[0].config_version,
        model_version=max(candidate.model_version for candidate in read),
        entities=tuple(sorted({pair for one in read for pair in one.entities.items()})),
    )
