"""Takes back what one analyst taught in a period, and gives it back."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence

from triage.cases import AuditEntry, Rollback, Verdict
from triage.commands import RollBack, UndoRollBack
from triage.errors import Conflict, Invalid, NotFound
from triage.late_truth import add
from triage.missed import reports_about
from triage.model import Actor, SuppressionState
from triage.store.base import UnitOfWork
from triage.truth import MISSED, Truth

NAMESPACE = uuid.UUID("7a51d0c8-3b7e-5d4d-9d7a-6f1c8c0a2b55")
MAX_REASON = 4_000  # characters
TOLD = 200  # cluster ids in one change


def roll_back(unit: UnitOfWork, command: RollBack, actor: Actor, at: float) -> Rollback:
    """Retract all labels of the analyst's verdicts and reports of missed events in the period.

    On every stream.

    From the next commits on detectors are as if these labels had never been. The clusters stay
    decided and findings stay published; what the verdicts kept out of the queue is open again.

    Raises:
        Invalid: the period is empty.
        NotFound: the analyst has no labels in force in it.
    """
    if not command.since < command.until:
        raise Invalid("since must be before until")
    if len(command.reason) > MAX_REASON:
        raise Invalid(f"reason: at most {MAX_REASON} characters")
    verdicts = unit.teaching(command.analyst, command.since, command.until)
    missed = unit.missed_by(command.analyst, command.since, command.until)
    if not verdicts and not missed:
        raise NotFound(f"{command.analyst} has no labels in force in that time")
    taken: list[tuple[str, int]] = []
    opened: set[str] = set()
    for verdict in verdicts:
        position = unit.retract_labels(verdict.stream, verdict.verdict_id, at)
        _moved(unit, verdict, position)
        opened.update(
            unit.end_suppression(verdict.verdict_id, SuppressionState.UNDONE, "rolled back", at)
        )
        taken.append((verdict.verdict_id, position))
    for truth in missed:
        taken.append((truth.truth_id, unit.next_label(truth.stream)))
        unit.retract_truths([truth], at)
    stream = verdicts[0].stream if verdicts else missed[0].stream
    name = f"{command.analyst}/{stream}/{taken[0][1]}"
    done = Rollback(
        rollback_id=str(uuid.uuid5(NAMESPACE, name)),
        analyst=command.analyst,
        since=command.since,
        until=command.until,
        actor=actor.name,
        at=at,
        reason=command.reason,
        taken=tuple(taken),
    )
    unit.add_rollback(done)
    _audit(unit, "roll_back", done, actor, at)
    _tell(unit, verdicts, sorted(opened), at)
    return done


def undo_roll_back(unit: UnitOfWork, command: UndoRollBack, actor: Actor, at: float) -> Rollback:
    """Give back the labels that a roll-back took, of verdicts that still stand, and the reports.

    Not those of events that were reported again meanwhile.

    An expected verdict that has expired meanwhile stays silent; what verdicts kept out of the queue
    stays open.

    Raises:
        NotFound: there is no such roll-back. Conflict: it was undone already.
    """
    done = unit.rollback(command.rollback_id)
    if done is None:
        raise NotFound(f"there is no roll-back {command.rollback_id}")
    if done.undone_at is not None:
        raise Conflict("this roll-back has been undone already")
    back = []
    for verdict_id, retracted_at in done.taken:
        verdict = unit.verdict(verdict_id)
        if verdict is None or not unit.stands(verdict):
            continue
        if verdict.expires_at is not None and verdict.expires_at <= at:
            continue
        _moved(unit, verdict, unit.restore_labels(verdict.stream, verdict_id, retracted_at))
        back.append(verdict)
    undone = dataclasses.replace(done, undone_at=at)
    unit.undo_rollback(undone)
    places = dict(done.taken)
    for truth in unit.truths_by_id(list(places)):
        if not _spoken_of_since(unit, truth, places[truth.truth_id]):
            add(unit, truth.stream, MISSED, [truth.report], truth.actor, truth.at)
    _audit(unit, "undo_roll_back", undone, actor, at)
    _tell(unit, back, [], at)
    return undone


def _spoken_of_since(unit: UnitOfWork, truth: Truth, position: int) -> bool:
    """Return whether somebody has reported the missed event again after that place in the log."""
    entities, time = truth.report.entities or {}, truth.report.time or 0.0
    about = reports_about(unit, truth.stream, entities, time)
    return any(one.position > position for one in about)


def _moved(unit: UnitOfWork, verdict: Verdict, position: int) -> None:
    unit.update_verdict(dataclasses.replace(verdict, label_position=position))


def _tell(unit: UnitOfWork, verdicts: Sequence[Verdict], opened: Sequence[str], at: float) -> None:
    ids = sorted({verdict.cluster_id for verdict in verdicts}.union(opened))
    unit.change("clusters", at, {"ids": ids[:TOLD], "total": len(ids)})


def _audit(unit: UnitOfWork, action: str, done: Rollback, actor: Actor, at: float) -> None:
    unit.audit(
        AuditEntry(
            at=at,
            actor=actor.name,
            role=actor.role,
            action=action,
            object=f"analyst/{done.analyst}",
            request_id=f"{action}/{done.rollback_id}",
            before=None,
            after={
                "since": done.since,
                "until": done.until,
                "reason": done.reason,
                "taken": [one for one, _ in done.taken],
            },
        )
    )
