"""The only way to change a case.

Every handling reads: authorise, change, labels, audit, outbox, tell the boards, commit; all in one
transaction. Time comes with the command, ids are made from it.
"""

from __future__ import annotations

import dataclasses

from triage.access import Action, allowed, authorise
from triage.assign import assign
from triage.cases import AuditEntry, Case, Dispute, Regrouping, Rollback, Verdict
from triage.checks import check, check_decidable, check_read, check_undoable
from triage.commands import (
    AssignCluster,
    Command,
    DisputeCommand,
    MissedCommand,
    RecordVerdict,
    RegroupCommand,
    ReportMissed,
    ReportTruth,
    RollBack,
    RollBackCommand,
    TruthCommand,
    UndoVerdict,
)
from triage.disputes import accept, dispute
from triage.errors import NotFound
from triage.findings import FindingKind, MessageOf
from triage.ids import made_id
from triage.labels import labels_of
from triage.late_truth import report, retract
from triage.missed import report_missed, take_back_missed
from triage.model import (
    Actor,
    ClusterStatus,
    KeepOut,
    SuppressionState,
    VerdictKind,
    VerdictState,
)
from triage.publish import finding_of, recall, send
from triage.queries import VerdictRow
from triage.regroup import regroup
from triage.requests import made_before, remember_made
from triage.rest import (
    check_reader,
    compare,
    denies,
    disagreed,
    is_first_of_two,
    leave,
    take_back,
    unread_of,
    waits_again,
)
from triage.rollback import roll_back, undo_roll_back
from triage.store.base import CaseStore, UnitOfWork
from triage.suppression import Suppression, scope_of
from triage.truth import TruthOutcome

LOOKING_S = 45.0  # seconds; a board says it again every 15
TOLD = 200  # cluster ids in one change


class Triage:
    """Handles commands on a store."""

    def __init__(self, store: CaseStore, message_of: MessageOf) -> None:
        self._store = store
        self._message_of = message_of

    def handle(self, command: Command, actor: Actor, at: float) -> VerdictRow:
        """Do what the command asks for, or nothing; return the verdict as it now stands.

        The same idempotency key with the same command again changes nothing and returns the verdict
        that it made (as it stands by now).

        Raises:
            NotAllowed, NotFound, Invalid: see the message.
            Conflict: someone else decided or undid meanwhile; the message says who, what and when.
            StoreUnavailable: nothing happened.
        """
        authorise(actor, Action.DECIDE if isinstance(command, RecordVerdict) else Action.UNDO_OWN)
        check(command, at)
        with self._store.unit_of_work() as unit:
            verdict_id = made_before(unit, command, actor)
            if verdict_id is None:
                if isinstance(command, RecordVerdict):
                    verdict_id = self._record(unit, command, actor, at)
                else:
                    verdict_id = self._undo(unit, command, actor, at)
                remember_made(unit, command, actor, verdict_id, at)
            row = unit.verdict_row(verdict_id)
            if row is None:
                raise NotFound(f"there is no verdict {verdict_id}")
            return row

    def tell(self, command: TruthCommand, actor: Actor, at: float) -> TruthOutcome:
        """Take late truth in or back; return what became of it.

        Raises:
            NotAllowed, NotFound, Invalid: see the message; nothing happened.
            StoreUnavailable: nothing happened.
        """
        authorise(actor, Action.TELL_TRUTH)
        with self._store.unit_of_work() as unit:
            if isinstance(command, ReportTruth):
                return report(unit, command, actor, at)
            return retract(unit, command, actor, at)

    def missed(self, command: MissedCommand, actor: Actor, at: float) -> TruthOutcome:
        """Take a report of an event that was no candidate in or back; return what became of it.

        Raises:
            NotAllowed, NotFound, Invalid: see the message; nothing happened.
            StoreUnavailable: nothing happened.
        """
        authorise(actor, Action.DECIDE)
        with self._store.unit_of_work() as unit:
            if isinstance(command, ReportMissed):
                return report_missed(unit, command, actor, at)
            return take_back_missed(unit, command, actor, at)

    def roll_back(self, command: RollBackCommand, actor: Actor, at: float) -> Rollback:
        """Take an analyst's labels back, or give them back; return the roll-back as it stands.

        Raises:
            NotAllowed, NotFound, Invalid, Conflict: see the message; nothing happened.
            StoreUnavailable: nothing happened.
        """
        authorise(actor, Action.ROLL_BACK)
        with self._store.unit_of_work() as unit:
            if isinstance(command, RollBack):
                return roll_back(unit, command, actor, at)
            return undo_roll_back(unit, command, actor, at)

    def regroup(self, command: RegroupCommand, actor: Actor, at: float) -> Regrouping:
        """Split a cluster or merge two; a repeated key gives the first answer.

        Raises:
            NotAllowed, NotFound, Invalid, Conflict: see the message; nothing happened.
            StoreUnavailable: nothing happened.
        """
        authorise(actor, Action.REGROUP)
        with self._store.unit_of_work() as unit:
            return regroup(unit, command, actor, at, self._message_of)

    def dispute(self, command: DisputeCommand, actor: Actor, at: float) -> Dispute:
        """Disagree with a verdict that stands, or end a dispute; a repeated key changes nothing.

        Raises:
            NotAllowed, NotFound, Invalid, Conflict: see the message; nothing happened.
            StoreUnavailable: nothing happened.
        """
        authorise(actor, Action.DECIDE)
        with self._store.unit_of_work() as unit:
            return dispute(unit, command, actor, at)

    def assign(self, command: AssignCluster, actor: Actor, at: float) -> None:
        """Say who takes care of a cluster.

        Raises:
            NotAllowed, NotFound, Invalid: see the message; nothing happened.
            StoreUnavailable: nothing happened.
        """
        authorise(actor, Action.ASSIGN)
        with self._store.unit_of_work() as unit:
            assign(unit, command, actor, at)

    def look_at(self, cluster_id: str | None, actor: Actor, at: float) -> None:
        """Note which cluster somebody has before the eyes; it is forgotten by itself."""
        authorise(actor, Action.READ)
        decides = allowed(actor, Action.DECIDE)
        self._store.look_at(actor.name, cluster_id, at, LOOKING_S, touches=decides)

    def _record(self, unit: UnitOfWork, command: RecordVerdict, actor: Actor, at: float) -> str:
        case = _find_case(unit, command.cluster_id)
        standing = unit.standing(case.cluster_id)
        audit = unit.audit_of(case.cluster_id) if case.origin else None
        blind = check_reader(unit, case, audit, actor)
        check_decidable(case, command, standing, None if blind else actor)
        members = unit.member_ids(case.cluster_id)
        check_read(command.read, members)
        policy = unit.policy(case.stream)

        unsure = command.kind is VerdictKind.UNSURE or is_first_of_two(
            audit, command.kind, standing
        )
        verdict = Verdict(
            verdict_id=made_id("verdict", actor.name, command.idempotency_key),
            cluster_id=case.cluster_id,
            stream=case.stream,
            kind=command.kind,
            state=VerdictState.PENDING,
            actor=actor.name,
            at=at,
            reason=command.reason,
            scope=command.scope,
            expires_at=command.expires_at,
            read_ids=command.read,
            propagated=0 if unsure else len(members) - len(command.read),
            grace_until=at + policy.undo_grace,
            suggested=None if audit is not None else case.suggested,
        )
        decided = dataclasses.replace(
            case,
            status=ClusterStatus.SECOND_OPINION if unsure else ClusterStatus.DECIDED,
            revision=case.revision + 1,
            verdict=None if unsure else command.kind,
        )
        unit.update_case(decided)
        unit.touch(case.cluster_id, actor.name, at)
        unread = unread_of(unit, case, command.kind, members, command.read)
        if not unsure:
            unit.set_read(case.cluster_id, command.read)

        truths = unit.told_of(case.cluster_id) if verdict.propagated else ()
        denied = any(denies(real, command.kind) for real in truths)
        told = [member for member in members if member not in unread.audited]
        labels = labels_of(command.kind, command.read if denied else told, command.read, policy)
        if labels and not unsure:
            position = unit.add_labels(case.stream, verdict.verdict_id, labels, at)
            verdict = dataclasses.replace(verdict, label_position=position)
        unit.add_verdict(verdict)
        if command.kind is VerdictKind.EXPECTED and command.keep_out is not KeepOut.NOTHING:
            unit.add_suppression(_suppression(unit, command, verdict))
        if not unsure:
            leave(unit, case, verdict, unread, at)
            compare(unit, case, audit, command.kind, at)
        if denied:
            disagreed(unit, verdict, at)

        _audit(unit, "verdict", actor, command, at, case, decided, verdict)
        if command.kind is VerdictKind.REAL and not unsure:
            finding = finding_of(
                case, verdict, unit.candidates(command.read), len(members), FindingKind.VERIFIED
            )
            if sent := unit.sent(verdict.verdict_id):  # given before, and lost with the database
                finding = dataclasses.replace(finding, revision=sent + 1, kind=FindingKind.REVISED)
            send(unit, self._message_of, finding, at, not_before=verdict.grace_until)
        unit.change("verdict", at, {"id": verdict.verdict_id, "cluster_id": case.cluster_id})
        return verdict.verdict_id

    def _undo(self, unit: UnitOfWork, command: UndoVerdict, actor: Actor, at: float) -> str:
        verdict = unit.verdict(command.verdict_id)
        if verdict is None:
            raise NotFound(f"there is no verdict {command.verdict_id}")
        if verdict.actor != actor.name:
            authorise(actor, Action.UNDO_OTHERS)
        case = _find_case(unit, verdict.cluster_id)
        standing = unit.standing(verdict.cluster_id)
        check_undoable(verdict, standing)

        out = recall(unit, verdict.verdict_id)
        in_time = not out and (verdict.kind is VerdictKind.REAL or at <= verdict.grace_until)
        undone = dataclasses.replace(
            verdict, state=VerdictState.UNDONE if in_time else VerdictState.RETRACTED
        )
        others = [other for other in standing if other.verdict_id != verdict.verdict_id]
        reopened = dataclasses.replace(
            case,
            status=ClusterStatus.SECOND_OPINION if others else ClusterStatus.OPEN,
            revision=case.revision + 1,
            verdict=None,
        )
        unit.update_case(reopened)
        unit.set_read(case.cluster_id, [])
        take_back(unit, verdict)
        accept(unit, verdict, actor, at, command.reason)
        audit = unit.audit_of(case.cluster_id) if case.origin else None
        if audit is not None:
            waits_again(unit, audit, case.stream, at)

        if verdict.label_position is not None:
            overruled = verdict.actor != actor.name
            position = unit.retract_labels(verdict.stream, verdict.verdict_id, at, overruled)
            undone = dataclasses.replace(undone, label_position=position)
        unit.update_verdict(undone)
        back = unit.end_suppression(verdict.verdict_id, SuppressionState.UNDONE, "", at)
        if back:
            unit.change("clusters", at, {"ids": back[:TOLD], "total": len(back)})

        _audit(unit, "undo", actor, command, at, case, reopened, undone)
        if out:
            read = unit.candidates(verdict.read_ids)
            total = len(verdict.read_ids) + verdict.propagated
            finding = dataclasses.replace(
                finding_of(case, verdict, read, total, FindingKind.RETRACTED),
                revision=out + 1,
                revised_by=actor.name,
                revised_at=at,
                revision_reason=command.reason,
            )
            send(unit, self._message_of, finding, at, not_before=at)
        unit.change("verdict", at, {"id": verdict.verdict_id, "cluster_id": case.cluster_id})
        return verdict.verdict_id


def _suppression(unit: UnitOfWork, command: RecordVerdict, verdict: Verdict) -> Suppression:
    facts = unit.scope_facts(verdict.cluster_id)
    return Suppression(
        suppression_id=verdict.verdict_id,
        stream=verdict.stream,
        cluster_id=verdict.cluster_id,
        scope=scope_of(facts, command.keep_out),
        at=verdict.at,
        expires_at=verdict.expires_at or verdict.at,
        usual=facts.per_day(),
    )


def _find_case(unit: UnitOfWork, cluster_id: str) -> Case:
    case = unit.case(cluster_id)
    if case is None:
        raise NotFound(f"there is no cluster {cluster_id}")
    return case


def _audit(
    unit: UnitOfWork,
    action: str,
    actor: Actor,
    command: Command,
    at: float,
    before: Case,
    after: Case,
    verdict: Verdict,
) -> None:
    unit.audit(
        AuditEntry(
            at=at,
            actor=actor.name,
            role=actor.role,
            action=action,
            object=f"cluster/{before.cluster_id}",
            request_id=command.idempotency_key,
            before=_audited(before),
            after={
                **_audited(after),
                "verdict_id": verdict.verdict_id,
                "kind": verdict.kind,
                "state": verdict.state,
                "reason": command.reason,
                "scope": verdict.scope,
                "expires_at": verdict.expires_at,
                **_kept_out(command),
                "read": list(verdict.read_ids),
                "propagated": verdict.propagated,
                "label_position": verdict.label_position,
            },
        )
    )


def _kept_out(command: Command) -> dict[str, object]:
    if isinstance(command, RecordVerdict) and command.kind is VerdictKind.EXPECTED:
        return {"keep_out": command.keep_out}
    return {}


def _audited(case: Case) -> dict[str, object]:
    return {"status": case.status, "revision": case.revision, "verdict": case.verdict}
