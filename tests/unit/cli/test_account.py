from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

from click.testing import CliRunner, Result

from cli.account import command
from triage.accounts import Accounts
from triage.store.store import open_store


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(command, [*arguments, "--data", str(folder)])


def token(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout.strip().rpartition("=")[2]


def choose(folder: Path, token: str) -> None:
    with closing(open_store(f"sqlite:///{folder}/triage.db")) as store:
        Accounts(store).choose_password(token, "seven quiet otters", time.time())


def test_the_first_account_comes_before_the_first_run(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    added = run(folder, "add", "lea", "--role", "lead", "--url", "https://board.example/")
    assert added.stdout.startswith("https://board.example/sign-in/password?token=")
    assert "works once" in added.stderr
    assert "waits for link" in run(folder, "list").output
    choose(folder, token(added))
    assert run(folder, "list").output.split()[:3] == ["lea", "lead", "active"]


def test_disable_and_reset(tmp_path: Path) -> None:
    choose(tmp_path, token(run(tmp_path, "add", "zoe")))
    assert "signed out" in run(tmp_path, "disable", "zoe").output
    assert "disabled" in run(tmp_path, "list").output
    choose(tmp_path, token(run(tmp_path, "reset", "zoe", "--role", "viewer")))
    assert run(tmp_path, "list").output.split()[:3] == ["zoe", "viewer", "active"]


def test_what_can_not_be_done_is_said(tmp_path: Path) -> None:
    run(tmp_path, "add", "zoe")
    for arguments, said in (
        (("add", "zoe"), "triage account reset"),
        (("add", "Zoë"), "small letters"),
        (("disable", "nobody"), "triage account list"),
        (("reset", "nobody"), "triage account list"),
    ):
        result = run(tmp_path, *arguments)
        assert (result.exit_code, said in result.output) == (1, True), result.output
