"""``/clusters/{id}/advice``, ``/what-if``, ``/rule``: questions to the model; nothing changes."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from triage.advisor import DraftRule, IfDecided, WhatIf
from triage.model import VerdictKind
from triage_ui.actor import current_actor
from triage_ui.api.clusters import Id
from triage_ui.api.router import new_router
from triage_ui.api.shapes import ADVICE, RULE, WHAT_IF, answers
from triage_ui.services import Services
from triage_ui.wire import Json, advice, drafted, what_if

MAX_CHANGES = 50
Member = Annotated[str, Query(max_length=200)]
"""Empty: the strongest."""


class WhatIfBody(BaseModel):
    """Values to score a member with instead of its own.

    Attributes:
        candidate_id: which member; the strongest if left out.
        changes: feature -> value, as the detector sees it (see ``levers``).
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    candidate_id: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    changes: dict[
        Annotated[str, Field(max_length=200)], Annotated[float, Field(allow_inf_nan=False)]
    ] = Field(max_length=MAX_CHANGES)


def routes(services: Services) -> APIRouter:
    """Return the routes under ``/clusters`` that ask the advisor."""
    router = new_router("/clusters/{cluster_id}")
    advisor = services.advisor

    @router.get("/advice", **answers(ADVICE, 404))
    async def read_advice(
        cluster_id: Id,
        kind: Literal["real", "spurious", "expected", "pipeline_fault", "unsure"],
        read: Annotated[list[str], Query(max_length=100)] = [],  # noqa: B006 - FastAPI copies it
    ) -> Json:
        question = IfDecided(cluster_id, VerdictKind(kind), tuple(read), current_actor().name)
        return advice(await advisor.advise(question))

    @router.get("/what-if", **answers(WHAT_IF, 404))
    async def read_levers(cluster_id: Id, candidate_id: Member = "") -> Json:
        return what_if(await advisor.what_if(WhatIf(cluster_id, candidate_id or None)))

    @router.post("/what-if", **answers(WHAT_IF, 404))
    async def score(cluster_id: Id, body: WhatIfBody) -> Json:
        question = WhatIf(cluster_id, body.candidate_id, body.changes)
        return what_if(await advisor.what_if(question))

    @router.get("/rule", **answers(RULE, 404))
    async def read_rule(cluster_id: Id) -> Json:
        return drafted(await advisor.draft_rule(DraftRule(cluster_id)))

    return router
