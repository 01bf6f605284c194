"""The gate: nothing behind it is reached without a session, nothing is changed without its token.

A plain ASGI middleware, because Dash's own ``before_request`` sees neither pages nor assets nor the
API on this backend. It also puts the security headers on every answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from triage.access import Action, allowed
from triage.errors import Retry
from triage.model import Actor
from triage.store.base import SessionStore
from triage_ui.actor import CURRENT
from triage_ui.problems import REMEDIES, problem
from triage_ui.sessions import CSRF_HEADER, SESSION_COOKIE, csrf_matches

PUBLIC = frozenset(
    {"/health", "/sign-in", "/sign-in/password", "/sign-in/change", "/sign-in/inter.woff2"}
)
MACHINE = ("/api/", "/_dash", "/assets/", "/_reload", "/_favicon", "/sign-out")
"""Paths that programs ask for: they get 401, not the sign-in page."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
BODY_LIMIT = 1_000_000
"""Bytes; the largest honest body is a Dash callback with a few dozen kB."""

HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def content_policy(script_hashes: list[str]) -> str:
    """Return the Content-Security-Policy: this host and nothing else.

    ``script_hashes`` allow Dash's few inline scripts. Styles may be inline: Mantine, AG Grid and
    plotly write them at run time.
    """
    scripts = " ".join(["'self'", *script_hashes])
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {scripts}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


class Gate:
    """Lets a request through, or answers it: 303 or 401 (who?), 403 (token, role), 411, 413."""

    def __init__(
        self,
        app: ASGIApp,
        sessions: SessionStore,
        clock: Callable[[], float],
        policy: str,
        secure: bool,
    ) -> None:
        self.app = app
        self.sessions = sessions
        self.clock = clock
        self.headers = HEADERS | {"content-security-policy": policy}
        if secure:
            self.headers["strict-transport-security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # the board uses none
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        guarded = self._with_headers(send, _cache(scope))
        answer = None if scope["path"] in PUBLIC else await self._check(scope)
        await (answer or self.app)(scope, receive, guarded)

    async def _check(self, scope: Scope) -> Response | None:
        """Return the refusal, or None after noting who asks."""
        session = HTTPConnection(scope).cookies.get(SESSION_COOKIE, "")
        try:
            actor = await self._actor(session)
        except Retry as error:
            return problem(503, str(error), REMEDIES[503])
        if actor is None:
            return _anonymous(scope)
        if not allowed(actor, Action.READ):
            return problem(403, f"{actor.name} ({actor.role}) may not read", REMEDIES[403])
        scope.setdefault("state", {})["session"] = session
        CURRENT.set(actor)
        return None if scope["method"] in SAFE else _check_write(scope, session)

    async def _actor(self, session: str) -> Actor | None:
        if not session:
            return None
        return await asyncio.to_thread(self.sessions.session, session, self.clock())

    def _with_headers(self, send: Send, cache: str) -> Send:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", cache)
            await send(message)

        return guarded


def _cache(scope: Scope) -> str:
    """Return how long an answer may be kept: assets whose address names their version, for ever."""
    versioned = scope["path"].startswith("/assets/") and scope["query_string"].startswith(b"m=")
    return "private, max-age=31536000, immutable" if versioned else "private, no-cache"


def _anonymous(scope: Scope) -> Response:
    path = scope["path"]
    if scope["method"] not in SAFE or path.startswith(MACHINE):
        return problem(401, "You are not signed in.", "Sign in, then try again.")
    query = scope["query_string"].decode("latin-1")
    target = quote(f"{path}?{query}" if query else path, safe="/")
    return RedirectResponse(f"/sign-in?next={target}" if target != "/" else "/sign-in", 303)


def _check_write(scope: Scope, session: str) -> Response | None:
    headers = Headers(scope=scope)
    if not csrf_matches(session, headers.get(CSRF_HEADER)):
        return problem(
            403,
            "The request doesn't carry this session's token.",
            "Send the value of the cookie _csrf_token in the header X-CSRFToken.",
        )
    length = headers.get("content-length", "0" if "transfer-encoding" not in headers else "")
    if not length.isdecimal():
        return Response("Length required", 411)
    if int(length) > BODY_LIMIT:
        return problem(413, f"At most {BODY_LIMIT:,} bytes are read.", "Send less at once.")
    return None
