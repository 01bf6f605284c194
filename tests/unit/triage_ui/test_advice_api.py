"""What the API asks the advisor, and what it says when there is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.advisors import DRAFT, NOTHING, GivenAdvisor, alike
from tests.support.cases import ANNA, AT
from tests.unit.triage_ui.serving import Served
from triage.advisor import DraftRule, IfDecided, WhatIf
from triage.model import VerdictKind


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    board = Served(tmp_path, lambda: AT)
    board.advisor = GivenAdvisor(replace(NOTHING, open=812, fall=143, alike=alike("a", "b")))
    board.start()
    yield board
    board.stop()
    board.store.close()


def given(board: Served) -> GivenAdvisor:
    assert isinstance(board.advisor, GivenAdvisor)
    return board.advisor


def test_the_advisor_begins_and_ends_with_the_board(served: Served) -> None:
    assert given(served).opened
    served.stop()
    assert given(served).closed


def test_advice_is_asked_for_in_the_name_of_who_asks(served: Served) -> None:
    cluster = served.desk.cluster(3)
    with served.client() as client:
        answer = client.get(
            f"/api/v1/clusters/{cluster}/advice", params={"kind": "spurious", "read": ["x", "y"]}
        )
    assert answer.status_code == 200
    assert answer.json()["fall"] == 143
    assert answer.json()["alike"] == [
        {"cluster_id": "a", "likeness": 0.9},
        {"cluster_id": "b", "likeness": 0.8},
    ]
    assert given(served).asked == [IfDecided(cluster, VerdictKind.SPURIOUS, ("x", "y"), ANNA.name)]


def test_a_rule_around_a_cluster(served: Served) -> None:
    with served.client() as client:
        assert client.get("/api/v1/clusters/c1/rule").json() == {"draft": None}
        given(served).draft = DRAFT
        assert client.get("/api/v1/clusters/c1/rule").json()["draft"]["confirmed"] == 12
    assert given(served).asked == [DraftRule("c1"), DraftRule("c1")]


def test_what_if_reads_with_get_and_scores_with_post(served: Served) -> None:
    with served.client() as client:
        levers = client.get("/api/v1/clusters/c1/what-if").json()
        scored = client.post(
            "/api/v1/clusters/c1/what-if",
            json={"candidate_id": "m1", "changes": {"amount": 3.0}},
        ).json()
    assert [lever["feature"] for lever in levers["levers"]] == ["amount", "hour"]
    assert levers["smallest"][0]["after"] == "20 €"
    assert scored["then"] == {"margin": -2.0, "posterior": 0.1, "alert": False}
    assert given(served).asked == [WhatIf("c1", None), WhatIf("c1", "m1", {"amount": 3.0})]


@pytest.mark.parametrize(
    "body",
    [{}, {"changes": {"amount": "much"}}, {"changes": {}, "more": 1}, {"changes": {"a" * 300: 1}}],
)
def test_a_wrong_question_is_refused(served: Served, body: dict[str, object]) -> None:
    with served.client() as client:
        assert client.post("/api/v1/clusters/c1/what-if", json=body).status_code == 422
        assert client.get("/api/v1/clusters/c1/advice?kind=guilty").status_code == 422
    assert given(served).asked == []


def test_an_advisor_in_trouble_is_not_available_and_the_rest_goes_on(served: Served) -> None:
    given(served).trouble = "the advisor has ended; ask again in a moment"
    cluster = served.desk.cluster(3)
    with served.client() as client:
        answer = client.get(f"/api/v1/clusters/{cluster}/advice?kind=real")
        assert answer.status_code == 503
        assert answer.json()["detail"] == given(served).trouble
        assert client.get(f"/api/v1/clusters/{cluster}").status_code == 200


def test_a_board_without_an_advisor_says_so(tmp_path: Path) -> None:
    board = Served(tmp_path, lambda: AT)
    board.start()
    with board.client() as client:
        answer = client.get("/api/v1/clusters/c1/what-if")
    board.stop()
    board.store.close()
    assert answer.status_code == 503
    assert "without an advisor" in answer.json()["detail"]
