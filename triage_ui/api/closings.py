"""``/closings``, ``/audits``, ``/recall``: what nobody read, and what chance reads say of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from triage_ui.api.queue import Text
from triage_ui.api.router import new_router
from triage_ui.api.shapes import AUDITS, BOUNDS, RECALLS, answers
from triage_ui.services import Services, in_thread
from triage_ui.wire import Json, audit, bound, recall


def routes(services: Services) -> APIRouter:
    """Return the routes."""
    router = new_router()
    queries = services.queries

    @router.get("/closings", **answers(BOUNDS))
    async def read_bounds() -> Json:
        return {"bounds": [bound(row) for row in await in_thread(queries.bounds)]}

    @router.get("/audits", **answers(AUDITS))
    async def read_audits(
        stream: Text = "",
        limit: Annotated[int, Query(ge=1, le=5000)] = 500,
    ) -> Json:
        rows = await in_thread(queries.audits, stream or None, limit)
        return {"audits": [audit(row) for row in rows]}

    @router.get("/recall", **answers(RECALLS))
    async def read_recalls() -> Json:
        return {"recalls": [recall(row) for row in await in_thread(queries.recalls)]}

    return router
