"""Domain values as JSON: the one place that decides what the API shows of them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from triage.advisor import Advice, WhatIfAnswer
from triage.cases import Rollback
from triage.looks import Look
from triage.queries import (
    AnalystRow,
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
from triage.truth import TruthOutcome

Json = dict[str, Any]


def clean(value: Any) -> Any:
    """Return the value with what JSON doesn't know made harmless: NaN and infinities are null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): clean(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [clean(item) for item in value]
    if value is None or isinstance(value, (bool, int, str)):
        return str(value) if isinstance(value, str) else value
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
    }
    return _cleaned(fields)


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


def config(row: ConfigVersion) -> Json:
    """A config that a stream ran under."""
    return _cleaned(_fields(row))


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
    """A roll-back; of the verdicts only how many."""
    fields = _fields(row)
    return _cleaned({**fields, "taken": len(row.taken)})


def truth_outcome(outcome: TruthOutcome) -> Json:
    """What became of reports of late truth."""
    return _cleaned(_fields(outcome))


def truth_source(row: TruthSource) -> Json:
    """How much a source of late truth has told."""
    return _cleaned(_fields(row))


def advice(found: Advice) -> Json:
    """What a verdict would change."""
    fields: Json = clean(dataclasses.asdict(found))
    return fields


def what_if(found: WhatIfAnswer) -> Json:
    """How a member scores, and with other values."""
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
        }
    )


def _stream(stream: StreamStatus) -> Json:
    return _fields(stream) | {"counters": _fields(stream.counters)}


def _fields(value: Any) -> Json:
    """Return a dataclass's fields, one level deep."""
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def _cleaned(fields: Json) -> Json:
    cleaned: Json = clean(fields)
    return cleaned
