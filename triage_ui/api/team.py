"""``/presence`` and ``/clusters/{id}/assignee``: who looks at what, who takes care of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from triage.commands import AssignCluster
from triage.errors import NotFound
from triage_ui.actor import current_actor
from triage_ui.api.clusters import Id
from triage_ui.api.router import new_router
from triage_ui.api.shapes import ASSIGNEE, PRESENCE, answers
from triage_ui.services import Services, in_thread
from triage_ui.wire import Json, looking

Name = Annotated[str, Field(min_length=1, max_length=200)]


class AssigneeBody(BaseModel):
    """Who takes care of the cluster; null: nobody."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    assignee: Name | None


class PresenceBody(BaseModel):
    """Which cluster is before my eyes; null: none."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    cluster_id: Name | None


def routes(services: Services) -> APIRouter:
    """Return the routes about colleagues."""
    router = new_router()
    commands, queries, settings = services.commands, services.queries, services.settings

    @router.post("/clusters/{cluster_id}/assignee", **answers(ASSIGNEE, 404))
    async def assign(cluster_id: Id, body: AssigneeBody) -> Json:
        actor = current_actor()
        command = AssignCluster(cluster_id, body.assignee)
        await in_thread(commands.assign, command, actor, settings.clock())
        detail = await in_thread(queries.cluster, cluster_id, 0, actor.name)
        if detail is None:
            raise NotFound(f"there is no cluster {cluster_id}")
        return {"cluster_id": cluster_id, "assignee": detail.row.assignee or None}

    @router.get("/presence", **answers(PRESENCE))
    async def read() -> Json:
        rows = await in_thread(queries.looking, settings.clock())
        return {"looking": [looking(row) for row in rows]}

    @router.post("/presence", **answers(PRESENCE))
    async def look(body: PresenceBody) -> Json:
        now = settings.clock()
        await in_thread(commands.look_at, body.cluster_id, current_actor(), now)
        rows = await in_thread(queries.looking, now)
        return {"looking": [looking(row) for row in rows]}

    return router
