"""The whole loop on a real broker: the same commands, another URL."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from streaming.verified import message_of
from tests.integration.test_commands import ANNA, lines, triage
from tests.support.streams import CONFIG, events
from triage.commands import RecordVerdict
from triage.handlers import Triage
from triage.model import VerdictKind
from triage.queries import QueueFilter
from triage.store.store import open_store


@pytest.mark.parametrize("scheme", ["kafka", "kafka+librdkafka"])
def test_events_in_and_verified_anomalies_out(
    tmp_path: Path, kafka_bootstrap: str, scheme: str
) -> None:
    stream, source, data = tmp_path / "s.yaml", tmp_path / "events.jsonl", tmp_path / "data"
    topic = f"loop-{time.time_ns()}"
    stream.write_text(CONFIG.replace("topic: tests", f"topic: {topic}"), encoding="utf-8")
    source.write_bytes(lines([*events(700), b"rubbish"]))
    kafka = ("--transport", f"{scheme}://{kafka_bootstrap}?prefix={topic}")
    run = (
        *("run", "--stream", stream, "--source", source, "--data", data, *kafka),
        *("--no-board", "--until-done", "--quiet"),
    )
    done = triage(*run)
    assert done.returncode == 0, done.stderr

    store = open_store(f"sqlite:///{data / 'triage.db'}")
    (status,) = store.status(time.time()).streams
    assert (status.counters.accepted, status.counters.dead_lettered) == (700, 1)
    row = store.queue(QueueFilter(), 0, 1).rows[0]
    read = tuple(m.candidate.candidate_id for m in store.members(row.cluster_id, 0, 3))
    command = RecordVerdict(row.cluster_id, VerdictKind.REAL, row.revision, read, "k")
    Triage(store, message_of).handle(command, ANNA, time.time() - 60)
    store.close()
    assert triage(*run).returncode == 0

    out = triage("tail", "verified", "--no-follow", *kafka).stdout.splitlines()
    mine = [
        line for line in out if json.loads(line)["value"]["triage"]["cluster_id"] == row.cluster_id
    ]
    assert len(mine) == 1
    letters = triage("dlq", "list", topic, *kafka).stdout.splitlines()
    assert len(letters) == 1
    assert "not_json" in letters[0]
