"""The message of a finding on the verified topic: CloudEvents 1.0 in binary mode.

The key is the finding's id, the event's id ``finding/revision``: a consumer that has seen an id can
drop it. The body is an OCSF Detection Finding (class 2004) with one block of ours, ``triage``.
``schemas/verified.v1.schema.json`` is the contract; inside v1 it only ever gains optional parts.
The relay adds ``ce_sequence``, without gaps over the topic.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from triage.findings import Finding, FindingKind, Message
from triage.model import Candidate, Reason

TOPIC = "triage.verified.v1"
SOURCE = "/streaming-triage/verified"
TYPE = "io.streaming-triage.finding.{kind}.v1"
SCHEMA = "urn:streaming-triage:verified:v1"
SEQUENCE_HEADER = "ce_sequence"

OCSF_VERSION = "1.8.0"
DETECTION_FINDING = 2004
EXPLAINED_MEMBERS = 25  # the strongest; the others are listed by id, so that a message stays small
REASONS = 8  # per member, strongest first
ANOMALIES = 5  # features named in the OCSF part

_ACTIVITY = {
    FindingKind.VERIFIED: (1, "Create"),
    FindingKind.REVISED: (2, "Update"),
    FindingKind.RETRACTED: (3, "Close"),
}
_IN_PROGRESS, _SUPPRESSED = (2, "In Progress"), (3, "Suppressed")
_TRUE_POSITIVE, _DISREGARD = (2, "True Positive"), (3, "Disregard")


def message_of(finding: Finding, topic: str = TOPIC) -> Message:
    """Return the message of one revision of a finding."""
    return _message(_body(finding), topic)


def retraction_of(value: bytes, by: str, at: float, reason: str) -> Message:
    """Return the retraction of a message that was sent, made from what it says itself."""
    body = msgspec.json.decode(value)
    told = body["triage"]
    told |= {
        "revision": told["revision"] + 1,
        "kind": FindingKind.RETRACTED.value,
        "revised": {"by": by, "at": _iso(at), "reason": reason},
    }
    event_id = f"{told['finding_id']}/{told['revision']}"
    body |= _standing(FindingKind.RETRACTED)
    body["metadata"] |= {"uid": event_id, "modified_time": _ms(at)}
    body["finding_info"]["modified_time"] = _ms(at)
    return _message(body, TOPIC)


def _message(body: Mapping[str, Any], topic: str) -> Message:
    told = body["triage"]
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": body["metadata"]["uid"],
        "ce_source": SOURCE,
        "ce_type": TYPE.format(kind=told["kind"]),
        "ce_subject": told["finding_id"],
        "ce_time": told["revised"]["at"],
        "ce_dataschema": SCHEMA,
        "ce_partitionkey": told["finding_id"],
        "ce_stream": told["stream"],
        "content-type": "application/json",
    }
    return Message(
        topic=topic,
        key=told["finding_id"].encode(),
        value=msgspec.json.encode(body),
        headers=tuple((name, value.encode()) for name, value in attributes.items()),
    )


def _standing(kind: FindingKind) -> dict[str, Any]:
    """Return the OCSF words for whether the finding stands."""
    retracted = kind is FindingKind.RETRACTED
    activity_id, activity = _ACTIVITY[kind]
    status_id, status = _SUPPRESSED if retracted else _IN_PROGRESS
    verdict_id, verdict = _DISREGARD if retracted else _TRUE_POSITIVE
    return {
        "activity_id": activity_id,
        "activity_name": activity,
        "type_uid": DETECTION_FINDING * 100 + activity_id,
        "is_alert": not retracted,
        "status_id": status_id,
        "status": status,
        "verdict_id": verdict_id,
        "verdict": verdict,
    }


def _body(finding: Finding) -> dict[str, Any]:
    members = sorted(finding.read, key=lambda member: (-member.margin, member.candidate_id))
    return {
        "class_uid": DETECTION_FINDING,
        "class_name": "Detection Finding",
        "category_uid": DETECTION_FINDING // 1000,
        "category_name": "Findings",
        **_standing(finding.kind),
        "time": _ms(finding.decided_at),
        "start_time": _ms(finding.first_time),
        "end_time": _ms(finding.last_time),
        "severity_id": 0,
        "severity": "Unknown",
        "confidence_score": round(100 * finding.posterior),
        "metadata": {
            "version": OCSF_VERSION,
            "uid": f"{finding.finding_id}/{finding.revision}",
            "product": {"name": "Streaming Triage", "vendor_name": "Streaming Triage"},
            "profiles": ["incident"],
            "correlation_uid": finding.cluster_id,
            "modified_time": _ms(finding.revised_at),
        },
        "finding_info": _finding_info(finding),
        "anomaly_analyses": _anomaly_analyses(members),
        "evidences": [_evidence(member) for member in members],
        "resources": [{"type": field, "name": value} for field, value in finding.entities],
        "triage": _triage(finding, members),
    }


def _finding_info(finding: Finding) -> dict[str, Any]:
    return {
        "uid": finding.finding_id,
        "title": finding.title,
        "types": ["Anomaly"],
        "created_time": _ms(finding.decided_at),
        "modified_time": _ms(finding.revised_at),
        "first_seen_time": _ms(finding.first_time),
        "last_seen_time": _ms(finding.last_time),
        "related_events_count": len(finding.read),
        "analytic": {
            "uid": f"{finding.stream}/{finding.detector}",
            "name": finding.detector,
            "version": finding.config_version,
            "type_id": 4,
            "type": "Learning (ML/DL)",
        },
    }


def _anomaly_analyses(members: Sequence[Candidate]) -> list[dict[str, Any]]:
    """Return what was unusual about the strongest member."""
    if not members:
        return []
    strongest = members[0]
    reasons = [reason for reason in strongest.reasons if reason.contribution > 0][:ANOMALIES]
    if not reasons:
        return []
    baselines = [_observed(reason, reason.usual) for reason in reasons if reason.usual]
    analysis: dict[str, Any] = {
        "analysis_target": {"name": strongest.entity},
        "anomalies": [_observed(reason, reason.text) for reason in reasons],
    }
    return [analysis | ({"baselines": baselines} if baselines else {})]


def _observed(reason: Reason, value: str) -> dict[str, Any]:
    return {
        "observation_type": "Deviation Analysis",
        "observed_attribute": reason.label,
        "observations": [{"value": value}],
    }


def _evidence(member: Candidate) -> dict[str, Any]:
    place = {"partition": member.partition, "offset": member.offset, "event_id": member.event_id}
    return {"uid": member.candidate_id, "data": place}


def _triage(finding: Finding, members: Sequence[Candidate]) -> dict[str, Any]:
    return {
        "finding_id": finding.finding_id,
        "revision": finding.revision,
        "kind": finding.kind.value,
        "stream": finding.stream,
        "cluster_id": finding.cluster_id,
        "decision": {
            "verdict_id": finding.verdict_id,
            "verdict": "real",
            "by": finding.decided_by,
            "at": _iso(finding.decided_at),
            "reason": finding.reason,
        },
        "revised": {
            "by": finding.revised_by,
            "at": _iso(finding.revised_at),
            "reason": finding.revision_reason,
        },
        "model": {
            "detector": finding.detector,
            "config_version": finding.config_version,
            "model_version": finding.model_version,
        },
        "posterior": finding.posterior,
        "members_total": finding.members_total,
        "members_read": [member.candidate_id for member in members],
        "members": [_member(member) for member in members[:EXPLAINED_MEMBERS]],
        "entities": [{"field": field, "value": value} for field, value in finding.entities],
    }


def _member(member: Candidate) -> dict[str, Any]:
    return {
        "candidate_id": member.candidate_id,
        "event_id": member.event_id,
        "event_time": _iso(member.event_time),
        "entity": member.entity,
        "entities": _texts(member.entities),
        "score": member.score,
        "margin": member.margin,
        "posterior": member.posterior,
        "threshold": member.threshold,
        "config_version": member.config_version,
        "model_version": member.model_version,
        "explanation": {
            "method": member.method,
            "reasons": [_reason(reason) for reason in member.reasons[:REASONS]],
            "reasons_total": len(member.reasons),
        },
    }


def _reason(reason: Reason) -> dict[str, Any]:
    return {
        "feature": reason.feature,
        "label": reason.label,
        "contribution": reason.contribution,
        "value": reason.value,
        "text": reason.text,
        "usual": reason.usual,
    }


def _texts(entities: Mapping[str, str]) -> dict[str, str]:
    return {name: entities[name] for name in sorted(entities)}


def _iso(seconds: float) -> str:
    moment = dt.datetime.fromtimestamp(seconds, dt.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
