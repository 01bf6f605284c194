"""Splits, merges, records, fellows and colleagues over the API."""

from __future__ import annotations

import pytest

from tests.unit.triage_ui.conftest import Board
from triage.links import Link

KEY = {"idempotency-key": "k1"}


@pytest.fixture
def cluster(board: Board) -> str:
    """A cluster of four; Anna is signed in."""
    board.sign_in()
    return board.desk.cluster(4)


def path(cluster: str, what: str) -> str:
    return f"/api/v1/clusters/{cluster}/{what}"


def test_members_leave_and_come_back(board: Board, cluster: str) -> None:
    members = [
        one["candidate_id"] for one in board.client.get(path(cluster, "members")).json()["members"]
    ]
    body = {"revision": 1, "members": members[:1], "reason": "another card"}
    answer = board.client.post(path(cluster, "split"), json=body, headers=KEY)
    assert answer.status_code == 201, answer.text
    done = answer.json()
    assert (done["kind"], done["members"], done["actor"]) == ("split", members[:1], "anna")
    assert board.client.post(path(cluster, "split"), json=body, headers=KEY).json() == done
    late = board.client.post(path(cluster, "split"), json=body, headers={"idempotency-key": "k2"})
    assert late.status_code == 409
    (alike,) = board.client.get(path(done["other"], "alike")).json()["clusters"]
    assert (alike["cluster_id"], alike["revision"], alike["size"]) == (cluster, 2, 3)
    into = {"revision": 1, "into": cluster, "into_revision": alike["revision"]}
    merged = board.client.post(
        path(done["other"], "merge"), json=into, headers={"idempotency-key": "k3"}
    )
    assert merged.status_code == 201, merged.text
    assert board.client.get(f"/api/v1/clusters/{cluster}").json()["members_total"] == 4
    moves = board.client.get(path(cluster, "regroupings")).json()["regroupings"]
    assert moves == [merged.json(), done]
    gone = board.client.get(f"/api/v1/clusters/{done['other']}")
    assert gone.status_code == 404
    assert f"merged into {cluster}" in gone.json()["detail"]


def test_masked_values_leave_the_store_nowhere(board: Board) -> None:
    board.sign_in()
    link = Link(label="SIEM", url="https://siem.example/{customer}")
    board.desk.policy(masked=("iban",), links=(link,), reasons=("one", "two"))
    context = ({"time": 1.0, "fields": {"iban": "DE0299", "amount": 1}},)
    record = {"customer": "c1", "iban": "DE0299"}
    cluster = board.desk.group(board.desk.add(1, record=record, context=context), "masked")
    read = board.client.get(path(cluster, "record")).json()
    assert read["fields"] == {"customer": "c1", "iban": "••••"}
    assert read["links"] == [{"label": "SIEM", "url": "https://siem.example/c1"}]
    for where in (
        f"/api/v1/clusters/{cluster}",
        path(cluster, "members"),
        path(cluster, "events"),
        path(cluster, "record"),
        "/api/v1/entity?name=customer&value=c1",
        "/api/v1/export/queue",
    ):
        answer = board.client.get(where)
        assert answer.status_code == 200, where
        assert "DE0299" not in answer.text, where
    assert board.client.get(f"/api/v1/clusters/{cluster}").json()["choices"] == ["one", "two"]
    assert board.client.get(path(cluster, "record") + "?candidate_id=none").status_code == 404


def test_past_cases_and_entities_by_their_beginning(board: Board, cluster: str) -> None:
    board.desk.decide(board.desk.cluster(1, "old"))
    (case,) = board.client.get(path(cluster, "past-cases")).json()["cases"]
    assert (case["kind"], case["actor"], case["proved"]) == (
        "real",
        "anna",
        {"real": 0, "not_real": 0},
    )
    found = board.client.get("/api/v1/entities?text=88").json()["entities"]
    assert found == [{"name": "terminal", "value": "881", "clusters": 2}]
    assert board.client.get("/api/v1/entities?text=8%25").json() == {"entities": []}


def test_colleagues(board: Board, cluster: str) -> None:
    given = board.client.post(path(cluster, "assignee"), json={"assignee": "anna"})
    assert given.json() == {"cluster_id": cluster, "assignee": "anna"}
    mine = board.client.get("/api/v1/queue?assignee=me").json()
    assert [(row["cluster_id"], row["assignee"]) for row in mine["rows"]] == [(cluster, "anna")]
    other = board.client.post(path(cluster, "assignee"), json={"assignee": "ben"})
    assert other.status_code == 403
    looking = board.client.post("/api/v1/presence", json={"cluster_id": cluster}).json()["looking"]
    assert [(one["actor"], one["cluster_id"]) for one in looking] == [("anna", cluster)]
    assert board.client.post("/api/v1/presence", json={"cluster_id": None}).json() == {
        "looking": []
    }
    assert board.client.get("/api/v1/presence").json() == {"looking": []}
