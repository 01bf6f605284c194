"""The gate: nothing behind it is reached without a session, nothing is changed without its token.

Programs bring a bearer token instead: no browser sends one by itself, so it needs no second.

A plain ASGI middleware, because Dash's own ``before_request`` sees neither pages nor assets nor the
API on this backend. It also puts the security headers on every answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from triage.access import Action, allowed
from triage.errors import Retry
from triage.store.base import AccessStore
from triage_ui.actor import CURRENT
from triage_ui.problems import REMEDIES, problem
from triage_ui.sessions import CSRF_HEADER, SESSION_COOKIE, csrf_matches

PUBLIC = frozenset(
    {"/health", "/sign-in", "/sign-in/password", "/sign-in/change", "/sign-in/inter.woff2"}
)
API = "/api/"
MACHINE = (API, "/_dash", "/assets/", "/_reload", "/_favicon", "/sign-out")
"""Paths that programs ask for: they get 401, not the sign-in page."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
NO_CSRF = "The request doesn't carry this session's token."
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

    ``script_hashes`` allow Dash's few inline scripts. Styles may be inline: AG Grid and
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
        store: AccessStore,
        clock: Callable[[], float],
        policy: str,
        secure: bool,
        observe: Callable[[int, float], None],
    ) -> None:
        self.app = app
        self.store = store
        self.clock = clock
        self.observe = observe
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
        token = _bearer(scope)
        session = "" if token else HTTPConnection(scope).cookies.get(SESSION_COOKIE, "")
        who = self.store.token if token else self.store.session
        lasts = self.store.token_lasts if token else self.store.lasts
        secret = token or session
        try:
            actor = await asyncio.to_thread(who, secret, self.clock()) if secret else None
        except Retry as error:
            return problem(503, str(error), REMEDIES[503])
        if actor is None:
            return _anonymous(scope, token)
        if not allowed(actor, Action.READ):
            return problem(403, f"{actor.name} ({actor.role}) may not read", REMEDIES[403])
        lasting = partial(lasts, secret)
        scope.setdefault("state", {}).update(session=session, lasting=lasting)
        CURRENT.set(actor)
        if scope["method"] in SAFE:
            return None
        if not token and not csrf_matches(session, Headers(scope=scope).get(CSRF_HEADER)):
            return problem(403, NO_CSRF, "Send the cookie _csrf_token's value as X-CSRFToken.")
        return _check_body(scope)

    def _with_headers(self, send: Send, cache: str) -> Send:
        begun = self.clock()

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.observe(message["status"], max(0.0, self.clock() - begun))
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


def _bearer(scope: Scope) -> str:
    """Return the token that the request brings; pages and Dash take none."""
    if not scope["path"].startswith(API):
        return ""
    scheme, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _anonymous(scope: Scope, token: str) -> Response:
    path = scope["path"]
    if token:
        return problem(401, "This token doesn't work (any more).", "Ask a lead for a new one.")
    if scope["method"] not in SAFE or path.startswith(MACHINE):
        return problem(401, "You are not signed in.", "Sign in, then try again.")
    query = scope["query_string"].decode("latin-1")
    target = quote(f"{path}?{query}" if query else path, safe="/")
    return RedirectResponse(f"/sign-in?next={target}" if target != "/" else "/sign-in", 303)


def _check_body(scope: Scope) -> Response | None:
    headers = Headers(scope=scope)
    length = headers.get("content-length", "0" if "transfer-encoding" not in headers else "")
    if not length.isdecimal():
        return problem(411, "The request doesn't say how long it is.", "Send a Content-Length.")
    if int(length) > BODY_LIMIT:
        return problem(413, f"At most {BODY_LIMIT:,} bytes are read.", "Send less at once.")
    return None
