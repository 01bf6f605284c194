"""One ASGI app: the gate in front, the API that writes, the board that reads, the live stream."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from triage.accounts import Accounts
from triage.advisor import Advisor, NoAdvisor
from triage.queries import Queries
from triage.store.base import AccessStore
from triage.views import Views
from triage_ui import api, bundle, problems, sign_in
from triage_ui.api import document
from triage_ui.board import build_board
from triage_ui.first_path import FirstPath
from triage_ui.gate import Gate, content_policy
from triage_ui.live import LiveHub
from triage_ui.pages import all_pages, page_at
from triage_ui.plain_page import plain_page
from triage_ui.services import Commands, Services
from triage_ui.settings import BoardSettings
from triage_ui.wire import Json

BACK = '<p><a href="/">Go to the queue</a></p>'


class PageAddresses:
    """Serves every page's address as "/": Dash does its setting-up for that one only.

    Which page it is the browser reads from its own address bar.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.pages = all_pages()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "http" and page_at(self.pages, scope["path"]) is not None:
            scope = {**scope, "path": "/", "raw_path": b"/"}
        await self.app(scope, receive, send)


def create_app(
    triage: Commands,
    queries: Queries,
    sessions: AccessStore,
    settings: BoardSettings,
    advisor: Advisor | None = None,
) -> FastAPI:
    """Return the whole board.

    Run it with ``serve``. ``app.state.hub`` is the live hub: ``close()`` it before shutdown when
    another server runs the app, because open streams never end by themselves.
    """
    hub = LiveHub(queries, settings)
    advisor = advisor or NoAdvisor()
    services = Services(triage, queries, hub, settings, advisor, Views(sessions))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await advisor.open()
        yield
        hub.close()
        await advisor.close()

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.state.hub = hub
    problems.install(app)

    @app.get("/health")
    async def health() -> JSONResponse:
        return JSONResponse({"status": "ok"}, headers={"cache-control": "no-store"})

    app.router.routes += sign_in.routes(sessions, Accounts(sessions), settings).routes
    routes = api.routes(services)

    @functools.cache
    def spec() -> Json:
        return document.document(routes)

    app.router.routes += [*routes, *document.routes(spec)]
    app.router.routes += bundle.routes()
    board = build_board(app, services)

    @app.get("/{path:path}")
    async def nothing(request: Request) -> Response:
        path = request.url.path
        if path.startswith(api.PREFIX):
            methods = document.methods_at(await run_in_threadpool(spec), path)
            if methods:
                return problems.problem(405, f"It takes {methods}.", headers={"allow": methods})
            return problems.problem(404, f"There is nothing at {path}.", problems.REMEDIES[404])
        return plain_page(settings.product, "There is no such page", BACK, 404)

    app.add_middleware(PageAddresses)
    app.add_middleware(FirstPath)
    app.add_middleware(
        Gate,
        store=sessions,
        clock=settings.clock,
        policy=content_policy(list(board.csp_hashes())),
        secure=settings.secure_cookies,
        observe=settings.observe,
    )
    return app
