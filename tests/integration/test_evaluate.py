"""``triage evaluate`` as a user has it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.test_commands import lines, triage
from tests.support.streams import CONFIG, STRANGE_EVERY, events

KEYS = {
    *("found", "found_by_propagation", "looks", "labels", "items", "anomalies", "precision"),
    *("auc", "ap", "ap_unseen", "events_per_second", "seed", "config"),
}


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("evaluate") / "events.jsonl"
    rows = [
        {**event, "is_fraud": int(i % STRANGE_EVERY == STRANGE_EVERY - 1)}
        for i, event in enumerate(events(1500))
    ]
    path.write_bytes(lines(rows))
    (path.parent / "tests.yaml").write_text(CONFIG, encoding="utf-8")
    return path


@pytest.mark.parametrize("mode", ["stream", "pool"])
@pytest.mark.parametrize("features", ["config", "all"])
def test_the_last_line_is_one_json_object(labelled: Path, mode: str, features: str) -> None:
    which = ["--features", "all"] if features == "all" else []
    if features == "config":
        which = ["--stream", str(labelled.parent / "tests.yaml")]
    arguments = ["evaluate", *which, "--source", labelled, "--label", "is_fraud", "--mode", mode]
    done = triage(*arguments, "--budget", 5, "--seed", 3)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert set(result) >= KEYS  # a stream tells more
    assert result["items"] == 1500
    assert result["anomalies"] == 30
    assert max(result["found"].values()) > 0
    assert result["seed"] == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--label", "is_fruad", "--features", "all", "--mode", "pool"], "no column 'is_fruad'"),
        (["--label", "is_fraud"], "--stream FILE.yaml is missing"),
        (["--label", "is_fraud", "--features", "all", "--every", "often"], "'often'"),
    ],
)
def test_mistakes_are_answered(labelled: Path, arguments: list[str], message: str) -> None:
    done = triage("evaluate", "--source", labelled, *arguments)
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr
