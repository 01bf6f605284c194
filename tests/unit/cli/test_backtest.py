"""``triage backtest`` as a gate of a build: what it answers when something is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import backtest
from cli.main import main
from tests.support.streams import CONFIG, events

DONE, STOPPED, UNTRIED, INTERRUPTED = 0, 1, 2, 130


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "new.yaml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "old.yaml").write_text(CONFIG.replace("4%", "0.2%"), encoding="utf-8")
    (tmp_path / "broken.yaml").write_text(CONFIG.replace("alert_budget", "alert_bugdet"))
    rows = "\n".join(map(json.dumps, events(1_500)))
    (tmp_path / "events.jsonl").write_text(rows, encoding="utf-8")
    (tmp_path / "few.jsonl").write_text(rows[: rows.index("e9")], encoding="utf-8")
    return tmp_path


def run(line: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["backtest", *line.split()])
    return done.exit_code, done.output


@pytest.mark.parametrize(
    ("line", "status", "told"),
    [
        ("new.yaml --source events.jsonl", DONE, "events compared"),
        ("new.yaml --against old.yaml --source events.jsonl", STOPPED, "times the candidates"),
        ("broken.yaml --source events.jsonl", UNTRIED, 'did you mean "alert_budget"?'),
        ("new.yaml --against broken.yaml --source events.jsonl", UNTRIED, "broken.yaml:"),
        ("absent.yaml --source events.jsonl", UNTRIED, "absent.yaml: there is no such file"),
        ("new.yaml --source evnts.jsonl", UNTRIED, 'did you mean "events.jsonl"?'),
        ("new.yaml --against new.yaml --source few.jsonl", UNTRIED, "nothing to compare"),
        ("new.yaml --against live --source events.jsonl", UNTRIED, "never ran on this store"),
        ("new.yaml", UNTRIED, "there is no log in"),
        ("new.yaml --source events.jsonl --max-volume nan", UNTRIED, "'nan' is no number"),
        ("new.yaml --source events.jsonl --since 24h", UNTRIED, "--since is for a topic"),
        ("new.yaml --source events.jsonl --html no/r.html", UNTRIED, "there is no folder no"),
        ("new.yaml --source events.jsonl --html .", UNTRIED, "is a folder"),
        ("new.yaml --source events.jsonl --html new.yaml", UNTRIED, "name another file"),
        ("new.yaml --source events.jsonl --json events.jsonl", UNTRIED, "name another file"),
        ("new.yaml --source events.jsonl --html r --json r", UNTRIED, "name another file"),
    ],
)
def test_only_a_result_is_told_by_status_1(folder: Path, line: str, status: int, told: str) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    code, out = run(line)
    assert (code, told in out) == (status, True), out
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_ctrl_c_is_no_result(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(records: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(backtest, "follow", lambda progress: interrupted)
    code, out = run("new.yaml --source events.jsonl --html r.html")
    assert (code, out) == (INTERRUPTED, "Interrupted\n")
    assert not (folder / "r.html").exists()
