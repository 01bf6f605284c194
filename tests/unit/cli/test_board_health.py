from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.board_health import look, observer
from cli.health import Health
from streaming.metrics import BOARD_ANSWERS, OPEN_CLUSTERS, Metrics
from tests.support.cases import AT
from tests.unit.triage_ui.serving import Served, serving


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path, lambda: AT) as board:
        yield board


def test_a_board_that_answers_and_reaches_its_store_is_ready(board: Served) -> None:
    board.desk.cluster(2)
    health, counted = Health(), Metrics()
    assert health.ready() == "starting"
    look(board.url, board.store, health, counted)
    assert (health.live(), health.ready()) == ("", "")
    assert counted.value(OPEN_CLUSTERS, "payments") == 1


def test_without_its_store_it_is_alive_but_not_ready(board: Served) -> None:
    board.store.close()
    path = board.folder / "triage.db"
    path.rename(path.with_suffix(".gone"))
    path.mkdir()
    health = Health()
    look(board.url, board.store, health, Metrics())
    assert health.live() == ""
    assert "can't be opened" in health.ready()


def test_a_board_that_does_not_answer_makes_no_turn(board: Served) -> None:
    board.stop()
    health = Health()
    look(board.url, board.store, health, Metrics())
    assert health.ready() == "starting"


def test_answers_are_counted_by_class() -> None:
    counted = Metrics()
    observe = observer(counted)
    for status in (200, 201, 404, 503):
        observe(status, 0.1)
    counts = [counted.value(BOARD_ANSWERS, kind) for kind in ("2xx", "4xx", "5xx")]
    assert counts == [2, 1, 1]
