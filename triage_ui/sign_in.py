"""Signing in and out: by name and password, or by a link.

A link only shows a page; what uses it up is the button there. So a chat program that previews the
link doesn't burn it. Another way in (an identity provider) would be a route here that ends, like
these, with ``SessionStore.open_session`` and ``_Door._enter``.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import Mapping
from importlib.resources import files
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, RedirectResponse, Response

from triage.accounts import Accounts
from triage.errors import Invalid, NotSignedIn, Refused, TooMany
from triage.store.base import SessionStore
from triage_ui import sign_in_pages as pages
from triage_ui.problems import problem
from triage_ui.services import in_thread
from triage_ui.sessions import CSRF_COOKIE, SESSION_COOKIE, csrf_token
from triage_ui.settings import BoardSettings

log = logging.getLogger("triage.sign_in")

FONT = files("triage_ui") / "assets" / "fonts" / "inter-latin-wght-normal.woff2"
FORM_LIMIT = 10_000
"""Bytes; two passwords and an address of this host."""
HASHING = 2
"""Passwords compared at the same time: each takes 64 MB."""
UNEQUAL = "The two new passwords differ."


def routes(sessions: SessionStore, accounts: Accounts, settings: BoardSettings) -> APIRouter:
    """Return the routes under ``/sign-in`` and ``/sign-out``."""
    router = APIRouter(include_in_schema=False)
    door = _Door(sessions, accounts, settings)
    for method, path, endpoint in (
        ("GET", "/sign-in", door.show),
        ("POST", "/sign-in", door.sign_in),
        ("GET", "/sign-in/password", door.show_choose),
        ("POST", "/sign-in/password", door.choose),
        ("GET", "/sign-in/change", door.show_change),
        ("POST", "/sign-in/change", door.change),
        ("POST", "/sign-out", door.leave),
        ("GET", "/sign-in/inter.woff2", door.font),
    ):
        router.add_api_route(path, endpoint, methods=[method])
    return router


class _Door:
    """What the routes do."""

    def __init__(self, sessions: SessionStore, accounts: Accounts, settings: BoardSettings) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._settings = settings
        self._hashing = asyncio.Semaphore(HASHING)

    async def show(self, request: Request) -> Response:
        token, target = _asked(request)
        if token:
            return pages.link(self._settings, token, target)
        return pages.sign_in(self._settings, target)

    async def sign_in(self, request: Request) -> Response:
        fields = await _fields(request)
        if fields is None:
            return _foreign()
        target = _local(fields.get("next", "/"))
        if "name" not in fields:
            secret = await in_thread(self._sessions.redeem, fields.get("token", ""), self._now())
            return self._enter(secret, target) if secret else pages.used(self._settings)
        name, password = _name(fields), fields.get("password", "")
        try:
            async with self._hashing:
                secret = await in_thread(
                    self._accounts.sign_in, name, password, _from(request), self._now()
                )
        except (NotSignedIn, TooMany) as error:
            page = pages.sign_in(self._settings, target, name, _said(error))
            return _refused(error, request, page)
        return self._enter(secret, target)

    async def show_choose(self, request: Request) -> Response:
        token, target = _asked(request)
        return await self._choose_page(token, target)

    async def choose(self, request: Request) -> Response:
        fields = await _fields(request)
        if fields is None:
            return _foreign()
        token, target = fields.get("token", ""), _local(fields.get("next", "/"))
        try:
            new = _new_password(fields)
            async with self._hashing:
                secret = await in_thread(self._accounts.choose_password, token, new, self._now())
        except NotSignedIn:
            return pages.used(self._settings)
        except Invalid as error:
            return await self._choose_page(token, target, str(error))
        return self._enter(secret, target)

    async def show_change(self) -> Response:
        return pages.change(self._settings)

    async def change(self, request: Request) -> Response:
        fields = await _fields(request)
        if fields is None:
            return _foreign()
        name, old = _name(fields), fields.get("password", "")
        try:
            new = _new_password(fields)
            async with self._hashing:
                secret = await in_thread(
                    self._accounts.change_password, name, old, new, _from(request), self._now()
                )
        except (NotSignedIn, TooMany, Invalid) as error:
            return _refused(error, request, pages.change(self._settings, name, _said(error)))
        return self._enter(secret, "/")

    async def leave(self, request: Request) -> Response:
        await in_thread(self._sessions.end, request.state.session, self._now())
        answer = Response(status_code=204)
        for name in (SESSION_COOKIE, CSRF_COOKIE):
            answer.delete_cookie(name)
        return answer

    async def font(self) -> Response:
        return FileResponse(str(FONT), headers={"cache-control": "public, max-age=86400"})

    async def _choose_page(self, token: str, target: str, wrong: str = "") -> Response:
        name = await in_thread(self._accounts.owner_of_link, token, self._now())
        if name is None:
            return pages.used(self._settings)
        return pages.choose(self._settings, name, token, target, wrong)

    def _enter(self, secret: str, target: str) -> Response:
        answer = RedirectResponse(target, 303)
        secure = self._settings.secure_cookies
        answer.set_cookie(SESSION_COOKIE, secret, httponly=True, samesite="lax", secure=secure)
        answer.set_cookie(CSRF_COOKIE, csrf_token(secret), samesite="lax", secure=secure)
        return answer

    def _now(self) -> float:
        return self._settings.clock()


async def _fields(request: Request) -> Mapping[str, str] | None:
    """Return the form's fields, None if a page of another site sent it."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return None
    text = (await _body(request)).decode("utf-8", "replace")
    return {name: values[0] for name, values in parse_qs(text, keep_blank_values=True).items()}


async def _body(request: Request) -> bytes:
    """Return the start of the body: what is longer than a form is no form."""
    read = b""
    async for chunk in request.stream():
        read += chunk
        if len(read) > FORM_LIMIT:
            break
    return read[:FORM_LIMIT]


def _foreign() -> Response:
    return problem(403, "Another site sent this form.", "Open the page itself.")


def _asked(request: Request) -> tuple[str, str]:
    """Return the token and the target that an address names."""
    query = request.query_params
    return query.get("token", "")[:FORM_LIMIT], _local(query.get("next", "/"))


def _name(fields: Mapping[str, str]) -> str:
    """Return the account's name; phones begin it with a capital."""
    return fields.get("name", "").strip().lower()


def _new_password(fields: Mapping[str, str]) -> str:
    if fields.get("new", "") != fields.get("again", ""):
        raise Invalid(UNEQUAL)
    return fields.get("new", "")


def _said(error: Refused) -> str:
    if isinstance(error, TooMany):
        minutes = max(1, round(error.wait_s / 60))
        return f"{error} Try again in {minutes} minute{'s' if minutes > 1 else ''}."
    return str(error)


def _refused(error: Refused, request: Request, page: Response) -> Response:
    """Return the page with the error's status, and note where the try came from."""
    if isinstance(error, TooMany):
        page.status_code = 429
        page.headers["retry-after"] = str(int(error.wait_s) + 1)
        log.warning("too many tries to sign in from %s", _from(request))
    elif isinstance(error, NotSignedIn):
        page.status_code = 401
        log.info("refused to sign in from %s", _from(request))
    else:
        page.status_code = 422
    return page


def _from(request: Request) -> str:
    """Return the network that tries are counted by: an IPv6 host has 2**64 addresses."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    bits = 64 if address.version == 6 else 32
    return str(ipaddress.ip_network(f"{host}/{bits}", strict=False).network_address)


def _local(target: str) -> str:
    """Return the address if it is one of this host, else the queue's."""
    safe = target.startswith("/") and not target.startswith("//") and "\\" not in target
    return target if safe and target.isprintable() else "/"
