from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.support.cases import ANNA, AT, BANK, BEN, STREAM, identity
from tests.unit.triage_ui.conftest import Board

KEPT = {"time": AT - 5000, "fields": {"terminal": "881", "amount": 30.0}}
PATH = "/api/v1/missed"
ITS = {"customer": "c0", "terminal": "881"}
EVENT: dict[str, Any] = {"stream": STREAM, "entities": ITS, "time": AT - 5000}
BESIDE = {"beside": identity(STREAM, 0, 0)}


@pytest.fixture
def board(board: Board) -> Board:
    """With a candidate beside which the event is kept."""
    board.desk.add(1, entities=ITS, entity="c0", context=(KEPT,))
    return board


def post(board: Board, below: str = "", **changed: Any) -> httpx.Response:
    told = EVENT | ({} if below else BESIDE)
    return board.client.post(PATH + below, json={**told, **changed})


def test_reported_again_and_back(board: Board) -> None:
    board.sign_in(ANNA)
    assert post(board).json()["waiting"] == 1
    assert post(board).json()["repeated"] == 1
    assert post(board, "/take-back").json()["retracted"] == 1
    gone = post(board, "/take-back")
    assert (gone.status_code, gone.json()["detail"]) == (
        404,
        "nobody has reported this event as missed",
    )


def test_a_time_without_fraction_is_the_same_time(board: Board) -> None:
    board.sign_in(ANNA)
    assert post(board, time=AT - 5000.0).json()["waiting"] == 1
    assert post(board, time=int(AT - 5000)).json()["repeated"] == 1  # as a browser writes it


def test_a_candidates_event_is_refused(board: Board) -> None:
    board.sign_in(ANNA)
    (one,) = board.desk.add(1)
    refused = post(board, time=one.event_time, entities=dict(one.entities))
    assert refused.status_code == 422
    assert "give a verdict" in refused.json()["detail"]


@pytest.mark.parametrize(
    "changed",
    [
        {"entities": {}},
        {"entities": {"card": ""}},
        {"entities": {"card": "a\u0000b"}},
        {"entities": {f"e{i}": "1" for i in range(21)}},
        {"time": "now"},
        {"real": False},
        {"beside": None},
    ],
)
def test_what_is_wrong_is_refused(board: Board, changed: Any) -> None:
    board.sign_in(ANNA)
    assert post(board, **changed).status_code == 422
    assert board.desk.store.truth_sources() == []


def test_services_have_another_way_and_others_reports_stay(board: Board) -> None:
    board.sign_in(BANK)
    assert post(board).status_code == 403
    board.sign_in(ANNA)
    post(board)
    board.sign_in(BEN)
    assert post(board, "/take-back").status_code == 403
