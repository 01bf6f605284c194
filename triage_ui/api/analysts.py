"""``/analysts``: how far labels are trusted, and taking those of one analyst back. For leads."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from triage.access import Action, authorise
from triage.commands import RollBack, UndoRollBack
from triage.truth import Id
from triage_ui.actor import current_actor
from triage_ui.api.clusters import Id as PathId
from triage_ui.api.router import new_router
from triage_ui.api.shapes import ANALYSTS, ROLLBACK, answers
from triage_ui.services import Services, in_thread
from triage_ui.wire import Json, analyst, rollback


class RollBackBody(BaseModel):
    """Whose labels, given from ``since`` until before ``until`` (seconds since 1970), and why."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    analyst: Id
    since: float = Field(allow_inf_nan=False)
    until: float = Field(allow_inf_nan=False)
    reason: str = Field(default="", max_length=4000)


def routes(services: Services) -> APIRouter:
    """Return the routes of analysts and roll-backs."""
    router = new_router()

    @router.get("/analysts", **answers(ANALYSTS))
    async def read() -> Json:
        authorise(current_actor(), Action.ROLL_BACK)
        rows = await in_thread(services.queries.analysts)
        taken = await in_thread(services.queries.rollbacks)
        return {
            "analysts": [analyst(row) for row in rows],
            "rollbacks": [rollback(row) for row in taken],
        }

    @router.post("/rollbacks", **answers(ROLLBACK, 404, status=201))
    async def roll_back(body: RollBackBody) -> Json:
        command = RollBack(body.analyst, body.since, body.until, body.reason)
        now = services.settings.clock()
        return rollback(await in_thread(services.commands.roll_back, command, current_actor(), now))

    @router.post("/rollbacks/{rollback_id}/undo", **answers(ROLLBACK, 404, 409))
    async def undo(rollback_id: PathId) -> Json:
        command = UndoRollBack(rollback_id)
        now = services.settings.clock()
        return rollback(await in_thread(services.commands.roll_back, command, current_actor(), now))

    return router
