"""The sign-in page. A link shows it, only its button uses the link up.

So a chat program that previews the link doesn't burn it.
"""

from __future__ import annotations

import asyncio
from html import escape
from importlib.resources import files
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, RedirectResponse, Response

from triage.store.base import SessionStore
from triage_ui.plain_page import plain_page
from triage_ui.problems import problem
from triage_ui.sessions import CSRF_COOKIE, SESSION_COOKIE, csrf_token
from triage_ui.settings import BoardSettings

FONT = files("triage_ui") / "assets" / "fonts" / "inter-latin-wght-normal.woff2"
FORM_LIMIT = 10_000
"""Bytes; a token and an address of this host."""
NO_LINK = "You need a sign-in link"
USED_LINK = "This link no longer works"


def routes(sessions: SessionStore, settings: BoardSettings) -> APIRouter:
    """Return the routes under ``/sign-in`` and ``/sign-out``."""
    router = APIRouter(include_in_schema=False)

    def say(heading: str, body: str, status: int = 200) -> Response:
        return plain_page(settings.product, heading, body, status)

    @router.get("/sign-in")
    async def show(request: Request) -> Response:
        token = request.query_params.get("token", "")[:FORM_LIMIT]
        target = _local(request.query_params.get("next", "/"))
        if token:
            return say("Sign in to the board", _button(token, target))
        return say(NO_LINK, _help(settings, "The board has no passwords."))

    @router.post("/sign-in")
    async def redeem(request: Request) -> Response:
        if request.headers.get("sec-fetch-site") == "cross-site":
            return problem(403, "Another site sent this form.", "Open the link itself.")
        fields = parse_qs((await _body(request)).decode("utf-8", "replace"))
        token = fields.get("token", [""])[0]
        secret = await asyncio.to_thread(sessions.redeem, token, settings.clock())
        if secret is None:
            return say(USED_LINK, _help(settings, "A link works once, for a time."), 401)
        answer = RedirectResponse(_local(fields.get("next", ["/"])[0]), 303)
        _set_cookies(answer, secret, settings.secure_cookies)
        return answer

    @router.post("/sign-out")
    async def leave(request: Request) -> Response:
        await asyncio.to_thread(sessions.end, request.state.session, settings.clock())
        answer = Response(status_code=204)
        for name in (SESSION_COOKIE, CSRF_COOKIE):
            answer.delete_cookie(name)
        return answer

    @router.get("/sign-in/inter.woff2")
    async def font() -> Response:
        return FileResponse(str(FONT), headers={"cache-control": "public, max-age=86400"})

    return router


async def _body(request: Request) -> bytes:
    """Return the start of the body: what is longer than a form is no form."""
    read = b""
    async for chunk in request.stream():
        read += chunk
        if len(read) > FORM_LIMIT:
            break
    return read[:FORM_LIMIT]


def _local(target: str) -> str:
    """Return the address if it is one of this host, else the queue's."""
    safe = target.startswith("/") and not target.startswith("//") and "\\" not in target
    return target if safe and target.isprintable() else "/"


def _set_cookies(answer: Response, secret: str, secure: bool) -> None:
    answer.set_cookie(SESSION_COOKIE, secret, httponly=True, samesite="lax", secure=secure)
    answer.set_cookie(CSRF_COOKIE, csrf_token(secret), samesite="lax", secure=secure)


def _button(token: str, target: str) -> str:
    return (
        '<form method="post" action="/sign-in">'
        f'<input type="hidden" name="token" value="{escape(token)}">'
        f'<input type="hidden" name="next" value="{escape(target)}">'
        '<button type="submit" autofocus>Continue</button></form>'
        "<p>This link signs in this browser, once.</p>"
    )


def _help(settings: BoardSettings, first: str) -> str:
    text = escape(settings.sign_in_help)
    while text.count("`") >= 2:
        text = text.replace("`", "<code>", 1).replace("`", "</code>", 1)
    return f"<p>{escape(first)} {text}</p>"
