from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from starlette.routing import Mount, Route, WebSocketRoute

from tests.support.cases import ANNA, AT, LEAD
from tests.support.data import REPOSITORY
from tests.unit.triage_ui.conftest import Board
from triage.model import Actor
from triage.tokens import Tokens
from triage_ui.gate import BODY_LIMIT, PUBLIC, SAFE

pytestmark = pytest.mark.slow

PAGES = ("/", "/cluster/abc", "/nowhere", "/?stream=payments")
MACHINES = (
    "/api/v1/queue",
    "/api/v1/status",
    "/api/v1/changes",
    "/api/v1/nothing",
    "/_dash-layout",
    "/_dash-dependencies",
    "/_dash-component-suites/dash/deps/react@18.v3_1_1m0.2.0.min.js",
    "/assets/css/0_tokens.css",
    "/assets/live_worker.js",
    "/_reload-hash",
    "/_favicon.ico",
)


def test_a_stranger_is_sent_from_a_page_to_sign_in(board: Board) -> None:
    for path in PAGES:
        answer = board.client.get(path)
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/sign-in")


def test_a_strangers_program_gets_401_with_the_remedy(board: Board) -> None:
    for path in MACHINES:
        answer = board.client.get(path)
        assert answer.status_code == 401, path
        assert answer.headers["content-type"] == "application/problem+json"
        assert "Sign in" in answer.json()["remedy"]


def every_route(board: Board) -> Iterator[tuple[str, str]]:
    for path, methods in board.served.app.openapi()["paths"].items():
        yield from ((method.upper(), path) for method in methods)
    for route in board.served.app.routes:
        if isinstance(route, (Route, Mount)):
            for method in getattr(route, "methods", None) or {"GET"}:
                yield method, route.path or "/"


def test_no_route_is_open_but_the_public_ones(board: Board) -> None:
    routes = set(every_route(board))
    assert ("POST", "/api/v1/verdicts/{verdict_id}/undo") in routes
    assert ("POST", "/_dash-update-component") in routes
    for method, pattern in routes:
        path = re.sub(r"{[^}]*}", "x", pattern)
        if path not in PUBLIC:
            answer = board.client.request(method, path)
            assert answer.status_code in (303, 401), (method, path, answer.status_code)


def test_no_asset_is_open(board: Board) -> None:
    folder = REPOSITORY / "triage_ui" / "assets"
    paths = [f"/assets/{file.relative_to(folder)}" for file in folder.rglob("*") if file.is_file()]
    board.sign_in()
    page = board.client.get("/").text
    loaded = re.findall(r'(?:src|href)="(/(?:assets|_dash)[^"]+)"', page)
    assert len(paths) > 20
    assert len([path for path in loaded if path.startswith("/_dash-component-suites/")]) > 5
    for path in loaded:
        assert board.client.get(path).status_code == 200, path
    board.client.cookies.clear()
    for path in (*paths, *loaded):
        assert board.client.get(path).status_code in (303, 401), path


def test_no_websocket_is_open_to_anybody(board: Board) -> None:
    upgrade = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        "origin": "https://evil.example",
    }
    sockets = [r.path for r in board.served.app.routes if isinstance(r, WebSocketRoute)]
    for path in ("/", "/api/v1/changes", "/_dash-ws-callback", *sockets):
        answer = board.client.get(path, headers=upgrade)
        assert answer.status_code in (303, 401, 403), (path, answer.status_code)
        board.sign_in()
        signed_in = board.client.get("/_dash-ws-callback", headers=upgrade)
        assert signed_in.status_code in (403, 404), path
        board.client.cookies.clear()


def test_no_route_writes_without_the_sessions_token(board: Board) -> None:
    routes = set(every_route(board))
    board.sign_in()
    del board.client.headers["x-csrftoken"]
    writes = [(method, path) for method, path in routes if method not in SAFE]
    assert len(writes) > 8
    for method, pattern in writes:
        path = re.sub(r"{[^}]*}", "x", pattern)
        if path not in PUBLIC:
            answer = board.client.request(method, path, json={})
            assert answer.status_code == 403, (method, path, answer.status_code)


def test_health_is_public_and_tells_nothing(board: Board) -> None:
    answer = board.client.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_docs_are_off(board: Board) -> None:
    board.sign_in()
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert board.client.get(path).status_code == 404


def bearer(board: Board, role: str = "lead") -> dict[str, str]:
    token = Tokens(board.desk.store).add("siem", role, 1, LEAD, AT)
    return {"authorization": f"Bearer {token}"}


def test_a_token_reads_and_writes_without_a_cookie(board: Board) -> None:
    cluster = board.desk.cluster(2)
    headers = bearer(board) | {"idempotency-key": "k"}
    path = f"/api/v1/clusters/{cluster}"
    detail = board.client.get(path, headers=headers).json()
    read = [member["candidate_id"] for member in detail["members"]]
    sent = {"kind": "real", "revision": detail["row"]["revision"], "read": read}
    answer = board.client.post(f"{path}/verdicts", json=sent, headers=headers)
    assert (answer.status_code, answer.json()["actor"]) == (201, "token/siem")


def test_a_token_may_do_what_its_role_may(board: Board) -> None:
    headers = bearer(board, "viewer") | {"idempotency-key": "k"}
    sent = {"kind": "real", "revision": 1, "read": ["x"]}
    path = f"/api/v1/clusters/{board.desk.cluster(2)}/verdicts"
    assert board.client.post(path, json=sent, headers=headers).status_code == 403


def test_a_token_opens_the_api_alone(board: Board) -> None:
    headers = bearer(board)
    assert board.client.get("/api/v1/openapi.json", headers=headers).status_code == 200
    for path in ("/", "/_dash-layout", "/assets/css/0_tokens.css"):
        assert board.client.get(path, headers=headers).status_code in (303, 401)
    assert board.client.post("/sign-out", headers=headers).status_code == 401


def test_a_token_that_does_not_work_is_refused_whatever_the_cookie(board: Board) -> None:
    board.sign_in()
    for token in ("guess", "triage_guess", "ä".encode().decode("latin-1")):
        headers = [(b"authorization", f"Bearer {token}".encode("latin-1"))]
        answer = board.client.get("/api/v1/queue", headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert "lead" in answer.json()["remedy"]


def test_a_stream_ends_with_its_token(board: Board) -> None:
    headers = bearer(board)
    with board.client.stream("GET", "/api/v1/changes", headers=headers) as stream:
        parts = stream.iter_text()
        next(parts)
        Tokens(board.desk.store).revoke("siem", LEAD, AT)
        for _ in parts:
            pass  # ends by itself at the next ping


def test_a_method_that_an_address_does_not_take_is_405(board: Board) -> None:
    board.sign_in()
    for method, path in (("GET", "rollbacks"), ("GET", "truth/retract"), ("PUT", "queue")):
        answer = board.client.request(method, f"/api/v1/{path}")
        assert answer.status_code == 405, path
        assert answer.headers["allow"] in ("GET", "POST")
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_write_without_the_sessions_token_is_refused(board: Board) -> None:
    board.sign_in()
    del board.client.headers["x-csrftoken"]
    for sent in (None, "", "0" * 64, "ä"):
        headers = [] if sent is None else [(b"x-csrftoken", sent.encode())]
        for path in ("/api/v1/clusters/x/verdicts", "/_dash-update-component", "/sign-out"):
            answer = board.client.post(path, json={}, headers=headers)
            assert answer.status_code == 403, (path, sent)
            assert "X-CSRFToken" in answer.json()["remedy"]


def test_a_token_of_another_session_is_no_token(board: Board) -> None:
    board.sign_in()
    other = board.client.cookies["_csrf_token"]
    board.client.cookies.clear()
    board.sign_in()
    answer = board.client.post("/sign-out", headers={"x-csrftoken": other})
    assert answer.status_code == 403


def test_a_body_has_a_limit_and_a_length(board: Board) -> None:
    board.sign_in()
    large = board.client.post("/api/v1/clusters/x/verdicts", content=b" " * (BODY_LIMIT + 1))
    assert large.status_code == 413
    chunks = board.client.post("/api/v1/clusters/x/verdicts", content=iter([b"{}"]))
    assert chunks.status_code == 411


def test_every_answer_has_the_security_headers(board: Board) -> None:
    for path in ("/health", "/sign-in", "/", "/api/v1/queue"):
        headers = board.client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-eval" not in policy
        assert "'unsafe-inline'" not in policy.split("style-src")[0]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "strict-transport-security" not in headers


def test_inline_scripts_are_allowed_by_hash_only(board: Board) -> None:
    board.sign_in()
    answer = board.client.get("/")
    assert "sha256-" in answer.headers["content-security-policy"]
    assert "http://" not in answer.text.replace("http://127.0.0.1", "")
    assert "https://" not in answer.text.split("_dash-config")[0]


def test_a_role_that_may_not_read_gets_nothing(board: Board) -> None:
    board.sign_in(Actor("eve", "stranger"))
    answer = board.client.get("/api/v1/queue")
    assert answer.status_code == 403
    assert "eve (stranger)" in answer.json()["detail"]


def test_signing_out_ends_the_session(board: Board) -> None:
    board.sign_in()
    session = board.client.cookies["triage_session"]
    assert board.client.post("/sign-out").status_code == 204
    board.client.cookies.set("triage_session", session)
    assert board.client.get("/api/v1/queue").status_code == 401


def test_a_session_ends_after_its_time(board: Board) -> None:
    board.sign_in()
    board.clock.now += 13 * 3600
    assert board.client.get("/api/v1/queue").status_code == 401


def test_a_page_that_is_none_says_404(board: Board) -> None:
    board.sign_in()
    assert board.client.get("/").status_code == 200
    assert board.client.get("/cluster/abc").status_code == 200
    assert board.client.get("/nowhere").status_code == 404
    assert board.client.get("/assets/none.css").status_code == 404
    assert board.client.get("/api/v1/none").status_code == 404


def test_the_first_request_may_be_for_a_cluster(board: Board) -> None:
    board.sign_in(ANNA)
    page = board.client.get("/cluster/abc").text
    assert "assets/js/board.js" in page
    assert "live_worker.js" not in page


def test_own_scripts_and_styles_come_in_one_file_each(board: Board) -> None:
    board.sign_in()
    page = board.client.get("/").text
    for kind, first, last in (("css", "0_tokens", "7_lists"), ("js", "0_core", "z_start")):
        (address,) = re.findall(rf'"(/assets/{kind}/[^"]+)"', page)
        answer = board.client.get(address)
        assert "immutable" in answer.headers["cache-control"]
        for other in (address.replace("m=", "m=0"), address.partition("?")[0]):
            assert board.client.get(other).headers["cache-control"] == "no-store"
        folder = REPOSITORY / "triage_ui" / "assets" / kind
        each = [file.read_text("utf-8") for file in sorted(folder.iterdir())]
        assert answer.text == "\n".join(each)
        assert each[0] == (folder / f"{first}.{kind}").read_text("utf-8")
        assert each[-1] == (folder / f"{last}.{kind}").read_text("utf-8")


def test_the_first_page_comes_with_the_layout(board: Board) -> None:
    board.sign_in()

    def layout(query: str) -> str:
        return board.client.get(f"/_dash-layout{query}").text

    assert '"queue-grid"' in layout("?page=/")
    assert '"queue-grid"' not in layout("?page=/cluster/abc")
    assert "cluster-head" in layout("?page=/cluster/abc")
    assert "There is no such page" in layout("?page=/nowhere%00%22")
    for none in ("", "?page=", "?other=/"):  # Dash asks for it then
        assert '"queue-grid"' not in layout(none)
        assert "There is no such page" not in layout(none)
