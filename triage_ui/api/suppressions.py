"""``GET /suppressions``: what expected verdicts keep out of the open queue."""

from __future__ import annotations

from fastapi import APIRouter

from triage_ui.api.router import new_router
from triage_ui.api.shapes import SUPPRESSIONS, answers
from triage_ui.services import Services, in_thread
from triage_ui.wire import Json, suppression


def routes(services: Services) -> APIRouter:
    """Return the route of the suppressions."""
    router = new_router()

    @router.get("/suppressions", **answers(SUPPRESSIONS))
    async def read() -> Json:
        rows = await in_thread(services.queries.suppressions)
        return {"suppressions": [suppression(row) for row in rows]}

    return router
