from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.rollback import command
from tests.support.cases import AT, Desk
from triage.store.store import open_store


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with closing(open_store(f"sqlite:///{tmp_path}/triage.db")) as store:
        yield Desk(store)


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(command, [*arguments, "--data", str(folder)])


def test_it_takes_and_gives_back(desk: Desk, tmp_path: Path) -> None:
    desk.decide(desk.cluster(1), at=AT)
    kept = desk.labels()
    done = run(tmp_path, "--analyst", "anna", "--since", "2026-09-01", "--until", "2026-10-01")
    assert done.output.startswith("labels of 1 verdicts and reports of anna taken back")
    assert desk.labels() == {}
    rollback_id = done.output.split()[-1]
    assert "given back" in run(tmp_path, "--undo", rollback_id).output
    assert desk.labels() == kept


def test_what_can_not_be_done_is_said(desk: Desk, tmp_path: Path) -> None:
    assert run(tmp_path, "--analyst", "anna").exit_code == 2
    nobody = run(tmp_path, "--analyst", "zoe", "--since", "2026-09-01")
    assert (nobody.exit_code, "zoe has no labels" in nobody.output) == (1, True)


def test_the_password_of_the_database_is_read_from_where_its_address_says(tmp_path: Path) -> None:
    place = "postgresql://anna@127.0.0.1:1/triage?password=env:NO_SUCH_VARIABLE"
    done = run(tmp_path, "--analyst", "anna", "--since", "2026-09-01", "--store", place)
    assert (done.exit_code, "there is no secret" in done.output) == (1, True)
