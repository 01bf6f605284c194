"""What becomes of the members that nobody read: audited, closed, or kept as the cluster's rest."""

from __future__ import annotations

import dataclasses
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from triage.cases import Case, Verdict
from triage.closing import DISMISSES, Bound, bound_of, pull_of_rest
from triage.draw import is_drawn, probability
from triage.errors import Conflict
from triage.labels import labels_of
from triage.model import Actor, ClusterStatus, VerdictKind
from triage.plain import cut
from triage.store.base import UnitOfWork
from triage.store.base_closing import Audit, Closing, TakenOut
from triage.titles import MAX_TITLE, title_of

NAMESPACE = uuid.UUID("3e0c7f4a-94d1-5b0e-8a51-6c1de6f0b7d2")
REST_OF = "Rest of "


@dataclass(frozen=True, slots=True)
class Unread:
    """The members that a verdict leaves unread.

    Attributes:
        members: all of them, oldest first. ``audited``: those that were drawn.
        probability: with which each was; None where they are no closings, or were counted before.
    """

    members: Sequence[str]
    audited: frozenset[str] = frozenset()
    probability: float | None = None


def unread_of(
    unit: UnitOfWork, case: Case, kind: VerdictKind, members: Sequence[str], read: Sequence[str]
) -> Unread:
    """Return what a verdict on the case would leave unread, with the draw of audits."""
    seen = frozenset(read)
    unread = [member for member in members if member not in seen]
    if not unread or kind not in DISMISSES or case.counted:
        return Unread(unread)
    policy = unit.policy(case.stream)
    looks, before = unit.verdicts_given(case.stream), unit.closings_made(case.stream)
    share = probability(policy.audit_share, looks, before, len(unread))
    if not share:
        return Unread(unread)  # never audited, so never closed
    drawn = frozenset(
        member for member in unread if is_drawn(policy.audit_seed, (case.cluster_id, member), share)
    )
    return Unread(unread, drawn, share)


def leave(unit: UnitOfWork, case: Case, verdict: Verdict, unread: Unread, at: float) -> None:
    """Audit what was drawn; of the others make the case's rest, or close them if that is on."""
    if unread.probability is not None:
        _audit(unit, case, verdict, unread, at)
    left = [member for member in unread.members if member not in unread.audited]
    counted = case.counted or unread.probability is not None
    if counted and verdict.kind in DISMISSES and unit.closes(case.stream):
        unit.close_members(case.cluster_id)
    elif left:
        _make_rest(unit, dataclasses.replace(case, counted=counted), verdict, left, at)


def _audit(unit: UnitOfWork, case: Case, verdict: Verdict, unread: Unread, at: float) -> None:
    """Count the closings; give each member that was drawn a cluster of its own, like any other."""
    clusters = {member: _id("audit", verdict.verdict_id, member) for member in unread.audited}
    noun = unit.noun(case.stream)
    parts = []
    for candidate in unit.candidates(sorted(unread.audited)):
        title, subtitle = title_of([candidate], 1, noun)
        parts.append(
            TakenOut(
                cluster_id=clusters[candidate.candidate_id],
                title=title,
                subtitle=subtitle,
                members=[candidate.candidate_id],
                origin=verdict.verdict_id,
                counted=True,
                pull=0.0,
            )
        )
    if parts:
        unit.take_out(case.cluster_id, parts, at)
    closing = Closing(
        verdict_id=verdict.verdict_id,
        stream=case.stream,
        cluster_id=case.cluster_id,
        probability=unread.probability or 0.0,
        members=len(unread.members),
        at=at,
    )
    unit.add_closing(closing, clusters)


def _make_rest(
    unit: UnitOfWork,
    case: Case,
    verdict: Verdict,
    members: Sequence[str],
    at: float,
    pull: float | None = None,
) -> None:
    title = case.title if case.title.startswith(REST_OF) else REST_OF + case.title
    rest = TakenOut(
        cluster_id=_id("rest", verdict.verdict_id),
        title=cut(title, MAX_TITLE),
        subtitle=case.subtitle,
        members=members,
        origin=verdict.verdict_id,
        counted=case.counted,
        pull=pull_of_rest(verdict.kind, len(verdict.read_ids)) if pull is None else pull,
    )
    unit.take_out(case.cluster_id, [rest], at)


def take_back(unit: UnitOfWork, verdict: Verdict) -> None:
    """Undo what a verdict did to the members that it left unread, as far as nobody looked at them.

    Audits that somebody has read stay, and so does their closing: to forget just those that were
    found out would make the bound a lie.
    """
    rest = unit.rest(verdict.verdict_id)
    if rest is not None and not unit.put_back(rest, verdict.cluster_id, closed=False):
        unit.pull_fully(rest)
    audits = unit.audits(verdict.verdict_id)
    if any(audit.wrong is not None or unit.standing(audit.cluster_id) for audit in audits):
        return
    back = [unit.put_back(audit.cluster_id, verdict.cluster_id, closed=False) for audit in audits]
    if all(back) and unit.has_closing(verdict.verdict_id):
        unit.drop_closing(verdict.verdict_id)


def check_reader(unit: UnitOfWork, case: Case, audit: Audit | None, actor: Actor) -> bool:
    """Refuse who may not read an audit; return whether the second read may be the first reader's.

    An analyst who works alone audits himself; else it is for somebody else.
    """
    if audit is None:
        return False
    if unit.alone(case.stream, actor.name):
        return True
    before = unit.verdict(audit.verdict_id)
    if case.status is ClusterStatus.OPEN and before is not None and before.actor == actor.name:
        raise Conflict("someone else reads this one: it checks a verdict of yours")
    return False


def is_first_of_two(audit: Audit | None, kind: VerdictKind, standing: Sequence[Verdict]) -> bool:
    """Whether an audit contradicts the dismissal, and nobody has said so before.

    A second, blind read decides then.
    """
    said = any(verdict.kind is VerdictKind.REAL for verdict in standing)
    return audit is not None and kind is VerdictKind.REAL and not said


def compare(
    unit: UnitOfWork, case: Case, audit: Audit | None, kind: VerdictKind, at: float
) -> None:
    """Hold a verdict against what was said of the members before they were taken out."""
    if audit is not None:
        _answered(unit, audit, kind, at)
    elif case.origin is not None:
        before = unit.verdict(case.origin)
        if before is not None and denies(kind not in DISMISSES, before.kind):
            disagreed(unit, before, at)


def _answered(unit: UnitOfWork, audit: Audit, kind: VerdictKind, at: float) -> None:
    """Note what an audit found; if the dismissal was wrong, take its propagation back."""
    wrong = kind is VerdictKind.REAL
    unit.answer_audit(audit.candidate_id, wrong)
    verdict = unit.verdict(audit.verdict_id)
    if verdict is None:
        return
    if wrong:
        disagreed(unit, verdict, at)
    follow_bound(unit, verdict.stream, at)


def waits_again(unit: UnitOfWork, audit: Audit, stream: str, at: float) -> None:
    """Let an audit wait again, since its answer was taken back."""
    unit.answer_audit(audit.candidate_id, None)
    follow_bound(unit, stream, at)


def denies(real: bool, kind: VerdictKind) -> bool:
    """Return whether what is known of a member speaks against a verdict's word on its like."""
    return real == (kind in DISMISSES)


def disagreed(unit: UnitOfWork, verdict: Verdict, at: float) -> None:
    """Take a verdict's propagation back: its word counts for the members that were read alone.

    What it left unread is open, at full worth. Again it changes nothing.
    """
    if not unit.stands(verdict):
        return
    if unit.guesses(verdict):
        unit.retract_labels(verdict.stream, verdict.verdict_id, at)
        read = verdict.read_ids
        labels = labels_of(verdict.kind, read, read, unit.policy(verdict.stream))
        position = unit.add_labels(verdict.stream, verdict.verdict_id, labels, at)
        unit.update_verdict(dataclasses.replace(verdict, label_position=position))
    reopen(unit, verdict, at, pull=1.0)
    rest = unit.rest(verdict.verdict_id)
    if rest is not None:
        unit.pull_fully(rest)
    unit.change("verdict", at, {"id": verdict.verdict_id, "cluster_id": verdict.cluster_id})


def reopen(unit: UnitOfWork, verdict: Verdict, at: float, pull: float | None = None) -> None:
    """Make a rest of the members that the verdict closed unread, if there are any."""
    closed = unit.closed_members(verdict.cluster_id)
    case = unit.case(verdict.cluster_id)
    if closed and case is not None:
        _make_rest(unit, case, verdict, closed, at, pull)


def follow_bound(unit: UnitOfWork, stream: str, at: float) -> Bound:
    """Let closing be on exactly while the bound is met; ``closer`` does what follows, in bulk."""
    bound = bound_of(stream, unit.closings(stream), unit.policy(stream))
    if bound.met != unit.closes(stream):
        unit.set_closes(stream, bound.met)
        unit.change("status", at, {"stream": stream})
    return bound


def _id(*parts: str) -> str:
    return str(uuid.uuid5(NAMESPACE, json.dumps(parts)))
