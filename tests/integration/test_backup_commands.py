"""`triage backup` and `triage restore` as a user has them."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

from tests.integration.test_commands import lines, triage
from tests.support.streams import CONFIG, events
from triage.store.store import open_store


def run(stream: Path, source: Path, data: Path) -> None:
    places = ("--stream", stream, "--source", source, "--data", data)
    done = triage("run", *places, "--no-board", "--until-done", "--quiet")
    assert done.returncode == 0, done.stderr


def test_a_restored_folder_goes_on_where_the_backup_was_made(tmp_path: Path) -> None:
    stream, source = tmp_path / "s.yaml", tmp_path / "events.jsonl"
    data, copy, new = tmp_path / "data", tmp_path / "backups" / "monday", tmp_path / "new"
    stream.write_text(CONFIG, encoding="utf-8")
    source.write_bytes(lines(events(600)[:300]))
    run(stream, source, data)
    done = triage("backup", copy, "--data", data)
    assert done.returncode == 0, done.stderr
    assert f"triage restore {copy}" in done.stdout
    assert {path.stat().st_mode & 0o077 for path in copy.iterdir()} == {0}  # for its owner only

    source.write_bytes(lines(events(600)))
    run(stream, source, data)
    assert triage("restore", copy, "--data", new).returncode == 0
    run(stream, source, new)
    for folder in (data, new):
        with closing(open_store(f"sqlite:///{folder / 'triage.db'}")) as store:
            (status,) = store.status(time.time()).streams
            assert (status.counters.accepted, status.counters.duplicates) == (600, 0)

    for answer, reason in [
        (triage("restore", copy, "--data", new), "is there already"),
        (triage("backup", copy, "--data", data), "is there already"),
        (triage("backup", tmp_path / "b", "--data", tmp_path / "none"), "nothing has run there"),
        (triage("restore", tmp_path / "none", "--data", tmp_path / "x"), "no backup"),
    ]:
        assert answer.returncode == 1
        assert reason in answer.stderr
        assert "Traceback" not in answer.stderr


def test_a_restore_warns_of_accounts_that_were_disabled_after_the_backup(tmp_path: Path) -> None:
    data, copy, new = tmp_path / "data", tmp_path / "monday", tmp_path / "new"
    stream, source = tmp_path / "s.yaml", tmp_path / "events.jsonl"
    stream.write_text(CONFIG, encoding="utf-8")
    source.write_bytes(lines(events(10)))
    run(stream, source, data)
    for name in ("ann", "ben", "cem"):
        assert triage("account", "add", name, "--data", data).returncode == 0
    assert triage("account", "disable", "ben", "--data", data).returncode == 0
    assert triage("backup", copy, "--data", data).returncode == 0
    assert triage("account", "disable", "cem", "--data", data).returncode == 0

    done = triage("restore", copy, "--data", new)
    assert done.returncode == 0
    assert "can sign in: ann (analyst)" in done.stderr
    assert "can sign in: cem (analyst)" in done.stderr  # though disabled since
    assert "can sign in: ben" not in done.stderr
    assert "triage account disable NAME" in done.stderr
