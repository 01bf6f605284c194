"""Verified anomalies as kcat reads them: a consumer that nobody here wrote."""

from __future__ import annotations

import json
import shutil
import subprocess
import uuid
from pathlib import Path

import jsonschema
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat

from streaming import schemas
from streaming.records import OutRecord
from streaming.schemas import schema_text
from streaming.verified import SEQUENCE_HEADER, TOPIC
from tests.support.kafka_clients import transport as transport_to

EXAMPLES = Path(schemas.__file__).parent / "examples"
WAIT_S = 120  # it ends by itself at the end of the topic


def test_kcat_sees_each_message_once_with_its_headers(kafka_bootstrap: str) -> None:
    if not shutil.which("kcat"):
        pytest.skip("no kcat (.ci/debian-packages installs it)")
    prefix = f"console-{uuid.uuid4().hex[:8]}"
    transport = transport_to(kafka_bootstrap, prefix)
    transport.ensure_topic(TOPIC, 1)
    publisher = transport.publisher(TOPIC)
    kinds = ("verified", "revised", "retracted")
    for sequence, kind in enumerate(kinds, start=1):
        publisher.publish([as_sent(kind, sequence)], sequence)
    publisher.close()
    transport.close()

    told = subprocess.run(
        [
            *("kcat", "-q", "-C", "-b", kafka_bootstrap, "-t", f"{prefix}.verified.v1"),
            *("-o", "beginning", "-e", "-X", "isolation.level=read_committed"),
            *("-f", r"%h\t%k\t%s\n"),
        ],
        capture_output=True,
        check=True,
        timeout=WAIT_S,
        text=True,
    )
    lines = told.stdout.splitlines()
    assert len(lines) == 3
    for sequence, line in enumerate(lines, start=1):
        headers_text, key, value = line.split("\t")
        headers = dict(pair.split("=", 1) for pair in headers_text.split(","))
        assert headers[SEQUENCE_HEADER] == f"{sequence:020d}"
        sent = {name: text.encode() for name, text in headers.items()}
        event = from_binary(KafkaMessage(sent, key.encode(), value.encode()), JSONFormat())
        assert event.get_id() == headers["ce_id"]
        assert event.get_type().endswith(f".finding.{kinds[sequence - 1]}.v1")
        jsonschema.Draft202012Validator(json.loads(schema_text("verified.v1"))).validate(
            json.loads(value)
        )


def as_sent(kind: str, sequence: int) -> OutRecord:
    """Return a published example as the relay sends it."""
    example = json.loads((EXAMPLES / f"verified.v1.{kind}.json").read_text(encoding="utf-8"))
    headers = [(name, text.encode()) for name, text in example["headers"].items()]
    headers.append((SEQUENCE_HEADER, f"{sequence:020d}".encode()))
    value = json.dumps(example["value"], ensure_ascii=False).encode()
    return OutRecord(TOPIC, example["key"].encode(), value, tuple(headers))
