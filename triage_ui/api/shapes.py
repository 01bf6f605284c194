"""The shapes of the API's answers, for its OpenAPI document.

Derived from the domain's values, as ``wire`` is, so that a new field shows up by itself. They
describe and don't check: a test compares real answers with the document.
"""

from __future__ import annotations

from collections.abc import Collection
from types import GenericAlias
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from triage.advisor import Advice, Drafted, WhatIfAnswer
from triage.case_queries import (
    AlikeCluster,
    FoundCohort,
    FoundEntity,
    Looking,
    PastCase,
    RecordDetail,
)
from triage.cases import Dispute, Regrouping, Rollback
from triage.closing import Bound
from triage.drift import Drift
from triage.lag import LagState
from triage.looks import Look, Median, Share
from triage.model import Candidate, MemberState, VerdictKind
from triage.queries import (
    AnalystRow,
    AuditRow,
    BoardStatus,
    ClusterDetail,
    ConfigVersion,
    EntityDetail,
    EntityEvent,
    Lesson,
    QueueRow,
    SuppressionRow,
    TruthSource,
    VerdictRow,
)
from triage.recall import Recall
from triage.rollout import Rollout
from triage.store.base_views import SavedView
from triage.trial import Trial
from triage.truth import TruthOutcome

CLOSED = ConfigDict(extra="forbid")
Shape = type[BaseModel]


def shape_of(kind: type, without: Collection[str] = (), **changed: Any) -> Shape:
    """Return the shape of a dataclass as JSON; ``changed`` names fields of another type."""
    fields = {name: hint for name, hint in get_type_hints(kind).items() if name not in without}
    return shape(kind.__name__, str(kind.__doc__), **fields | changed)


def shape(name: str, description: str = "", /, **fields: Any) -> Shape:
    """Return the shape of an object with these fields, each always there, and no others."""
    required: dict[str, Any] = {field: (hint, ...) for field, hint in fields.items()}
    model: Shape = create_model(name, __config__=CLOSED, __doc__=description or None, **required)
    return model


def many(item: type) -> Any:
    """Return the type of a list of these."""
    return GenericAlias(list, item)


def rows(name: str, field: str, item: type) -> Shape:
    """Return the shape of an object that holds one list."""
    return shape(name, **{field: many(item)})


TOP = shape("Top", "A leading reason.", label=str, contribution=float)
QUEUE_ROW = shape_of(QueueRow, top=many(TOP))
QUEUE_PAGE = shape(
    "QueuePage",
    "``total``: rows under this filter. ``position``: newest change that is included.",
    rows=many(QUEUE_ROW),
    total=int,
    position=int,
)
VERDICT = shape_of(VerdictRow)
VERDICTS = rows("Verdicts", "verdicts", VERDICT)
MEMBER = shape_of(Candidate, without=("vector", "context"), state=MemberState)
MEMBERS = rows("Members", "members", MEMBER)
EVENTS = rows("Events", "events", EntityEvent)
BOUND = shape_of(Bound, met=bool)
BOUNDS = rows("Bounds", "bounds", BOUND)
AUDITS = rows("Audits", "audits", AuditRow)
RECALLS = rows("Recalls", "recalls", shape_of(Recall, at_least=float))
CLUSTER = shape_of(
    ClusterDetail,
    row=QUEUE_ROW,
    members=many(MEMBER),
    verdicts=many(VERDICT),
    bound=BOUND | None,
)
ENTITY = shape_of(EntityDetail, clusters=many(QUEUE_ROW))
REGROUPING = shape_of(Regrouping)
REGROUPINGS = rows("Regroupings", "regroupings", REGROUPING)
DISPUTE = shape_of(Dispute)
PROVED = shape("Proved", "Reports of late truth.", real=int, not_real=int)
PAST_CASES = rows("PastCases", "cases", shape_of(PastCase, proved=PROVED))
ALIKE = rows("AlikeClusters", "clusters", AlikeCluster)
RECORD_LINK = shape("RecordLink", label=str, url=str)
RECORD = shape_of(RecordDetail, without=("beside",), links=many(RECORD_LINK))
PRESENCE = rows("Presence", "looking", Looking)
ASSIGNEE = shape("Assignee", cluster_id=str, assignee=str | None)
COHORTS = rows("Cohorts", "cohorts", FoundCohort)
ENTITIES = rows("Entities", "entities", FoundEntity)
ADVICE = shape_of(Advice)
WHAT_IF = shape_of(WhatIfAnswer)
RULE = shape_of(Drafted)
LOOKS = rows("Looks", "looks", Look)
CONFIGS = rows("Configs", "configs", ConfigVersion)
PARTITION_LAG = shape(
    "PartitionLag",
    "``records`` of the log not processed, ``seconds``: age of the newest processed while there"
    " are more, told at ``at``; null where nothing was told.",
    partition=int,
    state=LagState,
    records=int | None,
    seconds=float | None,
    at=float | None,
)
LAG = shape("StreamLag", "How far behind its log.", state=LagState, partitions=many(PARTITION_LAG))
DRIFTS = rows("Drifts", "drifts", shape_of(Drift, partition=int))
TRIAL = shape_of(Trial, lost=many(str))
ROLLOUTS = shape("Rollouts", rollouts=many(Rollout), trial=TRIAL | None)
LESSONS = rows("Lessons", "lessons", Lesson)
SUPPRESSIONS = rows("Suppressions", "suppressions", SuppressionRow)
ROLLBACK = shape_of(Rollback, taken=int)
ANALYSTS = shape("Analysts", analysts=many(AnalystRow), rollbacks=many(ROLLBACK))
TRUTH_OUTCOME = shape_of(TruthOutcome)
TRUTH_SOURCES = rows("TruthSources", "sources", TruthSource)
VIEW = shape_of(SavedView)
VIEWS = rows("Views", "views", VIEW)
ME = shape("Me", "Who asks.", name=str, role=str)
STATUS = shape_of(BoardStatus, now=float, actor=ME)
SHARE = shape_of(Share, value=float)
PRECISION_OF = shape("PrecisionOfLast", "Of the newest so many looks.", last=int, precision=SHARE)
METRICS = shape(
    "Metrics",
    "What the newest looks have found; see the page *Metrics* for what each figure means.",
    looks=int,
    precision=SHARE,
    precision_of_last=many(PRECISION_OF),
    found_early=SHARE,
    found_early_without_feedback=SHARE,
    overrides=SHARE,
    interventions=SHARE,
    time_to_first_touch_s=Median | None,
    time_to_verdict_s=Median | None,
    time_to_verdict_today_s=Median | None,
    verdicts=dict[VerdictKind, int],
)


class Problem(BaseModel):
    """An error (RFC 9457): ``detail`` says what happened, ``remedy`` what helps.

    ``current``, of a conflict: the id of the verdict that stands, empty if there is none.
    ``errors``, of a wrong request: which parts are wrong, and how.
    """

    model_config = ConfigDict(extra="forbid")

    status: int
    title: str
    detail: str
    remedy: str = ""
    current: str = ""
    errors: list[dict[str, str]] = Field(default_factory=list)


def answers(shape: type | None, *problems: int, status: int = 200, **content: Any) -> Any:
    """Return what a route says of its answers: their shape, or ``content`` by media type.

    ``problems``: the statuses of errors that only some routes give.
    """
    good: dict[str, Any] = {"model": shape} if shape else {"content": content["content"]}
    told: dict[int | str, dict[str, Any]] = {status: good}
    told |= {number: {"description": ""} for number in problems}
    return {"response_model": None, "status_code": status, "responses": told}
