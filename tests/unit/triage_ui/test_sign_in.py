from __future__ import annotations

import pytest

from tests.support.cases import ANNA, AT, LEAD
from tests.unit.triage_ui.conftest import Board
from triage.accounts import PER_ACCOUNT, Accounts

pytestmark = pytest.mark.slow


def link(board: Board) -> str:
    return board.desk.store.new_sign_in(ANNA, AT, 600)


def test_looking_at_a_link_does_not_use_it_up(board: Board) -> None:
    token = link(board)
    for _ in range(3):
        page = board.client.get(f"/sign-in?token={token}")
        assert page.status_code == 200
        assert "set-cookie" not in page.headers
        assert page.headers["referrer-policy"] == "no-referrer"
    answer = board.client.post("/sign-in", data={"token": token})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_a_link_works_once_and_says_what_to_do_then(board: Board) -> None:
    token = link(board)
    board.client.post("/sign-in", data={"token": token})
    again = board.client.post("/sign-in", data={"token": token})
    assert again.status_code == 401
    assert "<code>triage sign-in</code>" in again.text


def test_an_old_link_no_longer_works(board: Board) -> None:
    token = link(board)
    board.clock.now += 601
    assert board.client.post("/sign-in", data={"token": token}).status_code == 401


def test_cookies_are_for_this_host_and_not_for_scripts(board: Board) -> None:
    answer = board.client.post("/sign-in", data={"token": link(board)})
    cookies = answer.headers.get_list("set-cookie")
    session = next(cookie for cookie in cookies if cookie.startswith("triage_session"))
    token = next(cookie for cookie in cookies if cookie.startswith("_csrf_token"))
    assert "HttpOnly" in session
    assert "HttpOnly" not in token
    assert all("SameSite=lax" in cookie and "Domain" not in cookie for cookie in cookies)


def test_a_form_of_another_site_is_refused(board: Board) -> None:
    token = link(board)
    for site in ("cross-site", "same-site"):
        for path in ("/sign-in", "/sign-in/password", "/sign-in/change"):
            sent = {"token": token, "name": "anna", "password": "x"}
            answer = board.client.post(path, data=sent, headers={"sec-fetch-site": site})
            assert answer.status_code == 403
    answer = board.client.post("/sign-in", data={"token": token})
    assert answer.status_code == 303


def test_after_signing_in_it_goes_to_this_host_only(board: Board) -> None:
    asked_and_given = {
        "/cluster/a": "/cluster/a",
        "/?stream=payments": "/?stream=payments",
        "//evil.example": "/",
        "https://evil.example": "/",
        "/\\evil.example": "/",
        "/a\r\nset-cookie: x=y": "/",
        "": "/",
    }
    for asked, given in asked_and_given.items():
        answer = board.client.post("/sign-in", data={"token": link(board), "next": asked})
        assert answer.headers["location"] == given


def test_what_is_in_the_address_is_no_markup(board: Board) -> None:
    page = board.client.get('/sign-in?token="><script>alert(1)</script>&next=/"onclick=x').text
    assert "<script" not in page
    assert '"onclick' not in page


def test_a_broken_form_is_an_unknown_link(board: Board) -> None:
    for body in (b"", b"\xff\xfe", b"token=" + b"a" * 50_000, b"&&&==;", b"name=%00&password"):
        assert board.client.post("/sign-in", content=body).status_code == 401


WORDS = "seven quiet otters"


def account(board: Board, name: str = "zoe") -> Accounts:
    accounts = Accounts(board.desk.store)
    token = accounts.add(name, "analyst", LEAD, AT)
    sent = {"token": token, "new": WORDS, "again": WORDS, "next": "/detectors"}
    answer = board.client.post("/sign-in/password", data=sent)
    assert (answer.status_code, answer.headers["location"]) == (303, "/detectors")
    return accounts


def test_a_chosen_password_signs_in(board: Board) -> None:
    account(board)
    assert board.client.get("/api/v1/status").json()["actor"]["name"] == "zoe"
    board.client.cookies.clear()
    sent = {"name": " Zoe ", "password": WORDS, "next": "//evil.example"}
    answer = board.client.post("/sign-in", data=sent)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert board.client.get("/api/v1/status").json()["actor"]["role"] == "analyst"


def test_a_wrong_password_and_an_unknown_name_get_the_same_page(board: Board) -> None:
    account(board)
    board.client.cookies.clear()
    pages = []
    for name in ("zoe", "nobody"):
        answer = board.client.post("/sign-in", data={"name": name, "password": "x"})
        assert (answer.status_code, "set-cookie" in answer.headers) == (401, False)
        pages.append(answer.text.replace(name, "NAME"))
    assert pages[0] == pages[1]


def test_too_many_tries_are_answered_with_the_time_to_wait(board: Board) -> None:
    account(board)
    for _ in range(PER_ACCOUNT.tries):
        board.client.post("/sign-in", data={"name": "zoe", "password": "x"})
    for path in ("/sign-in", "/sign-in/change"):
        sent = {"name": "zoe", "password": WORDS, "new": WORDS, "again": WORDS}
        answer = board.client.post(path, data=sent)
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["retry-after"]) <= 100
        assert "Try again in" in answer.text
    board.clock.now += 100
    answer = board.client.post("/sign-in", data={"name": "zoe", "password": WORDS})
    assert answer.status_code == 303


def test_a_password_link_is_used_up_by_its_button_alone(board: Board) -> None:
    token = Accounts(board.desk.store).add("zoe", "analyst", LEAD, AT)
    path = f"/sign-in/password?token={token}"
    sent = {"token": token, "new": "short", "again": "short"}
    assert board.client.get(path).status_code == 200
    assert board.client.post("/sign-in/password", data=sent).status_code == 422
    assert "differ" in board.client.post("/sign-in/password", data={**sent, "again": ""}).text
    sent |= {"new": WORDS, "again": WORDS}
    assert board.client.post("/sign-in/password", data=sent).status_code == 303
    assert board.client.post("/sign-in/password", data=sent).status_code == 401
    used = board.client.get(path)
    assert (used.status_code, "zoe" in used.text) == (401, False)


def test_a_disabled_account_is_out_at_its_next_request(board: Board) -> None:
    accounts = account(board)
    assert board.client.get("/api/v1/status").status_code == 200
    accounts.disable("zoe", LEAD, AT)
    assert board.client.get("/api/v1/status").status_code == 401
    assert board.client.get("/").status_code == 303
