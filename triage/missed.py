"""Takes in what no detector showed: events that were no candidates and that a reader calls real."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from triage.access import Action, authorise
from triage.cases import AuditEntry
from triage.commands import MissedCommand, ReportMissed, TakeBackMissed
from triage.errors import Invalid, NotFound
from triage.label_weights import DAY
from triage.late_truth import add
from triage.model import Actor
from triage.store.base import UnitOfWork
from triage.truth import MISSED, Truth, TruthOutcome, TruthReport, may_be_one


def report_missed(unit: UnitOfWork, command: ReportMissed, actor: Actor, at: float) -> TruthOutcome:
    """Let the event count as real in the records of its entities.

    It never joins a candidate, so it overrules nobody: what was a candidate is decided as its
    cluster is.

    Raises:
        Invalid: the event is a candidate, or these are more reports of one person on one day than
            ``policy.analyst_day_weight``.
        NotFound: no such event is kept beside that candidate.
    """
    stream, entities, time = command.stream, command.entities, command.time
    if any(may_be_one(one.entities, entities) for one in unit.candidates_at(stream, time)):
        raise Invalid("this event is a candidate: give a verdict on its cluster")
    if not unit.keeps(command):
        raise NotFound(f"no such event is kept beside the candidate {command.beside}")
    if _in_force(unit, command):
        return TruthOutcome(received=1, repeated=1)
    most = unit.policy(stream).analyst_day_weight
    if unit.count_missed(stream, actor.name, at // DAY * DAY) + 1 > most:
        raise Invalid(f"one person may report {most:g} events of a stream on one day")
    position = unit.next_label(stream)
    report = TruthReport(id=str(position), real=True, entities=dict(entities), time=time)
    (new,) = add(unit, stream, MISSED, [report], actor.name, at)
    _done(unit, "report_missed", command, new.truth_id, actor, at)
    return TruthOutcome(received=1, waiting=1)


def take_back_missed(
    unit: UnitOfWork, command: TakeBackMissed, actor: Actor, at: float
) -> TruthOutcome:
    """Take reports of the event back: one's own, or as a lead another's.

    Raises:
        NotFound: nobody has reported this event. NotAllowed: somebody else has.
    """
    known = _in_force(unit, command)
    if not known:
        raise NotFound("nobody has reported this event as missed")
    if any(truth.actor != actor.name for truth in known):
        authorise(actor, Action.UNDO_OTHERS)
    unit.retract_truths(known, at)
    _done(unit, "take_back_missed", command, known[0].truth_id, actor, at)
    return TruthOutcome(received=1, retracted=len(known))


def reports_about(
    unit: UnitOfWork, stream: str, entities: Mapping[str, str], time: float
) -> Sequence[Truth]:
    """Return the reports that may be about this event, taken back ones too, by place."""
    return [
        one
        for one in unit.missed_at(stream, time)
        if may_be_one(one.report.entities or {}, entities)
    ]


def _in_force(unit: UnitOfWork, command: MissedCommand) -> Sequence[Truth]:
    about = reports_about(unit, command.stream, command.entities, command.time)
    return unit.truths(command.stream, MISSED, [one.report.id for one in about])


def _done(
    unit: UnitOfWork, action: str, command: MissedCommand, truth_id: str, actor: Actor, at: float
) -> None:
    unit.change(MISSED, at, {"stream": command.stream})
    unit.audit(
        AuditEntry(
            at=at,
            actor=actor.name,
            role=actor.role,
            action=action,
            object=f"stream/{command.stream}",
            request_id=f"{action}/{truth_id}",
            before=None,
            after={"entities": dict(command.entities), "time": command.time},
        )
    )
