from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.support.cases import ANNA, AT, BANK, STREAM
from tests.unit.triage_ui.conftest import Board
from triage.model import VerdictKind
from triage.queries import TruthRow
from triage.truth import TruthReport
from triage_ui.components.late_truth import LISTED, late_truth

PATH = "/api/v1/truth"


def tell(board: Board, truth: Any, **more: Any) -> httpx.Response:
    told = {"stream": STREAM, "source": "chargebacks", "truth": truth, **more}
    return board.client.post(PATH, json=told)


def test_one_report_and_many(board: Board) -> None:
    board.sign_in(BANK)
    board.desk.add(2)
    one = tell(board, {"id": "1", "real": True, "event_id": "e0"})
    assert one.status_code == 200
    assert one.json()["joined"] == 1
    many = tell(
        board,
        [
            {"id": "1", "real": True, "event_id": "e0"},
            {"id": "2", "real": False, "entities": {"customer": "c1"}, "time": AT - 999},
            {"id": "3", "real": True, "event_id": "never"},
        ],
    ).json()
    assert (many["received"], many["repeated"]) == (3, 1)
    assert (many["joined"], many["waiting"]) == (1, 1)
    (source,) = board.client.get(PATH).json()["sources"]
    assert (source["source"], source["joined"], source["waiting"]) == ("chargebacks", 2, 1)
    back = board.client.post(
        f"{PATH}/retract", json={"stream": STREAM, "source": "chargebacks", "ids": ["2", "3"]}
    )
    assert back.json()["retracted"] == 2
    assert len(board.desk.labels()) == 1


@pytest.mark.parametrize(
    ("truth", "status"),
    [
        ({"id": "1", "real": True}, 422),
        ({"id": "1", "real": "yes", "event_id": "e"}, 422),
        ([], 422),
        ([{"id": str(i), "real": True, "event_id": "e"} for i in range(1001)], 422),
    ],
)
def test_what_is_wrong_is_refused(board: Board, truth: Any, status: int) -> None:
    board.sign_in(BANK)
    assert tell(board, truth).status_code == status
    assert board.desk.store.truth_sources() == []


def test_an_analyst_can_not_tell_it(board: Board) -> None:
    board.sign_in(ANNA)
    assert tell(board, {"id": "1", "real": True, "event_id": "e"}).status_code == 403


def test_the_cluster_comes_with_it(board: Board) -> None:
    board.sign_in()
    cluster_id = board.desk.cluster(1)
    board.desk.decide(cluster_id, VerdictKind.SPURIOUS)
    board.desk.tell(TruthReport(id="cb", real=True, event_id="e0"))
    (truth,) = board.client.get(f"/api/v1/clusters/{cluster_id}").json()["truths"]
    assert (truth["source"], truth["real"], truth["contradicts"]) == ("chargebacks", True, True)


def shown(*truths: TruthRow) -> str:
    return "".join(str(part.to_plotly_json()) for part in late_truth(truths))


def test_the_section_says_what_contradicts_and_hides_nothing() -> None:
    one = TruthRow("bank\u202e", "cb-1", "k1", True, AT, 7200.0, True)
    assert late_truth(()) == []
    text = shown(one)
    assert "1 report against the verdict" in text
    assert "bank<U+202E>" in text
    assert "2 h after the event" in text
    calm = TruthRow("bank", "cb-1", "k1", False, AT, -5.0, False)
    assert "against" not in shown(calm)
    assert "Not real" in shown(calm)
    assert "and 2 more" in shown(*[calm] * (LISTED + 2))
