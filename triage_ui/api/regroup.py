"""``/clusters/{id}/split``, ``/merge`` and what helps to choose: its fellows, and one record."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from triage.commands import MergeClusters, SplitCluster
from triage.errors import NotFound
from triage_ui.actor import current_actor
from triage_ui.api.clusters import Id, Key
from triage_ui.api.router import new_router
from triage_ui.api.shapes import ALIKE, PAST_CASES, RECORD, REGROUPING, REGROUPINGS, answers
from triage_ui.services import Services, in_thread
from triage_ui.wire import Json, alike, past_case, record, regrouping

MAX_LISTED = 100
Limit = Annotated[int, Query(ge=1, le=MAX_LISTED)]
Candidate = Annotated[str, Field(min_length=1, max_length=200)]


class SplitBody(BaseModel):
    """Which members leave. ``revision``: the cluster's that was on the screen."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    revision: int = Field(ge=0)
    members: list[Candidate] = Field(min_length=1, max_length=1000)
    reason: str = Field(default="", max_length=4000)


class MergeBody(BaseModel):
    """Which cluster takes the members; both revisions are those that were on the screen."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    revision: int = Field(ge=0)
    into: Annotated[str, Field(min_length=1, max_length=200)]
    into_revision: int = Field(ge=0)
    reason: str = Field(default="", max_length=4000)


def routes(services: Services) -> APIRouter:
    """Return the routes under ``/clusters`` about its fellows."""
    router = new_router("/clusters/{cluster_id}")
    queries, commands = services.queries, services.commands

    @router.post("/split", **answers(REGROUPING, 404, 409, status=201))
    async def split(cluster_id: Id, body: SplitBody, key: Key) -> Json:
        command = SplitCluster(
            cluster_id, body.revision, tuple(body.members), idempotency_key=key, reason=body.reason
        )
        now = services.settings.clock()
        return regrouping(await in_thread(commands.regroup, command, current_actor(), now))

    @router.post("/merge", **answers(REGROUPING, 404, 409, status=201))
    async def merge(cluster_id: Id, body: MergeBody, key: Key) -> Json:
        command = MergeClusters(
            cluster_id,
            body.revision,
            body.into,
            body.into_revision,
            idempotency_key=key,
            reason=body.reason,
        )
        now = services.settings.clock()
        return regrouping(await in_thread(commands.regroup, command, current_actor(), now))

    @router.get("/regroupings", **answers(REGROUPINGS))
    async def read_regroupings(cluster_id: Id) -> Json:
        rows = await in_thread(queries.regroupings, cluster_id)
        return {"regroupings": [regrouping(row) for row in rows]}

    @router.get("/alike", **answers(ALIKE))
    async def read_alike(cluster_id: Id, limit: Limit = 10) -> Json:
        rows = await in_thread(queries.alike, cluster_id, limit)
        return {"clusters": [alike(row) for row in rows]}

    @router.get("/past-cases", **answers(PAST_CASES))
    async def read_past(cluster_id: Id, limit: Limit = 20) -> Json:
        rows = await in_thread(queries.past_cases, cluster_id, limit)
        return {"cases": [past_case(row) for row in rows]}

    @router.get("/record", **answers(RECORD, 404))
    async def read_record(
        cluster_id: Id, candidate_id: Annotated[str, Query(max_length=200)] = ""
    ) -> Json:
        found = await in_thread(queries.record, cluster_id, candidate_id or None)
        if found is None:
            raise NotFound(f"there is no such member in the cluster {cluster_id}")
        return record(found)

    return router
