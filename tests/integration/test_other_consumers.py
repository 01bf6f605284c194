"""Verified anomalies as consumers read them that nobody here wrote: kcat, and Kafka's own."""

from __future__ import annotations

import json
import shutil
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

import jsonschema
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from kafka import KafkaProducer

from streaming import schemas
from streaming.records import OutRecord
from streaming.schemas import schema_text
from streaming.transports._kafka_python.client import connect
from streaming.verified import SEQUENCE_HEADER, TOPIC
from tests.support.java_kafka import java_can, kafka_jars
from tests.support.kafka_clients import options
from tests.support.kafka_clients import transport as transport_to

EXAMPLES = Path(schemas.__file__).parent / "examples"
WAIT_S = 120  # they end by themselves at the end of the topic
KINDS = ("verified", "revised", "retracted")


@pytest.fixture
def topic(kafka_bootstrap: str) -> str:
    """A topic with one message of each kind, between messages of transactions that failed."""
    prefix = f"console-{uuid.uuid4().hex[:8]}"
    transport = transport_to(kafka_bootstrap, prefix)
    transport.ensure_topic(TOPIC, 1)
    name = f"{prefix}.verified.v1"
    for sequence, kind in enumerate(KINDS, start=1):
        failed = connect(KafkaProducer, options(kafka_bootstrap), transactional_id=prefix)
        failed.init_transactions()
        failed.begin_transaction()
        failed.send(name, value=b"never committed", partition=0)
        failed.flush(WAIT_S)
        failed.abort_transaction()
        failed.close()
        publisher = transport.publisher(TOPIC)
        publisher.publish([as_sent(kind, sequence)], sequence)
        publisher.close()
    transport.close()
    return name


def test_kcat_sees_each_message_once_with_its_headers(kafka_bootstrap: str, topic: str) -> None:
    if not shutil.which("kcat"):
        pytest.skip("no kcat (.ci/debian-packages installs it)")
    told = subprocess.run(
        [
            *("kcat", "-q", "-C", "-b", kafka_bootstrap, "-t", topic),
            *("-o", "beginning", "-e", "-X", "isolation.level=read_committed"),
            *("-f", r"%h\t%k\t%s\n"),
        ],
        capture_output=True,
        check=True,
        timeout=WAIT_S,
        text=True,
    )
    lines = [line.split("\t") for line in told.stdout.splitlines()]
    check([(dict(p.split("=", 1) for p in h.split(",")), key, value) for h, key, value in lines])


def test_kafkas_own_console_consumer_sees_the_same(kafka_bootstrap: str, topic: str) -> None:
    if not java_can():
        pytest.skip("no Java 17 with Maven (.ci/debian-packages installs them)")
    told = subprocess.run(
        [
            *("java", "-cp", f"{kafka_jars()}/*"),
            "org.apache.kafka.tools.consumer.ConsoleConsumer",
            *("--bootstrap-server", kafka_bootstrap, "--topic", topic, "--from-beginning"),
            *("--isolation-level", "read_committed", "--timeout-ms", "15000"),
            *("--property", "print.headers=true", "--property", "print.key=true"),
        ],
        capture_output=True,
        check=False,  # it ends with an error when nothing more has come for a while
        timeout=WAIT_S,
        text=True,
    )
    lines = [line.split("\t") for line in told.stdout.splitlines() if "\t" in line]
    check([(dict(p.split(":", 1) for p in h.split(",")), key, value) for h, key, value in lines])


def check(messages: Sequence[tuple[Mapping[str, str], str, str]]) -> None:
    """Compare what a consumer has printed with what was sent, through CloudEvents' own SDK."""
    assert len(messages) == len(KINDS)
    for sequence, (headers, key, value) in enumerate(messages, start=1):
        assert headers[SEQUENCE_HEADER] == f"{sequence:020d}"
        sent = {name: text.encode() for name, text in headers.items()}
        event = from_binary(KafkaMessage(sent, key.encode(), value.encode()), JSONFormat())
        assert event.get_id() == headers["ce_id"]
        assert event.get_type().endswith(f".finding.{KINDS[sequence - 1]}.v1")
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
