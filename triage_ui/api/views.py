"""``/views``: saved views of the queue, one's own and the team's."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from triage.views import MAX_ADDRESS, MAX_NAME
from triage_ui.actor import current_actor
from triage_ui.api.clusters import Id
from triage_ui.api.router import new_router
from triage_ui.api.shapes import VIEW, VIEWS, answers
from triage_ui.services import Services, in_thread
from triage_ui.wire import Json, view


class ViewBody(BaseModel):
    """A view. ``address``: path and query of the queue, as the board's address bar has them."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    address: Annotated[str, Field(max_length=MAX_ADDRESS, pattern=r"^/(\?[^#\s\\]*)?$")]
    shared: bool = False


def routes(services: Services) -> APIRouter:
    """Return the routes about saved views."""
    router = new_router("/views")
    views, settings = services.views, services.settings

    @router.get("", **answers(VIEWS))
    async def read() -> Json:
        return {"views": [view(row) for row in await in_thread(views.listed, current_actor())]}

    @router.post("", **answers(VIEW))
    async def save(body: ViewBody) -> Json:
        actor, now = current_actor(), settings.clock()
        return view(await in_thread(views.save, actor, body.name, body.address, body.shared, now))

    @router.delete("/{view_id}", **answers(VIEW, 404))
    async def drop(view_id: Id) -> Json:
        return view(await in_thread(views.drop, current_actor(), view_id))

    return router
