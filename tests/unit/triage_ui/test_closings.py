"""What the board and the API tell of members that nobody read."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

from tests.support.cases import AT, BEN, Desk
from tests.unit.triage_ui.conftest import Board
from triage.closing import Bound
from triage.model import VerdictKind
from triage.queries import QueueFilter
from triage.truth import TruthReport
from triage_ui.components.closing import audits, bounds, closed_unread, sentence
from triage_ui.components.preview import decided

SPURIOUS = VerdictKind.SPURIOUS


def audited(desk: Desk) -> str:
    """Dismiss a cluster of four, of which one is read and three are audited; return its id."""
    desk.policy(audit_share=0.5, closing_limit=0.3)
    desk.decide(desk.cluster(1, "bens"), SPURIOUS, BEN)
    cluster_id = desk.cluster(4, "audited")
    desk.decide(cluster_id, SPURIOUS, read=desk.first(cluster_id))
    for row in desk.store.queue(QueueFilter(viewer="ben"), 0, 10).rows:
        desk.decide(row.cluster_id, SPURIOUS, BEN)
    return cluster_id


def test_the_api_tells_the_bound_with_all_that_it_is_made_of(board: Board) -> None:
    board.sign_in()
    assert board.client.get("/api/v1/closings").json() == {"bounds": []}
    audited(board.desk)
    (bound,) = board.client.get("/api/v1/closings").json()["bounds"]
    assert bound == {
        "stream": "payments",
        "share": 0.0,
        "limit": 0.3,
        "closings": 3,
        "audits": 3,
        "wrong": 0,
        "waiting": 0,
        "closed": 0,
        "told": 0,
        "unread_real": 0,
        "by_truth": False,
        "met": True,
    }


def test_the_audits_behind_it_are_listed_and_exported(board: Board) -> None:
    board.sign_in()
    cluster_id = audited(board.desk)
    rows = board.client.get("/api/v1/audits?stream=payments").json()["audits"]
    assert [(row["of"], row["wrong"], row["kind"]) for row in rows] == [
        (cluster_id, False, "spurious")
    ] * 3
    assert board.client.get("/api/v1/audits?stream=other").json() == {"audits": []}
    file = board.client.get("/api/v1/export/audits").content.decode()
    lines = list(csv.DictReader(io.StringIO(file, newline="")))
    assert {(line["of"], line["wrong"], line["probability"]) for line in lines} == {
        (cluster_id, "0", "1.0")
    }


def test_the_cluster_says_what_was_closed_and_how_sure_that_is(desk: Desk) -> None:
    audited(desk)
    desk.policy(audit_share=1e-6, closing_limit=0.3)
    cluster_id = desk.cluster(5)
    desk.decide(cluster_id, SPURIOUS, read=desk.first(cluster_id, 2))
    detail = desk.store.cluster(cluster_id, 5)
    assert detail is not None
    (said,) = closed_unread(detail)
    text = str(said.to_plotly_json())
    assert "2 members read" in text
    assert "3 closed unread" in text
    assert "of such closings are wrong (95 %, 3 audits, 0 wrong)" in text
    assert len(decided(detail, AT)) == 2


def test_the_cluster_says_where_the_rest_is(desk: Desk) -> None:
    desk.policy(audit_share=0.0)
    cluster_id = desk.cluster(5)
    verdict = desk.decide(cluster_id, SPURIOUS, read=desk.first(cluster_id, 2))
    detail = desk.store.cluster(cluster_id, 5)
    assert detail is not None
    (said,) = closed_unread(detail)
    text = str(said.to_plotly_json())
    assert "3 unread in " in text
    assert f"/cluster/{verdict.rest}" in text


def test_nothing_is_said_where_all_was_read(desk: Desk) -> None:
    cluster_id = desk.cluster(2)
    desk.decide(cluster_id, SPURIOUS)
    detail = desk.store.cluster(cluster_id, 5)
    assert detail is not None
    assert list(closed_unread(detail)) == []


def test_a_bound_of_nothing_is_not_a_figure() -> None:
    nothing = Bound("s", 1.0, 0.05, 0, 0, 0, 3, 0)
    text = str(bounds([nothing]).to_plotly_json())
    assert "not known" in text
    assert "3 audits waiting" in text
    never = Bound("s", 0.5, 0.0, 10, 1, 0, 0, 0)
    assert "never closes" in str(bounds([never]).to_plotly_json())
    assert sentence(never).startswith(
        "if readers are not all wrong alike, at most 50.0 % of such closings are wrong (95 %, 1 "
    )


def test_no_bound_is_shown_without_what_it_rests_on() -> None:
    readers = Bound("s", 0.034, 0.05, 9_450, 297, 2, 0, 12, told=40, unread_real=3)
    text = str(bounds([readers]).to_plotly_json())
    assert "if readers are not all wrong alike" in text
    assert "late truth on 40 of them, too few to tell" in text
    assert "3 that nobody read turned out real" in text
    truth = replace(readers, told=290, by_truth=True)
    text = str(bounds([truth]).to_plotly_json())
    assert "late truth bears it out" in text
    assert "if readers are not" not in text
    assert sentence(truth) == (
        "at most 3.4 % of such closings are wrong (95 %, 297 audits, 2 wrong, late truth on 290)"
    )


def test_an_audit_says_whether_late_truth_has_spoken(board: Board) -> None:
    board.sign_in()
    audited(board.desk)
    one, *_ = board.desk.store.audits(None, 10)
    board.desk.tell(TruthReport(id="cb", candidate_id=one.candidate_id, real=True))
    rows = board.client.get("/api/v1/audits").json()["audits"]
    assert sorted((row["truth"] is True, row["wrong"]) for row in rows) == [
        *((False, False), (False, False), (True, True)),
    ]
    table, _ = audits(board.desk.store.audits(None, 10), None, AT)
    assert str(table.to_plotly_json()).count("real: wrongly closed, by late truth") == 1
    file = board.client.get("/api/v1/export/audits").content.decode()
    lines = list(csv.DictReader(io.StringIO(file, newline="")))
    assert sorted(line["truth"] for line in lines) == ["", "", "1"]


def test_the_audits_are_listed_with_what_they_check(desk: Desk) -> None:
    assert "No audit has been answered yet" in str(audits([], None, AT))
    cluster_id = audited(desk)
    table, link = audits(desk.store.audits(None, 10), "pay/ments", AT)
    text = str(table.to_plotly_json())
    assert text.count("rightly closed") == 3
    assert f"/cluster/{cluster_id}" in text
    assert "/api/v1/export/audits?stream=pay%2Fments" in str(link.to_plotly_json())
