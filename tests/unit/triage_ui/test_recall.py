"""What the board and the API tell of clusters that nobody looked at."""

from __future__ import annotations

from tests.unit.triage_ui.conftest import Board
from triage.model import VerdictKind
from triage.recall import Recall
from triage_ui.components.recall import recalls


def test_the_api_tells_the_recall_with_all_that_it_is_made_of(board: Board) -> None:
    board.sign_in()
    assert board.client.get("/api/v1/recall").json() == {"recalls": []}
    board.desk.policy(random_share=0.5)
    board.desk.decide(board.desk.cluster(1), VerdictKind.REAL)
    board.desk.cluster(1, "waits")
    assert board.client.get("/api/v1/recall").json() == {
        "recalls": [
            {
                "stream": "payments",
                "clusters": 1,
                "found": 1,
                "read": 1,
                "read_real": 1,
                "waiting": 1,
                "most": 1,
                "guess": 1.0,
                "at_least": 1.0,
            }
        ]
    }


def test_the_page_says_what_is_not_known() -> None:
    assert "No cluster has come yet." in str(recalls([]))
    told = str(recalls([Recall("s", 900, 4, 0, 0, 1, 900, None)]))
    assert "not known" in told
    assert "0 random looks among 900 clusters, 0 real; 1 waiting" in told


def test_the_page_tells_the_bound_and_the_best_guess() -> None:
    told = str(recalls([Recall("<b>s", 4_172, 512, 468, 52, 0, 917, 513.4)]))
    assert "'56 %'" in told
    assert "'512'" in told
    assert "'917'" in told
    assert "'513'" in told
    assert "468 random looks among 4,172 clusters, 52 real" in told
    assert "'–'" in str(recalls([Recall("s", 900, 4, 9, 0, 0, 300, None)]))
