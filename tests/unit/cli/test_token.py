from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

from click.testing import CliRunner, Result

from cli.token import command
from triage.store.store import open_store


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(command, [*arguments, "--data", str(folder)])


def test_add_list_and_revoke(tmp_path: Path) -> None:
    with closing(open_store(f"sqlite:///{tmp_path}/triage.db")) as store:
        secret = run(tmp_path, "add", "siem", "--role", "service", "--days", "7").stdout.strip()
        assert store.token(secret, time.time()) is not None
        listed = run(tmp_path, "list").output
        assert listed.split()[:3] == ["siem", "service", "works"]
        assert secret not in listed
        assert run(tmp_path, "revoke", "siem").exit_code == 0
        assert store.token(secret, time.time()) is None
        assert "revoked" in run(tmp_path, "list").output
        assert "triage token list" in run(tmp_path, "revoke", "siem").output


def test_it_needs_a_role_and_a_store(tmp_path: Path) -> None:
    assert run(tmp_path, "add", "siem").exit_code == 2
    nothing = run(tmp_path, "add", "siem", "--role", "viewer")
    assert (nothing.exit_code, "nothing has run there" in nothing.output) == (1, True)
