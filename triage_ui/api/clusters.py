"""``/clusters/{id}``: a cluster, its members, its entity's events, and the verdict on it."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from triage.commands import RecordVerdict
from triage.errors import NotFound
from triage.model import KeepOut, VerdictKind
from triage.queries import ClusterDetail
from triage_ui.actor import current_actor
from triage_ui.api.router import new_router
from triage_ui.api.shapes import CLUSTER, EVENTS, MEMBERS, VERDICT, answers
from triage_ui.services import Services, in_thread
from triage_ui.wire import Json, cluster, event, member, verdict

Id = Annotated[str, Path(min_length=1, max_length=200)]
Key = Annotated[str, Header(alias="Idempotency-Key", min_length=1, max_length=200)]
MAX_MEMBERS = 500
MAX_EVENTS = 2000


class VerdictBody(BaseModel):
    """What an analyst says of a cluster.

    Attributes:
        revision: the cluster's revision that was on the screen.
        read: candidate ids of the members that were on the screen.
        expires_at: seconds since 1970; with ``scope`` required for ``expected``.
        keep_out: what like it is kept out of the open queue until then.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    kind: Literal["real", "spurious", "expected", "pipeline_fault", "unsure"]
    revision: int = Field(ge=0)
    read: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(
        min_length=1, max_length=1000
    )
    reason: str = Field(default="", max_length=4000)
    scope: str = Field(default="", max_length=4000)
    expires_at: float | None = Field(default=None, allow_inf_nan=False)
    keep_out: Literal["entity_and_reason", "entity", "reason", "nothing"] = "entity_and_reason"


def routes(services: Services) -> APIRouter:
    """Return the routes under ``/clusters``."""
    router = new_router("/clusters/{cluster_id}")
    queries = services.queries

    async def found(cluster_id: str, members: int, viewer: str) -> ClusterDetail:
        detail = await in_thread(queries.cluster, cluster_id, members, viewer)
        if detail is None:
            into = await in_thread(queries.merged_into, cluster_id)
            merged = f": it was merged into {into}" if into else ""
            raise NotFound(f"there is no cluster {cluster_id}{merged}")
        return detail

    @router.get("", **answers(CLUSTER, 404))
    async def read(
        cluster_id: Id,
        members: Annotated[int, Query(ge=0, le=MAX_MEMBERS)] = 5,
    ) -> Json:
        return cluster(await found(cluster_id, members, current_actor().name))

    @router.get("/members", **answers(MEMBERS, 404))
    async def read_members(
        cluster_id: Id,
        offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=MAX_MEMBERS)] = 100,
    ) -> Json:
        rows = await in_thread(queries.members, cluster_id, offset, limit)
        if not rows:
            await found(cluster_id, 0, current_actor().name)
        return {"members": [member(row) for row in rows]}

    @router.get("/events", **answers(EVENTS, 404))
    async def read_events(
        cluster_id: Id,
        limit: Annotated[int, Query(ge=1, le=MAX_EVENTS)] = 200,
    ) -> Json:
        rows = await in_thread(queries.entity_events, cluster_id, limit)
        if not rows:
            await found(cluster_id, 0, current_actor().name)
        return {"events": [event(row) for row in rows]}

    @router.post("/verdicts", **answers(VERDICT, 404, 409, status=201))
    async def decide(cluster_id: Id, body: VerdictBody, key: Key) -> Json:
        command = RecordVerdict(
            cluster_id=cluster_id,
            kind=VerdictKind(body.kind),
            revision=body.revision,
            read=tuple(body.read),
            idempotency_key=key,
            reason=body.reason,
            scope=body.scope,
            expires_at=body.expires_at,
            keep_out=KeepOut(body.keep_out),
        )
        now = services.settings.clock()
        return verdict(await in_thread(services.commands.handle, command, current_actor(), now))

    return router
