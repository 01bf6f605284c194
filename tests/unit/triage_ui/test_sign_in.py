from __future__ import annotations

from tests.support.cases import ANNA, AT
from tests.unit.triage_ui.conftest import Board


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
    headers = {"sec-fetch-site": "cross-site"}
    assert board.client.post("/sign-in", data={"token": token}, headers=headers).status_code == 403
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
    for body in (b"", b"\xff\xfe", b"token=" + b"a" * 50_000, b"&&&==;"):
        assert board.client.post("/sign-in", content=body).status_code == 401
