"""Which page a browser opens first: it comes with the layout, not by a callback of its own."""

from __future__ import annotations

from contextvars import ContextVar
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Receive, Scope, Send

LAYOUT = "/_dash-layout"
_PATH = ContextVar("first_path", default="")


def first_path() -> str:
    """Return the path of the page that the request under way wants with the layout, "" for none."""
    return _PATH.get()


class FirstPath:
    """Notes it for the time of a request for the layout: ``dash_fetch.js`` adds it there."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "http" and scope["path"] == LAYOUT:
            query = parse_qs(scope["query_string"].decode("latin-1"))
            _PATH.set(query.get("page", [""])[0])
        await self.app(scope, receive, send)
