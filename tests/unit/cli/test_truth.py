from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.truth import command
from tests.support.cases import STREAM, Desk
from triage.store.store import open_store


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with closing(open_store(f"sqlite:///{tmp_path}/triage.db")) as store:
        desk = Desk(store)
        desk.policy()
        yield desk


def run(folder: Path, text: str, *more: str) -> Result:
    told = ["-", "--stream", STREAM, "--source", "chargebacks", "--data", str(folder), *more]
    return CliRunner().invoke(command, told, input=text)


def test_a_file_is_told_once_and_taken_back(desk: Desk, tmp_path: Path) -> None:
    (candidate,) = desk.add(1)
    lines = """{"id": "1", "real": true, "event_id": "e0"}

        {"id": "2", "real": false, "event_id": "x"}
    """
    assert run(tmp_path, lines).output == "2 received, 1 joined, 1 waiting\n"
    assert desk.labels() == {candidate.candidate_id: (1.0, 1.0)}
    assert run(tmp_path, lines).output == "2 received, 2 repeated\n"
    assert run(tmp_path, '{"id": "1"}', "--retract").output == "1 received, 1 retracted\n"
    assert desk.labels() == {}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"id": "1", "real": true}', "line 1: report: Value error, give candidate_id"),
        ('{"id": "1", "real": "yes", "event_id": "e"}', "line 1: real"),
        ("{", "line 1: report"),
    ],
)
def test_a_wrong_line_is_named(desk: Desk, tmp_path: Path, line: str, said: str) -> None:
    answer = run(tmp_path, line)
    assert answer.exit_code == 1
    assert said in answer.output


def test_what_it_takes_back_must_be_there(desk: Desk, tmp_path: Path) -> None:
    assert "told nothing under: 7" in run(tmp_path, '{"id": "7"}', "--retract").output
    assert "line 1" in run(tmp_path, "[]", "--retract").output


def test_where_nothing_has_run_it_says_so(tmp_path: Path) -> None:
    assert "nothing has run there yet" in run(tmp_path, "").output
