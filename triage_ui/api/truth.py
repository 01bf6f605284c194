"""``/truth``: what became of events, told later by other systems."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from triage.commands import ReportTruth, RetractTruth
from triage.late_truth import MAX_REPORTS
from triage.truth import Id, TruthReport
from triage_ui.actor import current_actor
from triage_ui.api.router import new_router
from triage_ui.api.shapes import TRUTH_OUTCOME, TRUTH_SOURCES, answers
from triage_ui.services import Services, in_thread
from triage_ui.wire import Json, truth_outcome, truth_source


class Told(BaseModel):
    """Who tells something about which stream."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    stream: Id
    source: Id


class ReportBody(Told):
    """One report, or a list of them."""

    truth: TruthReport | Annotated[list[TruthReport], Field(min_length=1, max_length=MAX_REPORTS)]


class RetractBody(Told):
    """Ids of reports."""

    ids: list[Id] = Field(min_length=1, max_length=MAX_REPORTS)


def routes(services: Services) -> APIRouter:
    """Return the routes under ``/truth``."""
    router = new_router("/truth")

    @router.get("", **answers(TRUTH_SOURCES))
    async def read() -> Json:
        rows = await in_thread(services.queries.truth_sources)
        return {"sources": [truth_source(row) for row in rows]}

    @router.post("", **answers(TRUTH_OUTCOME, 404))
    async def report(body: ReportBody) -> Json:
        reports = body.truth if isinstance(body.truth, list) else [body.truth]
        command = ReportTruth(body.stream, body.source, tuple(reports))
        now = services.settings.clock()
        return truth_outcome(await in_thread(services.commands.tell, command, current_actor(), now))

    @router.post("/retract", **answers(TRUTH_OUTCOME, 404))
    async def retract(body: RetractBody) -> Json:
        command = RetractTruth(body.stream, body.source, tuple(body.ids))
        now = services.settings.clock()
        return truth_outcome(await in_thread(services.commands.tell, command, current_actor(), now))

    return router
