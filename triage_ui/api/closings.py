"""``/closings`` and ``/audits``: what left the queue unread, and what blind reads say of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from triage_ui.services import Services, in_thread
from triage_ui.wire import Json, audit, bound


def routes(services: Services) -> APIRouter:
    """Return the routes."""
    router = APIRouter()
    queries = services.queries

    @router.get("/closings")
    async def read_bounds() -> Json:
        return {"bounds": [bound(row) for row in await in_thread(queries.bounds)]}

    @router.get("/audits")
    async def read_audits(
        stream: Annotated[str | None, Query(max_length=200)] = None,
        limit: Annotated[int, Query(ge=1, le=5000)] = 500,
    ) -> Json:
        rows = await in_thread(queries.audits, stream or None, limit)
        return {"audits": [audit(row) for row in rows]}

    return router
