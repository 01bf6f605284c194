"""Values to columns and back: JSON for people's data, zlib around the bulky ones."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from triage.model import Candidate, Influence, Reason

LEVEL = 1  # contexts repeat themselves: the fastest level shrinks them to a tenth


def dumps(value: Any) -> str:
    """Return compact ASCII JSON; NaN and infinity are refused."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False, default=_plain)


def loads(text: str) -> Any:
    """Return the value of a text that ``dumps`` made."""
    return json.loads(text)


def canonical(value: Any) -> bytes:
    """Return what is equal for equal values, whatever the order of their keys."""
    try:
        return msgspec.json.encode(value, order="sorted")
    except UnicodeEncodeError:  # half a pair of surrogates
        return json.dumps(value, sort_keys=True).encode("ascii")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} can't be stored")


def dump_headers(headers: tuple[tuple[str, bytes], ...]) -> str:
    """Return headers as JSON, values in base64."""
    return dumps([[name, base64.b64encode(value).decode("ascii")] for name, value in headers])


def load_headers(text: str) -> tuple[tuple[str, bytes], ...]:
    """Return the headers of a text that ``dump_headers`` made."""
    return tuple((name, base64.b64decode(value)) for name, value in loads(text))


def candidate_row(candidate: Candidate, seq: int) -> dict[str, Any]:
    """Return the row of ``candidates``."""
    body = dumps(
        {
            "event_id": candidate.event_id,
            "entity": candidate.entity,
            "entities": candidate.entities,
            "cohorts": candidate.cohorts,
            "reasons": [_reason(reason) for reason in candidate.reasons],
            "influences": [[i.candidate_id, i.y, i.shift] for i in candidate.influences],
        }
    )
    context = _bulky({"context": candidate.context, "record": candidate.record})
    return {
        "seq": seq,
        "candidate_id": candidate.candidate_id,
        "stream": candidate.stream,
        "partition": candidate.partition,
        "offset": candidate.offset,
        "detector": candidate.detector,
        "config_version": candidate.config_version,
        "features_version": candidate.features_version,
        "model_version": candidate.model_version,
        "event_id": candidate.event_id,
        "event_time": candidate.event_time,
        "entity": candidate.entity,
        "score": candidate.score,
        "margin": candidate.margin,
        "posterior": candidate.posterior,
        "threshold": candidate.threshold,
        "method": candidate.method,
        "vector": candidate.vector,
        "body": body,
        "context": zlib.compress(context, LEVEL),
    }


def _bulky(value: Any) -> bytes:
    """Return JSON of what is most of a row, ten times as fast as ``dumps``.

    It is of decoded events: all their numbers are finite.
    """
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:  # half a pair of surrogates is text in JSON only
        return dumps(value).encode("ascii")


def _reason(reason: Reason) -> list[Any]:
    return [
        reason.feature,
        reason.label,
        reason.contribution,
        reason.value,
        reason.text,
        reason.usual,
        reason.ratio,
        reason.entity,
    ]


def load_candidate(row: sa.RowMapping, bare: bool = False) -> Candidate:
    """Return the candidate of a row of ``candidates``.

    ``bare``: without context and record, which is most of the work; the row needs no ``context``.
    """
    body = json.loads(row["body"])
    rest = {} if bare else json.loads(zlib.decompress(row["context"]))
    return Candidate(
        candidate_id=row["candidate_id"],
        stream=row["stream"],
        config_version=row["config_version"],
        features_version=row["features_version"],
        detector=row["detector"],
        partition=row["partition"],
        offset=row["offset"],
        event_id=body["event_id"],
        event_time=row["event_time"],
        entity=body["entity"],
        entities=body["entities"],
        score=row["score"],
        margin=row["margin"],
        posterior=row["posterior"],
        threshold=row["threshold"],
        model_version=row["model_version"],
        vector=bytes(row["vector"]),
        reasons=tuple(Reason(*reason) for reason in body["reasons"]),
        method=row["method"],
        context=tuple(rest.get("context", ())),
        record=rest.get("record", {}),
        # Missing in rows of older versions.
        influences=tuple(Influence(*each) for each in body.get("influences", ())),
        cohorts=body.get("cohorts", {}),
    )
