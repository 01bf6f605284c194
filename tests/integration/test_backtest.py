"""``triage backtest`` as a user has it: against the config in force, with its verdicts."""

from __future__ import annotations

import json
import time
from pathlib import Path

from streaming.verified import message_of
from tests.integration.test_commands import ANNA, lines, run_to_the_end, triage
from tests.support.streams import CONFIG, events
from triage.commands import RecordVerdict
from triage.handlers import Triage
from triage.model import VerdictKind
from triage.queries import QueueFilter
from triage.store.store import open_store


def test_against_live_it_says_what_would_be_lost(tmp_path: Path) -> None:
    stream, source, data = tmp_path / "tests.yaml", tmp_path / "events.jsonl", tmp_path / "data"
    stream.write_text(CONFIG, encoding="utf-8")
    source.write_bytes(lines(events(1500)))
    run_to_the_end(stream, source, data)
    store = open_store(f"sqlite:///{data / 'triage.db'}")
    handler = Triage(store, message_of)
    rows = store.queue(QueueFilter(), 0, 5).rows
    for row in rows:
        read = tuple(m.candidate.candidate_id for m in store.members(row.cluster_id, 0, 3))
        command = RecordVerdict(
            row.cluster_id, VerdictKind.REAL, row.revision, read, row.cluster_id
        )
        handler.handle(command, ANNA, time.time() - 60)
    before = store.status(0.0).streams
    against = ("--against", "live", "--data", data)

    same = triage("backtest", stream, *against, "--json", tmp_path / "same.json")
    assert same.returncode == 0, same.stdout + same.stderr
    assert "Nothing speaks against the change." in same.stdout
    result = json.loads((tmp_path / "same.json").read_text())
    assert result["verified_real"] == len(rows) > 0
    assert result["new"]["hash"] == result["old"]["hash"]
    assert result["new"]["precision"] == 1.0

    blind = tmp_path / "blind.yaml"
    blind.write_text(CONFIG.replace("alert_budget: 4%", "alert_budget: 0.1%"), encoding="utf-8")
    html = tmp_path / "report.html"
    worse = triage("backtest", blind, *against, "--html", html)
    assert worse.returncode == 1, worse.stdout + worse.stderr
    assert "would be lost" in worse.stdout
    assert "would be lost" in html.read_text()
    assert store.status(0.0).streams == before
    store.close()

    other = tmp_path / "other.yaml"
    other.write_text(CONFIG.replace("stream: tests", "stream: others"))
    unknown = triage("backtest", other, *against)
    assert unknown.returncode == 2
    assert "never ran on this store" in unknown.stderr
    nowhere = triage("backtest", stream, "--data", tmp_path / "nowhere")
    assert nowhere.returncode == 2
    assert "there is no log in" in nowhere.stderr
