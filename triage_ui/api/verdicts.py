"""``/verdicts``: what became of a verdict, and taking it back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from triage.commands import UndoVerdict
from triage.errors import NotFound
from triage_ui.actor import current_actor
from triage_ui.api.clusters import Id, Key
from triage_ui.api.router import new_router
from triage_ui.api.shapes import VERDICT, VERDICTS, answers
from triage_ui.services import Services, in_thread
from triage_ui.wire import Json, verdict


class UndoBody(BaseModel):
    """Why a verdict is taken back."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    reason: str = Field(default="", max_length=4000)


def routes(services: Services) -> APIRouter:
    """Return the routes under ``/verdicts``."""
    router = new_router("/verdicts")

    @router.get("", **answers(VERDICTS))
    async def read_recent(limit: Annotated[int, Query(ge=1, le=200)] = 20) -> Json:
        viewer = current_actor().name
        rows = await in_thread(services.queries.recent_verdicts, limit, viewer)
        return {"verdicts": [verdict(row) for row in rows]}

    @router.get("/{verdict_id}", **answers(VERDICT, 404))
    async def read(verdict_id: Id) -> Json:
        row = await in_thread(services.queries.verdict, verdict_id, current_actor().name)
        if row is None:
            raise NotFound(f"there is no verdict {verdict_id}")
        return verdict(row)

    @router.post("/{verdict_id}/undo", **answers(VERDICT, 404, 409))
    async def undo(verdict_id: Id, body: UndoBody, key: Key) -> Json:
        command = UndoVerdict(verdict_id, idempotency_key=key, reason=body.reason)
        now = services.settings.clock()
        return verdict(await in_thread(services.commands.handle, command, current_actor(), now))

    return router
