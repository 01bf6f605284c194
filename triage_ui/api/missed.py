"""``/missed``: events that were no candidates, and that a reader knows were real."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from triage.commands import ReportMissed, TakeBackMissed
from triage.truth import Id
from triage_ui.actor import current_actor
from triage_ui.api.router import new_router
from triage_ui.api.shapes import TRUTH_OUTCOME, answers
from triage_ui.services import Services, in_thread
from triage_ui.wire import Json, truth_outcome


class EventBody(BaseModel):
    """Which event: its stream, its entities (field -> value) and its time (seconds since 1970)."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    stream: Id
    entities: Annotated[dict[Id, Id], Field(min_length=1, max_length=20)]
    time: Annotated[float, Field(allow_inf_nan=False)]


class ReportBody(EventBody):
    """``beside``: the candidate that it is kept with."""

    beside: Id


def routes(services: Services) -> APIRouter:
    """Return the routes under ``/missed``."""
    router = new_router("/missed")
    commands, settings = services.commands, services.settings

    @router.post("", **answers(TRUTH_OUTCOME, 404))
    async def report(body: ReportBody) -> Json:
        command = ReportMissed(body.stream, body.entities, body.time, body.beside)
        done = await in_thread(commands.missed, command, current_actor(), settings.clock())
        return truth_outcome(done)

    @router.post("/take-back", **answers(TRUTH_OUTCOME, 404))
    async def take_back(body: EventBody) -> Json:
        command = TakeBackMissed(body.stream, body.entities, body.time)
        done = await in_thread(commands.missed, command, current_actor(), settings.clock())
        return truth_outcome(done)

    return router
