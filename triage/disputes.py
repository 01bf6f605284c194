"""A second reader disagrees with a verdict that stands; a lead says which of the two is right.

The verdict stays in force meanwhile, but speaks for the members that were read alone, as after any
two reads that disagree. A dispute ends in one of three ways: a lead keeps the verdict, the second
reader withdraws, or the verdict is taken back, by its author or by a lead.
"""

from __future__ import annotations

import dataclasses

from triage.access import Action, authorise
from triage.cases import AuditEntry, Dispute, DisputeState, Verdict
from triage.checks import check_named, check_read, check_request
from triage.closing import DISMISSES
from triage.commands import DisputeCommand, DisputeVerdict, SettleDispute
from triage.errors import Conflict, Invalid, NotAllowed, NotFound
from triage.ids import made_id
from triage.model import Actor, ClusterStatus, VerdictKind
from triage.requests import made_before, remember_made
from triage.rest import disagreed
from triage.store.base import UnitOfWork


def dispute(unit: UnitOfWork, command: DisputeCommand, actor: Actor, at: float) -> Dispute:
    """Begin or end a dispute; return it as it stands. The same key again changes nothing.

    Raises:
        NotAllowed, NotFound, Invalid, Conflict: see the message.
    """
    check_request(command.idempotency_key, command.reason)
    dispute_id = made_before(unit, command, actor)
    if dispute_id is None:
        if isinstance(command, DisputeVerdict):
            dispute_id = _begin(unit, command, actor, at)
        else:
            dispute_id = _settle(unit, command, actor, at)
        remember_made(unit, command, actor, dispute_id, at)
    return _find(unit, dispute_id)


def accept(unit: UnitOfWork, verdict: Verdict, actor: Actor, at: float, reason: str) -> None:
    """End the dispute of a verdict that is taken back, if there is one."""
    begun = unit.open_dispute(verdict.verdict_id)
    if begun is not None:
        _end(unit, begun, DisputeState.ACCEPTED, actor, at, reason)


def _begin(unit: UnitOfWork, command: DisputeVerdict, actor: Actor, at: float) -> str:
    check_named(command.read)
    verdict = unit.verdict(command.verdict_id)
    if verdict is None:
        raise NotFound(f"there is no verdict {command.verdict_id}")
    _check_disputable(unit, verdict, command.kind, actor)
    check_read(command.read, unit.member_ids(verdict.cluster_id))
    begun = Dispute(
        dispute_id=made_id("dispute", actor.name, command.idempotency_key),
        verdict_id=verdict.verdict_id,
        cluster_id=verdict.cluster_id,
        kind=command.kind,
        actor=actor.name,
        at=at,
        reason=command.reason,
        read_ids=command.read,
    )
    unit.add_dispute(begun)
    if (verdict.kind in DISMISSES) != (command.kind in DISMISSES):
        disagreed(unit, verdict, at)
    _audit(unit, "dispute", begun, actor, at, command.idempotency_key, None)
    _tell(unit, begun, at)
    return begun.dispute_id


def _check_disputable(unit: UnitOfWork, verdict: Verdict, kind: VerdictKind, actor: Actor) -> None:
    case = unit.case(verdict.cluster_id)
    standing = unit.standing(verdict.cluster_id)
    newest = standing[-1] if standing else None
    decided = case is not None and case.status is ClusterStatus.DECIDED
    if not decided or newest is None or newest.verdict_id != verdict.verdict_id:
        raise Conflict(
            "this verdict is not the one that stands: reload the cluster",
            "" if newest is None or not decided else newest.verdict_id,
        )
    if verdict.actor == actor.name:
        raise Invalid("this verdict is your own: take it back instead")
    if kind in (verdict.kind, VerdictKind.UNSURE):
        raise Invalid(f"who disagrees says what it is, if not {verdict.kind}")
    begun = unit.open_dispute(verdict.verdict_id)
    if begun is not None:
        raise Conflict(
            f"{begun.actor} has disagreed already ({begun.kind}): a lead decides",
            verdict.verdict_id,
        )


def _settle(unit: UnitOfWork, command: SettleDispute, actor: Actor, at: float) -> str:
    begun = _find(unit, command.dispute_id)
    if begun.state is not DisputeState.OPEN:
        raise Conflict(f"this dispute is over: {begun.state} by {begun.settled_by}")
    state = DisputeState.WITHDRAWN if begun.actor == actor.name else DisputeState.KEPT
    if state is DisputeState.KEPT:
        authorise(actor, Action.SETTLE)
        verdict = unit.verdict(begun.verdict_id)
        if verdict is not None and verdict.actor == actor.name:
            raise NotAllowed("the disputed verdict is your own: another lead decides")
    _end(unit, begun, state, actor, at, command.reason, command.idempotency_key)
    return begun.dispute_id


def _end(
    unit: UnitOfWork,
    begun: Dispute,
    state: DisputeState,
    actor: Actor,
    at: float,
    reason: str,
    key: str = "",
) -> None:
    ended = dataclasses.replace(
        begun, state=state, settled_by=actor.name, settled_at=at, answer=reason
    )
    unit.settle_dispute(ended)
    _audit(unit, "settle_dispute", ended, actor, at, key or f"settle/{begun.dispute_id}", begun)
    _tell(unit, ended, at)


def _find(unit: UnitOfWork, dispute_id: str) -> Dispute:
    found = unit.dispute(dispute_id)
    if found is None:
        raise NotFound(f"there is no dispute {dispute_id}")
    return found


def _tell(unit: UnitOfWork, one: Dispute, at: float) -> None:
    unit.change("verdict", at, {"id": one.verdict_id, "cluster_id": one.cluster_id})


def _audit(
    unit: UnitOfWork,
    action: str,
    one: Dispute,
    actor: Actor,
    at: float,
    request_id: str,
    before: Dispute | None,
) -> None:
    unit.audit(
        AuditEntry(
            at=at,
            actor=actor.name,
            role=actor.role,
            action=action,
            object=f"cluster/{one.cluster_id}",
            request_id=request_id,
            before=None if before is None else {"state": before.state},
            after={
                "dispute_id": one.dispute_id,
                "verdict_id": one.verdict_id,
                "kind": one.kind,
                "read": list(one.read_ids),
                "state": one.state,
                "reason": one.reason if before is None else one.answer,
            },
        )
    )
