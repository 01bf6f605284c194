"""``triage topics`` on a real broker."""

from __future__ import annotations

import uuid
from pathlib import Path

from tests.integration.test_commands import triage
from tests.support.kafka_clients import transport as transport_to
from tests.support.streams import CONFIG


def test_topics_are_made_once_and_then_right(tmp_path: Path, kafka_bootstrap: str) -> None:
    name = f"topics-{uuid.uuid4().hex[:8]}"
    stream = tmp_path / "s.yaml"
    stream.write_text(CONFIG.replace("topic: tests", f"topic: {name}"), encoding="utf-8")
    cluster = ("--transport", f"kafka://{kafka_bootstrap}?prefix={name}")

    absent = triage("topics", "check", "--stream", stream, *cluster)
    assert absent.returncode == 1
    assert absent.stderr.count("is not there: triage topics create") == 3
    made = triage("topics", "create", "--stream", stream, *cluster)
    assert (made.returncode, made.stdout.count(": made"), made.stdout.count(": right")) == (0, 3, 3)
    again = triage("topics", "create", "--stream", stream, *cluster)
    assert (again.returncode, again.stdout.count(": made")) == (0, 0)
    assert triage("topics", "check", "--stream", stream, *cluster).returncode == 0

    more = triage("topics", "check", "--stream", stream, "--replication", "3", *cluster)
    assert more.returncode == 1
    assert more.stderr.count("has 1 copies, not 3") == 3


def test_what_somebody_else_made_is_looked_at(tmp_path: Path, kafka_bootstrap: str) -> None:
    name = f"topics-{uuid.uuid4().hex[:8]}"
    stream = tmp_path / "s.yaml"
    stream.write_text(CONFIG.replace("topic: tests", f"topic: {name}"), encoding="utf-8")
    transport = transport_to(kafka_bootstrap)
    transport.create(name, 5, 1, {"cleanup.policy": "compact", "retention.ms": "60000"})
    transport.close()
    cluster = ("--transport", f"kafka://{kafka_bootstrap}?prefix={name}")
    looked = triage("topics", "create", "--stream", stream, *cluster)
    assert looked.returncode == 1
    for problem in ("has 5 partitions, not 2", "cleanup.policy=compact", "keeps records for 0.0"):
        assert problem in looked.stderr


def test_the_embedded_log_has_no_such_topics(tmp_path: Path) -> None:
    stream = tmp_path / "s.yaml"
    stream.write_text(CONFIG, encoding="utf-8")
    done = triage("topics", "check", "--stream", stream, "--data", tmp_path / "none")
    assert done.returncode == 2
    assert "say which cluster" in done.stderr
