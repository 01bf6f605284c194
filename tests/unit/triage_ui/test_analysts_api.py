from __future__ import annotations

from tests.support.cases import ANNA, AT, LEAD
from tests.unit.triage_ui.conftest import Board
from triage.cases import Rollback
from triage.queries import AnalystRow
from triage_ui.pages.analysts import rolled_back, table

BODY = {"analyst": "anna", "since": AT, "until": AT + 60, "reason": "taken over"}


def test_a_lead_sees_and_takes_labels_back(board: Board) -> None:
    board.sign_in(LEAD)
    board.desk.decide(board.desk.cluster(1))
    (anna,) = board.client.get("/api/v1/analysts").json()["analysts"]
    assert (anna["analyst"], anna["read"], anna["weight"]) == ("anna", 1, 1.0)
    done = board.client.post("/api/v1/rollbacks", json=BODY)
    assert (done.status_code, done.json()["taken"]) == (201, 1)
    assert board.desk.labels() == {}
    path = f"/api/v1/rollbacks/{done.json()['rollback_id']}/undo"
    assert board.client.post(path, json={}).json()["undone_at"] == AT
    assert board.client.post(path, json={}).status_code == 409
    assert len(board.client.get("/api/v1/analysts").json()["rollbacks"]) == 1


def test_nobody_else_does(board: Board) -> None:
    board.sign_in(ANNA)
    assert board.client.get("/api/v1/analysts").status_code == 403
    assert board.client.post("/api/v1/rollbacks", json=BODY).status_code == 403


def test_the_page_says_what_a_label_weighs_and_what_was_taken() -> None:
    row = AnalystRow("an\u202ena", 12, 3, 1, 0.8125, 0.94)
    text = str(table([row]).to_plotly_json())
    for part in ("an<U+202E>na", "3 of 4", "81 %", "0.94"):
        assert part in text
    assert "No label" in str(table([]).to_plotly_json())
    taken = Rollback("r", "anna", AT, AT + 60, "lea", AT + 90, "", (("v", 1),), None)
    assert "in force" in str(rolled_back([taken]).to_plotly_json())
    assert "triage rollback" in str(rolled_back([]).to_plotly_json())
