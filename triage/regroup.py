"""Splits and merges of clusters by hand.

A split of a decided cluster changes what its verdict stands for: the members that leave are open
again, their labels are retracted, and a finding that loses some that were read has a new revision.
Decided clusters are not merged: a finding says what somebody read when deciding, and never grows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from triage.access import Action, authorise
from triage.cases import AuditEntry, Case, Regrouping, Verdict
from triage.commands import MergeClusters, RegroupCommand, SplitCluster
from triage.errors import Conflict, Invalid, NotFound
from triage.findings import FindingKind, MessageOf
from triage.ids import made_id
from triage.model import Actor, ClusterStatus, VerdictKind
from triage.publish import finding_of, recall, send
from triage.requests import made_before, remember_made
from triage.store.base import UnitOfWork
from triage.titles import title_of

MAX_REASON = 4_000  # characters
TITLE_MEMBERS = 200  # newest members that a title is made from
MAX_MOVED = 1_000  # members that a person can have chosen
WAITS = {
    ClusterStatus.SECOND_OPINION: "it waits for a second opinion: decide it first",
    ClusterStatus.SUPPRESSED: "an expected verdict keeps it out of the queue: undo that one first",
    ClusterStatus.MERGED: "it was merged into another cluster",
    ClusterStatus.DECIDED: "it is decided: undo the verdict first",
}


def regroup(
    unit: UnitOfWork, command: RegroupCommand, actor: Actor, at: float, message_of: MessageOf
) -> Regrouping:
    """Do what the command asks for and return it; the same command again does nothing.

    Raises:
        NotAllowed: the cluster was decided by somebody else, whose verdict only a lead may change.
        NotFound, Invalid, Conflict: see the message.
    """
    _check(command)
    made = made_before(unit, command, actor)
    if made is not None:
        before = unit.regrouping(made)
        if before is None:
            raise Invalid("this idempotency key was used for another command: make a new one")
        return before
    if isinstance(command, SplitCluster):
        done = _split(unit, command, actor, at, message_of)
    else:
        done = _merge(unit, command, actor, at)
    unit.add_regrouping(done)
    remember_made(unit, command, actor, done.regrouping_id, at)
    ids = [done.cluster_id, done.other]
    unit.change("clusters", at, {"ids": ids, "total": len(ids)})
    return done


def _split(
    unit: UnitOfWork, command: SplitCluster, actor: Actor, at: float, message_of: MessageOf
) -> Regrouping:
    case = _case(unit, command.cluster_id, command.revision)
    if case.status is not ClusterStatus.DECIDED or case.origin is not None:
        _check_open(case)
    members = unit.member_ids(case.cluster_id)
    leaving = frozenset(command.members)
    staying = [member for member in members if member not in leaving]
    if leaving.difference(members):
        raise Invalid("members: some are not in this cluster")
    if not staying:
        raise Invalid("members: some must stay; if none should, undo the verdict instead")

    done = _regrouping("split", case, command, actor, at, "", tuple(command.members))
    done = dataclasses.replace(done, other=made_id("split", done.regrouping_id))
    unit.found_cluster(case, done.other, at)
    unit.move_members(done.other, command.members)
    unit.set_read(done.other, [])
    after = dataclasses.replace(case, revision=case.revision + 1)
    unit.update_case(after)
    title = _rebuild(unit, case, case.cluster_id)
    _rebuild(unit, case, done.other)
    if case.status is ClusterStatus.DECIDED:
        after = dataclasses.replace(after, title=title)
        _restate(unit, after, leaving, command, actor, at, message_of)
    _audit(unit, done, command, actor, case, after)
    return done


def _merge(unit: UnitOfWork, command: MergeClusters, actor: Actor, at: float) -> Regrouping:
    case = _case(unit, command.cluster_id, command.revision)
    into = _case(unit, command.into, command.into_revision)
    for each in (case, into):
        _check_open(each)
    if case.stream != into.stream:
        raise Invalid("into: a cluster of the same stream")
    members = tuple(unit.member_ids(case.cluster_id))

    unit.move_members(into.cluster_id, members)
    after = dataclasses.replace(case, status=ClusterStatus.MERGED, revision=case.revision + 1)
    unit.update_case(after)
    unit.empty(case.cluster_id)
    unit.update_case(dataclasses.replace(into, revision=into.revision + 1))
    _rebuild(unit, into, into.cluster_id)
    done = _regrouping("merge", case, command, actor, at, into.cluster_id, members)
    _audit(unit, done, command, actor, case, after)
    return done


def _restate(
    unit: UnitOfWork,
    case: Case,
    leaving: frozenset[str],
    command: SplitCluster,
    actor: Actor,
    at: float,
    message_of: MessageOf,
) -> None:
    """Let the standing verdict say nothing of the members that leave."""
    verdict = unit.standing(case.cluster_id)[-1]
    if verdict.actor != actor.name:
        authorise(actor, Action.UNDO_OTHERS)
    read = tuple(member for member in verdict.read_ids if member not in leaving)
    if leaving.difference(verdict.read_ids):
        raise Invalid("members: of a decided cluster only those that were read can leave")
    if not read:
        raise Invalid("every member that was read would leave: undo the verdict instead")
    restated = dataclasses.replace(verdict, read_ids=read)
    if unit.teaches(verdict.verdict_id):
        gone = unit.retract_labels(verdict.stream, verdict.verdict_id, at)
        position = unit.restore_labels(verdict.stream, verdict.verdict_id, gone, leaving)
        restated = dataclasses.replace(restated, label_position=position)
    unit.update_verdict(restated)
    if verdict.kind is VerdictKind.REAL:
        total = len(read) + verdict.propagated
        _revise(unit, case, restated, total, command, actor, at, message_of)
    unit.change("verdict", at, {"id": verdict.verdict_id, "cluster_id": case.cluster_id})


def _revise(
    unit: UnitOfWork,
    case: Case,
    verdict: Verdict,
    total: int,
    command: SplitCluster,
    actor: Actor,
    at: float,
    message_of: MessageOf,
) -> None:
    """Say in a new revision what the finding is by now; one that is not out yet is replaced."""
    out = recall(unit, verdict.verdict_id)
    kind = FindingKind.REVISED if out else FindingKind.VERIFIED
    finding = finding_of(case, verdict, unit.candidates(verdict.read_ids), total, kind)
    if out:
        finding = dataclasses.replace(
            finding,
            revision=out + 1,
            revised_by=actor.name,
            revised_at=at,
            revision_reason=command.reason,
        )
    send(unit, message_of, finding, at, not_before=max(at, verdict.grace_until))


def _check(command: RegroupCommand) -> None:
    if not 0 < len(command.idempotency_key) <= 200:
        raise Invalid("idempotency_key: 1 to 200 characters")
    if len(command.reason) > MAX_REASON:
        raise Invalid(f"reason: at most {MAX_REASON} characters")
    if isinstance(command, MergeClusters):
        if command.into == command.cluster_id:
            raise Invalid("into: another cluster")
        return
    if not 0 < len(command.members) <= MAX_MOVED:
        raise Invalid(f"members: name 1 to {MAX_MOVED} of them")
    if len(set(command.members)) != len(command.members):
        raise Invalid("members: one is named twice")


def _case(unit: UnitOfWork, cluster_id: str, revision: int) -> Case:
    case = unit.case(cluster_id)
    if case is None:
        raise NotFound(f"there is no cluster {cluster_id}")
    if case.revision != revision:
        raise Conflict(f"the cluster {cluster_id} has changed since you opened it: reload it")
    return case


def _check_open(case: Case) -> None:
    if case.origin is not None:
        raise Conflict(
            f"the cluster {case.cluster_id} stays as it is: it came out of a decided one"
        )
    if case.status is not ClusterStatus.OPEN:
        raise Conflict(f"the cluster {case.cluster_id} stays as it is: {WAITS[case.status]}")


def _regrouping(
    kind: str,
    case: Case,
    command: RegroupCommand,
    actor: Actor,
    at: float,
    other: str,
    members: tuple[str, ...],
) -> Regrouping:
    return Regrouping(
        regrouping_id=made_id(kind, actor.name, command.idempotency_key),
        kind=kind,
        stream=case.stream,
        cluster_id=case.cluster_id,
        other=other,
        members=members,
        actor=actor.name,
        at=at,
        reason=command.reason,
    )


def _rebuild(unit: UnitOfWork, case: Case, cluster_id: str) -> str:
    """Count a cluster anew from its members; return its new title."""
    members = unit.member_ids(cluster_id)
    known = unit.candidates(members[-TITLE_MEMBERS:])
    title, subtitle = title_of(known, len(members), unit.noun(case.stream))
    unit.rebuild(cluster_id, title, subtitle)
    return title


def _audit(
    unit: UnitOfWork,
    done: Regrouping,
    command: RegroupCommand,
    actor: Actor,
    before: Case,
    after: Case,
) -> None:
    unit.audit(
        AuditEntry(
            at=done.at,
            actor=actor.name,
            role=actor.role,
            action=done.kind,
            object=f"cluster/{done.cluster_id}",
            request_id=command.idempotency_key,
            before=_audited(before),
            after={
                **_audited(after),
                "other": done.other,
                "members": list(done.members),
                "reason": done.reason,
            },
        )
    )


def _audited(case: Case) -> Mapping[str, object]:
    return {"status": case.status, "revision": case.revision, "verdict": case.verdict}
