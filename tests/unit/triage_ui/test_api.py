from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.support.cases import ANNA, AT, BEN, LEAD, VIEWER, a_reason
from tests.unit.triage_ui.conftest import Board
from triage.drift import Drift
from triage.lag import Lag
from triage.model import VerdictKind
from triage.policy import Policy
from triage.rollout import Request, Stage, staged
from triage.store.base_configs import NewConfig
from triage_ui import problems
from triage_ui.api.clusters import VerdictBody
from triage_ui.entity import entity_address
from triage_ui.text import visible


def body(board: Board, cluster: str, kind: str = "real", **more: Any) -> dict[str, Any]:
    detail = board.client.get(f"/api/v1/clusters/{cluster}?members=2").json()
    read = [member["candidate_id"] for member in detail["members"]]
    return {"kind": kind, "revision": detail["row"]["revision"], "read": read, **more}


def decide(board: Board, cluster: str, key: str = "k1", **given: Any) -> httpx.Response:
    return board.client.post(
        f"/api/v1/clusters/{cluster}/verdicts",
        json=body(board, cluster, **given),
        headers={"idempotency-key": key},
    )


def undo(board: Board, verdict: str, key: str = "u1") -> httpx.Response:
    path = f"/api/v1/verdicts/{verdict}/undo"
    return board.client.post(path, json={}, headers={"idempotency-key": key})


@pytest.fixture
def cluster(board: Board) -> str:
    board.sign_in()
    return board.desk.cluster(4)


def test_the_queue_lists_open_clusters_by_worth(board: Board) -> None:
    board.sign_in()
    low = board.desk.cluster(2, "low", margin=-1.0)
    high = board.desk.cluster(3, "high", margin=2.0)
    answer = board.client.get("/api/v1/queue").json()
    assert [row["cluster_id"] for row in answer["rows"]] == [high, low]
    assert answer["total"] == 2
    assert answer["rows"][0]["top"][0] == {"label": "amount", "contribution": 1.0}


def test_the_queue_is_filtered_and_cut(board: Board, cluster: str) -> None:
    ask = board.client.get
    assert ask("/api/v1/queue?stream=other").json()["total"] == 0
    assert ask("/api/v1/queue?text=terminal 881").json()["total"] == 1
    assert ask("/api/v1/queue?text=nothing").json()["total"] == 0
    assert ask("/api/v1/queue?offset=1").json()["rows"] == []
    verdict = decide(board, cluster).json()
    (rest,) = ask("/api/v1/queue").json()["rows"]
    assert (rest["cluster_id"], rest["predecessor"]) == (verdict["rest"], cluster)
    assert ask("/api/v1/queue?status=decided").json()["total"] == 1
    assert ask("/api/v1/queue?status=all").json()["total"] == 2


def test_a_wrong_query_says_what_is_wrong(board: Board) -> None:
    board.sign_in()
    for query in ("limit=0", "limit=501", "offset=-1", "order=sideways", "status=x", "limit=many"):
        answer = board.client.get(f"/api/v1/queue?{query}")
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert query.split("=")[0] in answer.json()["detail"]
        assert answer.json()["remedy"]


def test_a_cluster_comes_with_members_reasons_and_events(board: Board, cluster: str) -> None:
    detail = board.client.get(f"/api/v1/clusters/{cluster}").json()
    assert detail["members_total"] == 4
    assert detail["members"][0]["record"]["amount"] == 412.0
    assert "vector" not in detail["members"][0]
    assert detail["reasons"][0]["label"] == "amount"
    path = f"/api/v1/clusters/{cluster}"
    assert len(board.client.get(f"{path}/members?offset=3").json()["members"]) == 1
    events = board.client.get(f"{path}/events").json()["events"]
    assert events[0]["candidate_id"] is None
    assert events[-1]["cluster_id"] == cluster


def test_an_unknown_cluster_is_404_with_a_remedy(board: Board) -> None:
    board.sign_in()
    answer = board.client.get("/api/v1/clusters/none")
    assert answer.status_code == 404
    assert "none" in answer.json()["detail"]
    assert answer.json()["remedy"]


def test_a_verdict_is_given_and_seen(board: Board, cluster: str) -> None:
    answer = decide(board, cluster, reason="card holder called")
    assert answer.status_code == 201
    verdict = answer.json()
    assert (verdict["kind"], verdict["state"], verdict["actor"]) == ("real", "pending", ANNA.name)
    assert (verdict["read"], verdict["propagated"]) == (2, 2)
    again = board.client.get(f"/api/v1/verdicts/{verdict['verdict_id']}").json()
    assert again == verdict
    assert board.client.get("/api/v1/verdicts").json()["verdicts"] == [verdict]


def test_the_same_key_again_is_the_same_verdict(board: Board, cluster: str) -> None:
    sent = body(board, cluster)
    path = f"/api/v1/clusters/{cluster}/verdicts"
    answers = [
        board.client.post(path, json=sent, headers={"idempotency-key": "k"}) for _ in range(3)
    ]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["verdict_id"] for answer in answers}) == 1
    assert len(board.client.get("/api/v1/verdicts").json()["verdicts"]) == 1


def test_who_comes_second_learns_who_was_first(board: Board, cluster: str) -> None:
    mine = body(board, cluster)
    theirs = board.desk.decide(cluster, VerdictKind.SPURIOUS, BEN)
    path = f"/api/v1/clusters/{cluster}/verdicts"
    answer = board.client.post(path, json=mine, headers={"idempotency-key": "k"})
    assert answer.status_code == 409
    assert answer.json()["current"] == theirs.verdict_id
    standing = board.client.get(f"/api/v1/verdicts/{answer.json()['current']}").json()
    assert (standing["actor"], standing["kind"], standing["at"]) == (BEN.name, "spurious", AT)


def test_expected_needs_a_scope_and_an_end(board: Board, cluster: str) -> None:
    assert decide(board, cluster, "a", kind="expected").status_code == 422
    answer = decide(board, cluster, "b", kind="expected", scope="payday", expires_at=AT + 86400.0)
    assert answer.status_code == 201
    assert (answer.json()["scope"], answer.json()["expires_at"]) == ("payday", AT + 86400.0)


WRONG: tuple[dict[str, Any], ...] = (
    {"kind": "maybe"},
    {"revision": "1"},
    {"revision": True},
    {"read": []},
    {"read": ["stranger"]},
    {"read": "x"},
    {"reason": "x" * 5000},
    {"expires_at": "soon"},
    {"unknown": 1},
)


def test_a_wrong_verdict_changes_nothing(board: Board, cluster: str) -> None:
    for wrong in WRONG:
        answer = board.client.post(
            f"/api/v1/clusters/{cluster}/verdicts",
            json=body(board, cluster) | wrong,
            headers={"idempotency-key": "k"},
        )
        assert answer.status_code == 422, wrong
        assert answer.json()["remedy"]
    assert board.client.get("/api/v1/verdicts").json()["verdicts"] == []


def test_a_verdict_without_a_key_is_refused(board: Board, cluster: str) -> None:
    answer = board.client.post(f"/api/v1/clusters/{cluster}/verdicts", json=body(board, cluster))
    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json()["detail"]


def test_a_viewer_may_look_but_not_decide(board: Board) -> None:
    cluster = board.desk.cluster(2)
    board.sign_in(VIEWER)
    assert board.client.get("/api/v1/queue").status_code == 200
    answer = decide(board, cluster)
    assert answer.status_code == 403
    assert "analyst" in answer.json()["detail"]


def test_a_verdict_is_taken_back(board: Board, cluster: str) -> None:
    verdict = decide(board, cluster).json()["verdict_id"]
    answer = undo(board, verdict)
    assert (answer.status_code, answer.json()["state"]) == (200, "undone")
    assert undo(board, verdict).json() == answer.json()  # the same key
    assert undo(board, verdict, "u2").status_code == 409
    assert board.client.get("/api/v1/queue").json()["total"] == 1


def test_only_a_lead_takes_back_what_another_said(board: Board, cluster: str) -> None:
    verdict = board.desk.decide(cluster, actor=BEN).verdict_id
    assert undo(board, verdict).status_code == 403
    board.client.cookies.clear()
    board.sign_in(LEAD)
    assert undo(board, verdict).status_code == 200


def test_an_unknown_cluster_is_404_whatever_is_asked_of_it(board: Board, cluster: str) -> None:
    for what in ("", "/members", "/events"):
        assert board.client.get(f"/api/v1/clusters/none{what}").status_code == 404, what
    beyond = board.client.get(f"/api/v1/clusters/{cluster}/members?offset=99")
    assert (beyond.status_code, beyond.json()) == (200, {"members": []})


def test_a_defect_is_a_problem_document_without_its_details() -> None:
    app = FastAPI()
    problems.install(app)

    @app.get("/")
    def fail() -> None:
        raise RuntimeError("a secret")

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://board") as client:
            return await client.get("/")

    answer = asyncio.run(ask())
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert answer.json()["remedy"]


def test_an_unknown_verdict_is_404(board: Board) -> None:
    board.sign_in()
    assert board.client.get("/api/v1/verdicts/none").status_code == 404
    assert undo(board, "none").status_code == 404


def test_the_first_opinion_stays_hidden_from_the_second(board: Board, cluster: str) -> None:
    first = board.desk.decide(cluster, VerdictKind.UNSURE, BEN).verdict_id
    assert board.client.get("/api/v1/queue").json()["total"] == 1
    detail = board.client.get(f"/api/v1/clusters/{cluster}").json()
    assert (detail["verdicts"], detail["row"]["status"]) == ([], "open")
    for asked in ("open", "second_opinion", "all"):
        (row,) = board.client.get(f"/api/v1/queue?status={asked}").json()["rows"]
        assert row["status"] == "open"
    assert board.client.get("/api/v1/verdicts").json()["verdicts"] == []
    assert board.client.get(f"/api/v1/verdicts/{first}").status_code == 404
    assert decide(board, cluster).status_code == 201
    assert board.client.get(f"/api/v1/verdicts/{first}").json()["kind"] == "unsure"


def test_who_gave_the_first_opinion_sees_it(board: Board, cluster: str) -> None:
    first = decide(board, cluster, kind="unsure").json()["verdict_id"]
    assert board.client.get(f"/api/v1/verdicts/{first}").json()["kind"] == "unsure"
    (row,) = board.client.get("/api/v1/queue?status=all").json()["rows"]
    assert row["status"] == "second_opinion"


def test_status_says_who_i_am_and_how_streams_do(board: Board, cluster: str) -> None:
    status = board.client.get("/api/v1/status").json()
    assert status["actor"] == {"name": "anna", "role": "analyst"}
    assert status["now"] == AT
    assert status["open_clusters"] == 1
    assert [stream["stream"] for stream in status["streams"]] == ["payments"]


def test_a_store_that_does_not_answer_is_503_and_says_retry(board: Board, cluster: str) -> None:
    board.served.store.close()
    path = board.served.folder / "triage.db"
    path.rename(path.with_suffix(".gone"))
    path.mkdir()
    answer = board.client.get("/api/v1/queue")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert answer.json()["remedy"]


def test_bodies_are_strict() -> None:
    assert VerdictBody.model_config["strict"]
    assert VerdictBody.model_config["extra"] == "forbid"


def test_hostile_text_comes_through_the_api_unchanged(board: Board) -> None:
    board.sign_in()
    hostile = "<script>alert(1)</script>\u202egnp'\"" + "x" * 10_000
    members = board.desk.add(1, record={"note": hostile}, reasons=(a_reason("a", text=hostile),))
    cluster = board.desk.group(members)
    shown = board.client.get(f"/api/v1/clusters/{cluster}/members").json()["members"][0]
    assert shown["record"]["note"] == hostile


def test_half_a_character_comes_through_as_a_question_mark(board: Board) -> None:
    board.sign_in()
    members = board.desk.add(
        1, record={"note": "a\ud800b", "\udc00": 1}, reasons=(a_reason("a", text="\udfff"),)
    )
    cluster = board.desk.group(members)
    shown = board.client.get(f"/api/v1/clusters/{cluster}/members").json()["members"][0]
    assert (shown["record"], shown["reasons"][0]["text"]) == ({"note": "a?b", "?": 1}, "?")
    assert visible("a\ud800b") == "a<U+D800>b"
    assert entity_address("\ud800", "a") == "/entity/%3F/a"


def test_expected_keeps_its_like_out_of_the_queue(board: Board, cluster: str) -> None:
    given: dict[str, Any] = {
        "scope": "payday",
        "expires_at": AT + 86_400,
        "keep_out": "entity",
    }
    board.desk.policy(audit_share=0.0)
    verdict = decide(board, cluster, kind="expected", **given).json()
    hidden = board.desk.cluster(2, "like it")
    assert board.client.get("/api/v1/queue").json()["total"] == 0
    rows = board.client.get("/api/v1/queue?status=suppressed").json()["rows"]
    assert {row["cluster_id"] for row in rows} == {hidden, verdict["rest"]}
    (kept,) = board.client.get("/api/v1/suppressions").json()["suppressions"]
    assert (kept["scope"], kept["candidates"], kept["state"]) == ("payday", 4, "active")
    assert (kept["entities"], kept["features"]) == (["c1"], [])
    assert board.client.get("/api/v1/status").json()["suppressed_clusters"] == 2
    wrong = decide(board, hidden, "k2", kind="expected", **{**given, "keep_out": "everything"})
    assert wrong.status_code == 422


def test_an_entity_comes_with_its_clusters_and_events(board: Board, cluster: str) -> None:
    found = board.client.get("/api/v1/entity?name=customer&value=c1").json()
    assert [row["cluster_id"] for row in found["clusters"]] == [cluster]
    assert (found["members_total"], found["members"]) == (4, {cluster: 4})
    assert len([event for event in found["events"] if event["candidate_id"]]) == 4
    assert board.client.get("/api/v1/entity?name=customer&value=c2").status_code == 404
    assert board.client.get("/api/v1/entity?name=customer").status_code == 422


def test_the_lag_of_a_stream(board: Board) -> None:
    board.sign_in()
    (untold,) = board.client.get("/api/v1/streams/payments/lag").json()["partitions"]
    assert untold == {
        "partition": 0,
        "state": "unknown",
        "records": None,
        "seconds": None,
        "at": None,
    }
    board.desk.store.tell_lags("payments", [Lag(0, 7, 60.0, AT)])
    found = board.client.get("/api/v1/streams/payments/lag").json()
    assert (found["state"], found["partitions"][0]["records"]) == ("behind", 7)
    nowhere = board.client.get("/api/v1/streams/nowhere/lag").json()
    assert nowhere == {"state": "unknown", "partitions": []}


def test_what_came_into_force_and_how_a_tried_config_does(board: Board) -> None:
    board.sign_in()
    store = board.desk.store
    store.register_config("payments", "v1", "one", AT)
    told = board.client.get("/api/v1/streams/payments/rollouts").json()
    assert ([one["version"] for one in told["rollouts"]], told["trial"]) == (["v1"], None)
    asked = Request("eve", "fewer alerts", AT + 1)
    new = NewConfig("v2", "two", "Cards", Policy())
    store.roll_out("payments", lambda log: staged(log, "payments", "v2", Stage.SHADOW, asked), new)
    told = board.client.get("/api/v1/streams/payments/rollouts").json()
    newest, first = told["rollouts"]
    assert (newest["version"], newest["beside"], newest["stage"]) == ("v1", "v2", "shadow")
    assert (newest["author"], newest["reason"], first["number"]) == ("eve", "fewer alerts", 1)
    assert (told["trial"]["events"], told["trial"]["lost"]) == (0, [])
    nowhere = board.client.get("/api/v1/streams/nowhere/rollouts").json()
    assert nowhere == {"rollouts": [], "trial": None}


def test_the_drift_of_a_streams_fields(board: Board) -> None:
    board.sign_in()
    gone = Drift("<b>amount", "missing", "in 0%, was in 100%", 9)
    board.desk.commit(board.desk.part(next_offset=10, drifts=[gone]))
    assert board.client.get("/api/v1/streams/payments/drift").json()["drifts"] == [
        {
            "partition": 0,
            "field": "<b>amount",
            "kind": "missing",
            "detail": "in 0%, was in 100%",
            "since": 9,
        }
    ]
    assert board.client.get("/api/v1/streams/nowhere/drift").json() == {"drifts": []}


def test_looks_configs_and_lessons(board: Board, cluster: str) -> None:
    decide(board, cluster)
    (look,) = board.client.get("/api/v1/looks?stream=payments").json()["looks"]
    assert (look["cluster_id"], look["kind"], look["at"]) == (cluster, "real", AT)
    assert board.client.get("/api/v1/looks?stream=other").json() == {"looks": []}
    (config,) = board.client.get("/api/v1/streams/payments/configs").json()["configs"]
    assert (config["version"], config["text"]) == ("v1", "text")
    position = board.desk.store.label_position("payments")
    board.desk.commit(board.desk.part(label_position=position))
    (lesson,) = board.client.get("/api/v1/streams/payments/lessons").json()["lessons"]
    assert lesson["model_after"] == position
    assert lesson["by"][0]["cluster_id"] == cluster
