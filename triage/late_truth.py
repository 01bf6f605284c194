"""Takes late truth in, takes it back, and joins what had to wait for its candidate."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping, Sequence

from triage.cases import AuditEntry
from triage.commands import ReportTruth, RetractTruth
from triage.errors import Invalid, NotFound
from triage.guard import break_off
from triage.model import Actor
from triage.rest import denies, disagreed
from triage.store.base import CaseStore, UnitOfWork
from triage.suppression import DENIED
from triage.truth import MISSED, Truth, TruthOutcome, TruthReport, content, contradicts, pairs

NAMESPACE = uuid.UUID("c1f3d1b7-5a0c-5a9e-8d0e-6d2b7a4f9e21")
MAX_REPORTS = 1_000  # of one command
EVERY_S = 1.0  # seconds between two looks for candidates that a truth waits for
BATCH = 500  # candidates of one look
TOLD = 200  # cluster ids in one change


def report(unit: UnitOfWork, command: ReportTruth, actor: Actor, at: float) -> TruthOutcome:
    """Take the reports in; of several with one id the last counts.

    Raises:
        Invalid: the command names no known stream, or more than ``MAX_REPORTS`` reports.
    """
    _check(unit, command.stream, command.source, len(command.reports))
    reports = {one.id: one for one in command.reports}
    known = {
        truth.report.id: truth
        for truth in unit.truths(command.stream, command.source, list(reports))
    }
    repeated = [
        one for one in reports.values() if one.id in known and _same(one, known[one.id].report)
    ]
    for one in repeated:
        del reports[one.id]
    replaced = [known[name] for name in reports if name in known]
    if not reports:
        return TruthOutcome(received=len(command.reports), repeated=len(repeated))
    position = unit.next_label(command.stream)
    unit.retract_truths(replaced, at)
    new = add(unit, command.stream, command.source, [*reports.values()], actor.name, at)
    within_s = unit.policy(command.stream).truth_within
    joined = pairs(new, unit.candidates_of(command.stream, new, within_s), within_s)
    contradicting = _join(unit, command.stream, new, joined, at)
    outcome = TruthOutcome(
        received=len(command.reports),
        joined=len(joined),
        waiting=len(new) - len(joined),
        repeated=len(repeated),
        replaced=len(replaced),
        contradicting=contradicting,
    )
    _audit(unit, "truth", command.stream, command.source, [*reports.values()], actor, at, position)
    return outcome


def add(
    unit: UnitOfWork,
    stream: str,
    source: str,
    reports: Sequence[TruthReport],
    actor: str,
    at: float,
) -> Sequence[Truth]:
    """Give reports their places in the stream's label log; return them as they are kept."""
    first = unit.next_label(stream)
    new = [
        Truth(
            truth_id=str(uuid.uuid5(NAMESPACE, json.dumps([stream, first + i]))),
            stream=stream,
            source=source,
            report=one,
            at=at,
            actor=actor,
            position=first + i,
        )
        for i, one in enumerate(reports)
    ]
    unit.add_truths(new)
    return new


def retract(unit: UnitOfWork, command: RetractTruth, actor: Actor, at: float) -> TruthOutcome:
    """Take reports back by their ids. Raises NotFound if one of them is not in force."""
    _check(unit, command.stream, command.source, len(command.ids))
    known = unit.truths(command.stream, command.source, list(command.ids))
    missing = sorted(set(command.ids).difference(truth.report.id for truth in known))
    if missing:
        raise NotFound(f"{command.source} has told nothing under: {', '.join(missing[:3])}")
    position = unit.next_label(command.stream)
    unit.retract_truths(known, at)
    _tell(unit, unit.clusters_of_truths([truth.truth_id for truth in known]), at)
    told = [truth.report for truth in known]
    _audit(unit, "retract_truth", command.stream, command.source, told, actor, at, position)
    return TruthOutcome(received=len(command.ids), retracted=len(known))


class LateJoins:
    """Joins the truths of a stream that came before their candidate, each once."""

    def __init__(self, store: CaseStore, stream: str, clock: Callable[[], float]) -> None:
        self._store = store
        self._stream = stream
        self._clock = clock
        self._next = float("-inf")

    def step(self) -> bool:
        """Look at the next candidates, at most ``BATCH``; return whether there were any.

        Looks into the store every ``EVERY_S`` seconds. Several processes may do it at once. Raises
        ``StoreUnavailable``: nothing happened.
        """
        at = self._clock()
        if at < self._next:
            return False
        with self._store.unit_of_work() as unit:
            new = unit.candidates_to_join(self._stream, BATCH)
            if new:
                within_s = unit.policy(self._stream).truth_within
                waiting = unit.waiting_truths(self._stream, new, within_s)
                joined = pairs(waiting, new, within_s)
                _join(unit, self._stream, waiting, joined, at)
                unit.looked_for_truths(self._stream, new[-1].seq)
        self._next = at if len(new) == BATCH else at + EVERY_S
        return bool(new)


def _join(
    unit: UnitOfWork,
    stream: str,
    truths: Sequence[Truth],
    joined: Mapping[str, Sequence[str]],
    at: float,
) -> int:
    """Append the labels; return how many of the truths contradict a verdict.

    What a verdict said of members that nobody read does not outlive a truth that says otherwise of
    one of them, or of one that was read: see ``rest.disagreed``. Nor does a suppression outlive one
    that calls something real that it covers. Both stay so if the truth is taken back: somebody may
    have read them by then.
    """
    if not joined:
        return 0
    candidates = [cid for ids in joined.values() for cid in ids]
    said, speaking = unit.verdicts_on(candidates), unit.speaking_for(candidates)
    unit.join_truths(stream, [t for t in truths if t.truth_id in joined], joined, at)
    denied = {
        verdict.verdict_id: verdict
        for truth in truths
        for cid in joined.get(truth.truth_id, ())
        for verdict in speaking.get(cid, ())
        if verdict.propagated and denies(truth.report.real, verdict.kind)
    }
    for verdict_id in sorted(denied):
        disagreed(unit, denied[verdict_id], at)
    real = [cid for truth in truths if truth.report.real for cid in joined.get(truth.truth_id, ())]
    for suppression in unit.suppressions_over(stream, real):
        break_off(unit, suppression, DENIED, at)
    _tell(unit, unit.clusters_of_truths(list(joined)), at)
    return sum(
        any(contradicts(truth.report.real, said.get(cid)) for cid in joined[truth.truth_id])
        for truth in truths
        if truth.truth_id in joined
    )


def _tell(unit: UnitOfWork, clusters: Sequence[str], at: float) -> None:
    if clusters:
        unit.change("clusters", at, {"ids": clusters[:TOLD], "total": len(clusters)})


def _check(unit: UnitOfWork, stream: str, source: str, count: int) -> None:
    if not 0 < count <= MAX_REPORTS:
        raise Invalid(f"1 to {MAX_REPORTS:,} at a time")
    if not 0 < len(source) <= 200 or not source.isprintable():
        raise Invalid("source: 1 to 200 printable characters")
    if source == MISSED:
        raise Invalid(f"source: {MISSED!r} is kept for what readers report; take another name")
    if not unit.knows_stream(stream):
        raise Invalid(f"there is no stream {stream!r}")


def _same(one: TruthReport, other: TruthReport) -> bool:
    return content(one) == content(other)


def _audit(
    unit: UnitOfWork,
    action: str,
    stream: str,
    source: str,
    reports: Sequence[TruthReport],
    actor: Actor,
    at: float,
    position: int,
) -> None:
    """One entry per command: the reports themselves are kept, this says who, when and which."""
    told = json.dumps([one.model_dump() for one in reports], sort_keys=True)
    digest = hashlib.sha256(told.encode()).hexdigest()
    unit.audit(
        AuditEntry(
            at=at,
            actor=actor.name,
            role=actor.role,
            action=action,
            object=f"stream/{stream}",
            request_id=f"{action}/{stream}/{position}",
            before=None,
            after={
                "source": source,
                "reports": len(reports),
                "sha256": digest,
                "from_position": position,
                "to_position": unit.next_label(stream) - 1,
            },
        )
    )
