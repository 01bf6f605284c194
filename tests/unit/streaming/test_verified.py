"""Every message keeps the published contract: JSON Schema, CloudEvents, one id per revision."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from streaming import schemas
from streaming.schemas import schema_text
from streaming.verified import EXPLAINED_MEMBERS, REASONS, SCHEMA, TOPIC, message_of
from triage.findings import Finding, FindingKind, Message
from triage.model import Candidate, Reason

EXAMPLES = Path(schemas.__file__).parent / "examples"
KAFKA_LIMIT = 256 * 1024  # bytes; max.message.bytes of the topic
AT = 1_772_460_000.0

AMOUNT = Reason("amount_ratio", "amount against usual", 2.25, 18.4, "18.4×", "0.4–2.1×", 14.7)
COUNT = Reason("terminal_1h", "payments at the terminal, 1 h", 1.5, 31.0, "31", "0–4")
HOUR = Reason("hour", "time of day", -0.25, None, "missing", "")


def candidate(number: int = 1, reasons: tuple[Reason, ...] = (AMOUNT, COUNT, HOUR)) -> Candidate:
    return Candidate(
        candidate_id=f"5e0c2b1a-0000-5000-8000-{number:012d}",
        stream="payments",
        config_version="9f2c",
        features_version="51ab",
        detector="isolation_forest",
        partition=0,
        offset=4_700 + number,
        event_id=f"tx-{4_700 + number:09d}",
        event_time=AT - 600 + number,
        entity="C3904",
        entities={"terminal_id": "T0455", "customer_id": "C3904"},
        score=4.5,
        margin=3.25 + number / 64,
        posterior=0.962,
        threshold=1.75,
        model_version=12,
        vector=b"",
        reasons=reasons,
        method="TreeSHAP",
        context=(),
        record={"amount": 143.63},
    )


def finding(kind: FindingKind = FindingKind.VERIFIED, **changes: Any) -> Finding:
    later = 0.0 if kind is FindingKind.VERIFIED else 3_600.0
    plain = Finding(
        finding_id="8d0f6a52-8f5e-5c1e-9c57-1f6f2f0d7a11",
        revision=1 if kind is FindingKind.VERIFIED else 2,
        kind=kind,
        stream="payments",
        detector="isolation_forest",
        cluster_id="c0a80b0e-6d43-5d3a-8a31-5f0d1a2b3c4d",
        verdict_id="0b9d5a44-1111-5222-8333-444455556666",
        title="22 payments, terminal T0455, amount 5× usual",
        decided_by="ada",
        decided_at=AT,
        reason="card details were skimmed at this terminal",
        revised_by="ada" if kind is FindingKind.VERIFIED else "grace",
        revised_at=AT + later,
        revision_reason="card details were skimmed at this terminal"
        if kind is FindingKind.VERIFIED
        else "a fair was on, the shop confirms the payments",
        read=(candidate(1), candidate(2)),
        members_total=22,
        posterior=0.91,
        first_time=AT - 599,
        last_time=AT - 598,
        config_version="9f2c",
        model_version=12,
        entities=(("customer_id", "C3904"), ("terminal_id", "T0455")),
    )
    return dataclasses.replace(plain, **changes)


def closed(schema: Any) -> Any:
    """Return the schema without room for what it doesn't name: we never send that."""
    if isinstance(schema, dict):
        schema = {name: closed(part) for name, part in schema.items()}
        if "properties" in schema:
            schema["additionalProperties"] = False
    elif isinstance(schema, list):
        schema = [closed(part) for part in schema]
    return schema


PUBLISHED = json.loads(schema_text("verified.v1"))
CHECK = jsonschema.Draft202012Validator(
    closed(PUBLISHED), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)


def body(message: Message) -> Any:
    found = json.loads(message.value)
    CHECK.validate(found)
    return found


def as_example(message: Message) -> dict[str, Any]:
    return {
        "topic": message.topic,
        "key": message.key.decode(),
        "headers": {name: value.decode() for name, value in message.headers},
        "value": json.loads(message.value),
    }


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(PUBLISHED)
    assert PUBLISHED["$id"] == SCHEMA


@pytest.mark.parametrize("kind", list(FindingKind))
def test_the_published_example_is_what_is_sent(kind: FindingKind) -> None:
    example = json.loads((EXAMPLES / f"verified.v1.{kind.value}.json").read_text())
    assert example == as_example(message_of(finding(kind)))
    CHECK.validate(example["value"])


@pytest.mark.parametrize("kind", list(FindingKind))
def test_a_cloudevents_library_reads_it(kind: FindingKind) -> None:
    message = message_of(finding(kind))
    assert len(dict(message.headers)) == len(message.headers)
    event = from_binary(
        KafkaMessage(dict(message.headers), message.key, message.value), JSONFormat()
    )
    attributes = event.get_attributes()
    assert attributes["specversion"] == "1.0"
    assert attributes["id"] == f"8d0f6a52-8f5e-5c1e-9c57-1f6f2f0d7a11/{finding(kind).revision}"
    assert attributes["type"] == f"io.streaming-triage.finding.{kind.value}.v1"
    assert attributes["time"].timestamp() == finding(kind).revised_at
    assert attributes["dataschema"] == SCHEMA
    assert attributes["partitionkey"] == message.key.decode()
    assert event.get_data() == json.loads(message.value)


def test_a_verified_finding_says_who_why_and_which_model() -> None:
    message = message_of(finding())
    assert message.topic == TOPIC
    found = body(message)
    assert found["type_uid"] == 200401
    assert found["is_alert"]
    triage = found["triage"]
    assert triage["decision"]["by"] == "ada"
    assert triage["decision"]["reason"] == "card details were skimmed at this terminal"
    assert triage["model"] == {
        "detector": "isolation_forest",
        "config_version": "9f2c",
        "model_version": 12,
    }
    strongest = triage["members"][0]
    assert strongest["candidate_id"] == candidate(2).candidate_id
    assert [r["feature"] for r in strongest["explanation"]["reasons"]] == [
        "amount_ratio",
        "terminal_1h",
        "hour",
    ]
    analysis = found["anomaly_analyses"][0]
    assert [a["observed_attribute"] for a in analysis["anomalies"]] == [AMOUNT.label, COUNT.label]


def test_a_retraction_is_no_alert_and_names_who_took_it_back() -> None:
    found = body(message_of(finding(FindingKind.RETRACTED)))
    assert (found["type_uid"], found["status_id"], found["verdict_id"]) == (200403, 3, 3)
    assert not found["is_alert"]
    assert found["triage"]["revised"]["by"] == "grace"
    assert found["triage"]["decision"]["by"] == "ada"


def test_a_large_finding_stays_a_small_message() -> None:
    many = tuple(
        Reason(f"feature_{n}", f"feature number {n} of many", 1.0 / (n + 1), n, "x" * 60, "y" * 60)
        for n in range(40)
    )
    read = tuple(candidate(number, many) for number in range(1_000))
    message = message_of(finding(read=read))
    assert len(message.value) < KAFKA_LIMIT
    triage = body(message)["triage"]
    assert len(triage["members_read"]) == 1_000
    assert len(triage["members"]) == EXPLAINED_MEMBERS
    assert len(triage["members"][0]["explanation"]["reasons"]) == REASONS


def test_a_finding_without_a_reason_is_still_valid() -> None:
    assert body(message_of(finding(read=(candidate(1, (HOUR,)),))))["anomaly_analyses"] == []
    assert body(message_of(finding(read=(), entities=())))["evidences"] == []


@settings(max_examples=60)
@given(
    text=st.text(max_size=40),
    number=st.floats(allow_nan=False, allow_infinity=False),
    posterior=st.floats(0, 1),
    kind=st.sampled_from(FindingKind),
    at=st.floats(0, 4e9),
)
def test_any_finding_keeps_the_contract(
    text: str, number: float, posterior: float, kind: FindingKind, at: float
) -> None:
    member = dataclasses.replace(
        candidate(1, (Reason(text, text, number, number, text, text),)),
        entity=text,
        entities={text: text},
        margin=number,
        event_id=None,
        event_time=at,
    )
    message = message_of(
        finding(kind, title=text, reason=text, posterior=posterior, read=(member,), decided_at=at)
    )
    found = body(message)
    assert found["finding_info"]["title"] == text
    assert message == message_of(
        finding(kind, title=text, reason=text, posterior=posterior, read=(member,), decided_at=at)
    )
