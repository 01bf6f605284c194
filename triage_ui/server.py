"""One ASGI app: the gate in front, the API that writes, the board that reads, the live stream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from triage.queries import Queries
from triage.store.base import SessionStore
from triage_ui import api, problems, sign_in
from triage_ui.board import build_board
from triage_ui.gate import Gate, content_policy
from triage_ui.live import LiveHub
from triage_ui.pages import all_pages, page_at
from triage_ui.services import Commands, Services
from triage_ui.settings import BoardSettings


def create_app(
    triage: Commands, queries: Queries, sessions: SessionStore, settings: BoardSettings
) -> FastAPI:
    """Return the whole board.

    Run it with ``serve``. ``app.state.hub`` is the live hub: ``close()`` it before shutdown when
    another server runs the app, because open streams never end by themselves.
    """
    hub = LiveHub(queries, settings)
    services = Services(triage, queries, hub, settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        hub.close()

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.state.hub = hub
    problems.install(app)

    @app.get("/health")
    async def health() -> JSONResponse:
        return JSONResponse({"status": "ok"}, headers={"cache-control": "no-store"})

    app.include_router(sign_in.routes(sessions, settings))
    app.include_router(api.routes(services))
    board = build_board(app, services)
    pages = all_pages()

    @app.get("/{path:path}")
    async def page(request: Request) -> Response:
        """Serve every other address: a page, or the page that says there is none."""
        path = request.url.path
        if path.startswith(api.PREFIX):
            return problems.problem(404, f"There is nothing at {path}.", problems.REMEDIES[404])
        known = page_at(pages, path) is not None
        return HTMLResponse(board.index(), 200 if known else 404, {"cache-control": "no-store"})

    app.add_middleware(
        Gate,
        sessions=sessions,
        clock=settings.clock,
        policy=content_policy(list(board.csp_hashes())),
        secure=settings.secure_cookies,
    )
    return app
