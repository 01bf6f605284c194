"""``/verdicts/{id}/dispute`` and ``/disputes/{id}/settle``: two readers who disagree."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from triage.commands import DisputeVerdict, SettleDispute
from triage.model import VerdictKind
from triage_ui.actor import current_actor
from triage_ui.api.clusters import Id, Key
from triage_ui.api.router import new_router
from triage_ui.api.shapes import DISPUTE, answers
from triage_ui.services import Services, in_thread
from triage_ui.wire import Json, dispute

Candidate = Annotated[str, Field(min_length=1, max_length=200)]


class DisputeBody(BaseModel):
    """What it is instead, and which members were on the screen."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: VerdictKind
    read: list[Candidate] = Field(min_length=1, max_length=1000)
    reason: str = Field(default="", max_length=4000)


class SettleBody(BaseModel):
    """Why the verdict stays."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    reason: str = Field(default="", max_length=4000)


def routes(services: Services) -> APIRouter:
    """Return the routes about disputes."""
    router = new_router()
    commands, settings = services.commands, services.settings

    @router.post("/verdicts/{verdict_id}/dispute", **answers(DISPUTE, 404, 409, status=201))
    async def begin(verdict_id: Id, body: DisputeBody, key: Key) -> Json:
        command = DisputeVerdict(
            verdict_id, body.kind, tuple(body.read), idempotency_key=key, reason=body.reason
        )
        now = settings.clock()
        return dispute(await in_thread(commands.dispute, command, current_actor(), now))

    @router.post("/disputes/{dispute_id}/settle", **answers(DISPUTE, 404, 409))
    async def settle(dispute_id: Id, body: SettleBody, key: Key) -> Json:
        command = SettleDispute(dispute_id, idempotency_key=key, reason=body.reason)
        now = settings.clock()
        return dispute(await in_thread(commands.dispute, command, current_actor(), now))

    return router
