"""Late truth: what turned out to be real, told days later by a chargeback or a closed case."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from triage.labels import TEACHES
from triage.model import Label, VerdictKind


def _readable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must not hold control characters")
    return text


Id = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_readable)]


class TruthReport(BaseModel):
    """One statement of a source about one event.

    It names its event by ``candidate_id``, by ``event_id``, or by ``entities`` (field -> value, the
    stream's key among them) and ``time``; the first of these that is given decides. Entities and
    time also let it count in the record of its entities where the event was never a candidate.
    ``id`` is the statement's own within its source: told again with another content it replaces
    what it said before.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: Id = Field(description="The statement's id within its source.")
    real: bool = Field(description="Whether the event was a real anomaly.")
    candidate_id: Id | None = None
    event_id: Id | None = None
    entities: dict[Id, Id] | None = Field(default=None, min_length=1, max_length=20)
    time: float | None = Field(
        default=None, allow_inf_nan=False, description="Of the event; seconds since 1970."
    )

    @model_validator(mode="after")
    def _names_an_event(self) -> TruthReport:
        by_entity = self.entities is not None and self.time is not None
        if self.candidate_id is None and self.event_id is None and not by_entity:
            raise ValueError("give candidate_id, event_id, or entities and time")
        return self

    @property
    def by_entity(self) -> bool:
        """Whether only entities and time say which event it is about."""
        return self.candidate_id is None and self.event_id is None


MISSED = "missed"
"""The source of what readers report of events that were no candidates; no other may use it."""


def may_be_one(some: Mapping[str, str], others: Mapping[str, str]) -> bool:
    """Return whether events of one moment with these entities may be one.

    They share an entity, and none is another one here than there.

    >>> may_be_one({"card": "c1", "country": "TR"}, {"card": "c1", "terminal": "t1"})
    True
    >>> may_be_one({"card": "c1", "terminal": "t2"}, {"card": "c1", "terminal": "t1"})
    False
    """
    shared = some.keys() & others.keys()
    return bool(shared) and all(some[name] == others[name] for name in shared)


def each_event_once(labels: Sequence[Label], within_s: float) -> Sequence[Label]:
    """Return the labels without reports of missed events of which others speak, too.

    A report gives way to late truth, whose time may be so many seconds off, and to what a person
    said of a candidate that the event became. What weighs nothing says nothing.
    """
    reports = [one for one in labels if one.source == MISSED]
    asked = {item for one in reports for item in one.entities.items()}
    told: dict[tuple[str, str], list[tuple[float, float, Mapping[str, str]]]] = defaultdict(list)
    for one in labels if reports else ():
        if one.source == MISSED or one.inferred or one.weight <= 0.0:
            continue
        off = 0.0 if one.vector else within_s
        for item in one.entities.items() & asked:
            told[item].append((one.event_time, off, one.entities))
    for known in told.values():
        known.sort(key=itemgetter(0))

    def spoken_of(report: Label) -> bool:
        first, last = report.event_time - within_s, report.event_time + within_s
        for item in report.entities.items():
            known = told.get(item, [])
            start = bisect_left(known, first, key=itemgetter(0))
            for time, off, entities in known[start:]:
                if time > last:
                    break
                if abs(time - report.event_time) <= off and may_be_one(report.entities, entities):
                    return True
        return False

    return [one for one in labels if one.source != MISSED or not spoken_of(one)]


@dataclass(frozen=True, slots=True)
class Truth:
    """A report as it is kept.

    Attributes:
        truth_id: what a retraction drops; another one for each content of the same report.
        at: when it arrived, seconds since 1970. ``actor``: who handed it in.
        position: place in the stream's label log, also where it matches no candidate yet.
    """

    truth_id: str
    stream: str
    source: str
    report: TruthReport
    at: float
    actor: str
    position: int = 0


@dataclass(frozen=True, slots=True)
class CandidateKey:
    """What a candidate can be recognised by. ``entity``: value of the stream's key."""

    seq: int
    candidate_id: str
    event_id: str | None
    entity: str
    entities: Mapping[str, str]
    event_time: float


@dataclass(frozen=True, slots=True)
class TruthOutcome:
    """What became of the reports of one command.

    ``joined`` and ``waiting``: those that have a candidate and those that have none yet.
    ``repeated``: were known already. ``replaced``: say something else than before, so what they
    said before is taken back. ``contradicting``: differ from the verdict on their candidate.
    """

    received: int = 0
    joined: int = 0
    waiting: int = 0
    repeated: int = 0
    replaced: int = 0
    retracted: int = 0
    contradicting: int = 0


def pairs(
    truths: Sequence[Truth], candidates: Sequence[CandidateKey], within_s: float
) -> Mapping[str, Sequence[str]]:
    """Return the candidates of each truth: truth id -> candidate ids in commit order.

    An event can have been a candidate more than once (under two configs): it joins all of them. By
    entity and time those nearest in time join, at most ``within_s`` seconds away.
    """
    index = _Index(candidates)
    found = {truth.truth_id: index.of(truth.report, within_s) for truth in truths}
    return {truth_id: ids for truth_id, ids in found.items() if ids}


@dataclass(slots=True)
class _Index:
    """Candidates by each of their keys."""

    candidates: Sequence[CandidateKey]
    by_id: dict[str, list[CandidateKey]] = field(default_factory=lambda: defaultdict(list))
    by_event: dict[str, list[CandidateKey]] = field(default_factory=lambda: defaultdict(list))
    by_entity: dict[str, list[CandidateKey]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for candidate in sorted(self.candidates, key=lambda one: one.seq):
            self.by_id[candidate.candidate_id].append(candidate)
            if candidate.event_id is not None:
                self.by_event[candidate.event_id].append(candidate)
            self.by_entity[candidate.entity].append(candidate)

    def of(self, report: TruthReport, within_s: float) -> Sequence[str]:
        """Return the ids of the candidates that the report is about."""
        if report.candidate_id is not None:
            found = self.by_id.get(report.candidate_id, [])
        elif report.event_id is not None:
            found = self.by_event.get(report.event_id, [])
        else:
            found = list(self._nearest(report.entities or {}, report.time or 0.0, within_s))
        return [candidate.candidate_id for candidate in found]

    def _nearest(
        self, entities: Mapping[str, str], time: float, within_s: float
    ) -> Iterator[CandidateKey]:
        known = [
            one
            for value in dict.fromkeys(entities.values())
            for one in self.by_entity.get(value, [])
            if entities.items() <= one.entities.items()
        ]
        nearest = min((abs(one.event_time - time) for one in known), default=within_s)
        if nearest <= within_s:
            yield from (one for one in known if abs(one.event_time - time) == nearest)


def contradicts(real: bool, verdict: VerdictKind | None) -> bool:
    """Return whether a truth says other than the verdict on the same candidate."""
    said = None if verdict is None else TEACHES.get(verdict)
    return said is not None and said != float(real)


def content(report: TruthReport) -> Mapping[str, Any]:
    """Return what two tellings of one report must share to be the same."""
    return report.model_dump(exclude={"id"})
