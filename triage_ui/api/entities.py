"""``GET /entity``: what is known of one over all clusters; ``/entities``, ``/cohorts``: which."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from triage.errors import NotFound
from triage_ui.actor import current_actor
from triage_ui.api.router import new_router
from triage_ui.api.shapes import COHORTS, ENTITIES, ENTITY, answers
from triage_ui.services import Services, in_thread
from triage_ui.wire import Json, entity, found_cohort, found_entity

Text = Annotated[str, Query(min_length=1, max_length=400)]


def routes(services: Services) -> APIRouter:
    """Return the route of an entity."""
    router = new_router()

    @router.get("/entity", **answers(ENTITY, 404))
    async def read(
        name: Text, value: Text, limit: Annotated[int, Query(ge=1, le=500)] = 100
    ) -> Json:
        viewer = current_actor().name
        found = await in_thread(services.queries.entity, name, value, limit, viewer)
        if found is None:
            raise NotFound(f"no cluster has {name} {value}")
        return entity(found)

    @router.get("/entities", **answers(ENTITIES))
    async def find(text: Text, limit: Annotated[int, Query(ge=1, le=100)] = 10) -> Json:
        rows = await in_thread(services.queries.entities_like, text, limit)
        return {"entities": [found_entity(row) for row in rows]}

    @router.get("/cohorts", **answers(COHORTS))
    async def find_cohorts(
        text: Annotated[str, Query(max_length=400)] = "",
        limit: Annotated[int, Query(ge=1, le=100)] = 10,
    ) -> Json:
        rows = await in_thread(services.queries.cohorts_like, text, limit)
        return {"cohorts": [found_cohort(row) for row in rows]}

    return router
