"""Domain values as JSON: the one place that decides what the API shows of them."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

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
from triage.drift import PartitionDrift
from triage.lag import PartitionLag, state_of
from triage.looks import (
    LAST,
    Look,
    Median,
    Share,
    early,
    interventions,
    overrides,
    precision,
    time_to_first_touch,
    time_to_verdict,
    without_feedback,
)
from triage.queries import (
    AnalystRow,
    AuditRow,
    BoardStatus,
    ClusterDetail,
    ConfigVersion,
    EntityDetail,
    EntityEvent,
    Lesson,
    MemberRow,
    QueueRow,
    StreamStatus,
    SuppressionRow,
    TruthSource,
    VerdictRow,
)
from triage.recall import Recall
from triage.rollout import Rollout
from triage.store.base_views import SavedView
from triage.trial import Trial
from triage.truth import TruthOutcome

Json = dict[str, Any]
DAY_S = 86_400


def clean(value: Any) -> Any:
    """Return the value with what JSON doesn't know made harmless.

    NaN and infinities are null, half a character is "?".
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {clean(str(key)): clean(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [clean(item) for item in value]
    if isinstance(value, str):
        text = str(value)
        return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
    if value is None or isinstance(value, (bool, int)):
        return value
    return str(value)


def queue_row(row: QueueRow) -> Json:
    """A row of the queue."""
    fields = _fields(row)
    fields["top"] = [{"label": label, "contribution": value} for label, value in row.top]
    return _cleaned(fields)


def verdict(row: VerdictRow) -> Json:
    """A verdict and what became of it."""
    return _cleaned(_fields(row))


def member(row: MemberRow) -> Json:
    """A member with its values, its record and what is known of it. Vectors stay inside."""
    fields = _fields(row.candidate)
    del fields["vector"], fields["context"]
    fields["reasons"] = [_fields(reason) for reason in row.candidate.reasons]
    fields["influences"] = [_fields(influence) for influence in row.candidate.influences]
    return _cleaned(fields | {"posterior": row.posterior, "state": row.state})


def cluster(detail: ClusterDetail) -> Json:
    """Everything of a cluster."""
    fields = _fields(detail)
    fields |= {
        "row": queue_row(detail.row),
        "reasons": [_fields(reason) for reason in detail.reasons],
        "members": [member(row) for row in detail.members],
        "verdicts": [verdict(row) for row in detail.verdicts],
        "truths": [_fields(row) for row in detail.truths],
        "influences": [_fields(row) for row in detail.influences],
        "disputes": [_fields(row) for row in detail.disputes],
        "bound": None if detail.bound is None else bound(detail.bound),
    }
    return _cleaned(fields)


def regrouping(row: Regrouping) -> Json:
    """A split or merge."""
    return _cleaned(_fields(row))


def dispute(row: Dispute) -> Json:
    """A second reader's disagreement with a verdict."""
    return _cleaned(_fields(row))


def past_case(row: PastCase) -> Json:
    """A decided cluster that is like another one."""
    real, not_real = row.proved
    return _cleaned(_fields(row) | {"proved": {"real": real, "not_real": not_real}})


def alike(row: AlikeCluster) -> Json:
    """An open cluster that may be the same thing."""
    return _cleaned(_fields(row))


def record(row: RecordDetail) -> Json:
    """One member's record; masked fields are masked."""
    links = [{"label": label, "url": url} for label, url in row.links]
    fields = _fields(row)
    del fields["beside"]
    return _cleaned(fields | {"links": links})


def found_entity(row: FoundEntity) -> Json:
    """An entity whose value begins like what was typed."""
    return _cleaned(_fields(row))


def found_cohort(row: FoundCohort) -> Json:
    """A cohort whose value begins like what was typed."""
    return _cleaned(_fields(row))


def looking(row: Looking) -> Json:
    """Who has which cluster before the eyes."""
    return _cleaned(_fields(row))


def entity(detail: EntityDetail) -> Json:
    """What is known of an entity."""
    fields = _fields(detail)
    fields |= {
        "clusters": [queue_row(row) for row in detail.clusters],
        "events": [event(row) for row in detail.events],
    }
    return _cleaned(fields)


def look(row: Look) -> Json:
    """A cluster that was decided."""
    return _cleaned(_fields(row))


def metrics(looks: Sequence[Look], now: float) -> Json:
    """What the looks found, and how long clusters waited."""
    today = [look for look in looks if look.at >= now - now % DAY_S]
    kinds = Counter(str(look.kind) for look in looks)
    return _cleaned(
        {
            "looks": len(looks),
            "precision": _share(precision(looks)),
            "precision_of_last": [
                {"last": number, "precision": _share(precision(looks[-number:]))}
                for number in LAST
                if len(looks) > number
            ],
            "found_early": _share(early(looks)),
            "found_early_without_feedback": _share(early(without_feedback(looks))),
            "overrides": _share(overrides(looks)),
            "interventions": _share(interventions(looks)),
            "time_to_first_touch_s": _median(time_to_first_touch(looks)),
            "time_to_verdict_s": _median(time_to_verdict(looks)),
            "time_to_verdict_today_s": _median(time_to_verdict(today)),
            "verdicts": kinds,
        }
    )


def bound(row: Bound) -> Json:
    """What a stream's audits say of its closings."""
    return _cleaned(_fields(row) | {"met": row.met})


def audit(row: AuditRow) -> Json:
    """An answered audit."""
    return _cleaned(_fields(row))


def recall(row: Recall) -> Json:
    """Which part of a stream's real clusters was found."""
    return _cleaned(_fields(row) | {"at_least": row.at_least})


def config(row: ConfigVersion) -> Json:
    """A config that a stream ran under."""
    return _cleaned(_fields(row))


def lags(rows: Sequence[PartitionLag], now: float) -> Json:
    """How far a stream's partitions are behind their log; nulls where nothing was told."""
    return _cleaned(
        {
            "state": state_of(rows, now),
            "partitions": [
                {
                    "partition": row.partition,
                    "state": row.state(now),
                    "records": None if row.lag is None else row.lag.records,
                    "seconds": None if row.lag is None else row.lag.seconds,
                    "at": None if row.lag is None else row.lag.at,
                }
                for row in rows
            ],
        }
    )


def drift(row: PartitionDrift) -> Json:
    """A field of a partition that no longer comes as it used to."""
    return _cleaned(_fields(row.drift) | {"partition": row.partition})


def rollout(row: Rollout) -> Json:
    """An entry of the log of what is in force."""
    return _cleaned(_fields(row))


def trial(row: Trial, lost: Sequence[str]) -> Json:
    """How the config beside the one in force does; ``lost``: verified findings that it misses."""
    return _cleaned(_fields(row) | {"lost": list(lost)})


def lesson(row: Lesson) -> Json:
    """What new labels changed."""
    return _cleaned(_fields(row) | {"by": [_fields(verdict) for verdict in row.by]})


def event(row: EntityEvent) -> Json:
    """One event on an entity's time axis."""
    return _cleaned(_fields(row))


def suppression(row: SuppressionRow) -> Json:
    """What an expected verdict keeps out of the open queue."""
    return _cleaned(_fields(row))


def analyst(row: AnalystRow) -> Json:
    """How far an analyst's labels are trusted."""
    return _cleaned(_fields(row))


def rollback(row: Rollback) -> Json:
    """A roll-back; of the verdicts and reports only how many."""
    fields = _fields(row)
    return _cleaned({**fields, "taken": len(row.taken)})


def truth_outcome(outcome: TruthOutcome) -> Json:
    """What became of reports of late truth."""
    return _cleaned(_fields(outcome))


def truth_source(row: TruthSource) -> Json:
    """How much a source of late truth has told."""
    return _cleaned(_fields(row))


def view(row: SavedView) -> Json:
    """A saved view of the queue."""
    return _cleaned(_fields(row))


def advice(found: Advice) -> Json:
    """What a verdict would change."""
    fields: Json = clean(dataclasses.asdict(found))
    return fields


def what_if(found: WhatIfAnswer) -> Json:
    """How a member scores, and with other values."""
    fields: Json = clean(dataclasses.asdict(found))
    return fields


def drafted(found: Drafted) -> Json:
    """A rule around a cluster, null if there is none."""
    fields: Json = clean(dataclasses.asdict(found))
    return fields


def status(board: BoardStatus) -> Json:
    """The numbers of the top bar."""
    return _cleaned(
        {
            "streams": [_stream(stream) for stream in board.streams],
            "open_clusters": board.open_clusters,
            "suppressed_clusters": board.suppressed_clusters,
            "decided_today": board.decided_today,
            "position": board.position,
            "disputed_clusters": board.disputed_clusters,
        }
    )


def _share(share: Share) -> Json:
    return _fields(share) | {"value": share.value}


def _median(median: Median | None) -> Json | None:
    return None if median is None else _fields(median)


def _stream(stream: StreamStatus) -> Json:
    return _fields(stream) | {"counters": _fields(stream.counters)}


def _fields(value: Any) -> Json:
    """Return a dataclass's fields, one level deep."""
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def _cleaned(fields: Json) -> Json:
    cleaned: Json = clean(fields)
    return cleaned
