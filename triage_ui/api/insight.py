"""What the pages of detectors and metrics are made of: looks, configs, what labels changed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from triage_ui.services import Services, in_thread
from triage_ui.wire import Json, config, lesson, look

Stream = Annotated[str, Path(min_length=1, max_length=200)]


def routes(services: Services) -> APIRouter:
    """Return the routes."""
    router = APIRouter()
    queries = services.queries

    @router.get("/looks")
    async def read_looks(
        stream: Annotated[str | None, Query(max_length=200)] = None,
        limit: Annotated[int, Query(ge=1, le=5000)] = 500,
    ) -> Json:
        rows = await in_thread(queries.looks, stream or None, limit)
        return {"looks": [look(row) for row in rows]}

    @router.get("/streams/{stream}/configs")
    async def read_configs(stream: Stream) -> Json:
        return {"configs": [config(row) for row in await in_thread(queries.configs, stream)]}

    @router.get("/streams/{stream}/lessons")
    async def read_lessons(stream: Stream, limit: Annotated[int, Query(ge=1, le=200)] = 20) -> Json:
        rows = await in_thread(queries.lessons, stream, limit)
        return {"lessons": [lesson(row) for row in rows]}

    return router
