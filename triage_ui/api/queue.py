"""``GET /queue``: a slice of the filtered, ordered queue."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse

from triage.model import ClusterStatus
from triage.queries import QueueFilter
from triage_ui.actor import current_actor
from triage_ui.api.router import new_router
from triage_ui.api.shapes import QUEUE_PAGE, answers
from triage_ui.services import Services, in_thread
from triage_ui.wire import queue_row

MAX_ROWS = 500
MAX_OFFSET = 10_000_000

Text = Annotated[str, Query(max_length=200)]
"""Empty: any. (A query can say nothing and "", it can't say null.)"""
Status = Literal["open", "second_opinion", "decided", "disputed", "suppressed", "all"]
Order = Literal["worth", "newest", "largest"]


def asked(
    stream: Text = "",
    status: Status = "open",
    entity: Text = "",
    text: Text = "",
    order: Order = "worth",
    assignee: Text = "",
    feature: Text = "",
    cohort: Annotated[str, Query(max_length=400, pattern="^$|:")] = "",
) -> QueueFilter:
    """Return the filter that a request's query asks for."""
    name, _, value = cohort.partition(":")
    return QueueFilter(
        stream=stream or None,
        status=None if status in ("all", "disputed") else ClusterStatus(status),
        entity=entity or None,
        text=text or None,
        order=order,
        viewer=current_actor().name,
        assignee=current_actor().name if assignee == "me" else assignee or None,
        feature=feature or None,
        cohort=(name, value) if cohort else None,
        disputed=status == "disputed",
    )


Asked = Annotated[QueueFilter, Depends(asked)]


def routes(services: Services) -> APIRouter:
    """Return the route of the queue."""
    router = new_router()

    @router.get("/queue", **answers(QUEUE_PAGE))
    async def read(
        where: Asked,
        offset: Annotated[int, Query(ge=0, le=MAX_OFFSET)] = 0,
        limit: Annotated[int, Query(ge=1, le=MAX_ROWS)] = 100,
    ) -> JSONResponse:
        page = await in_thread(services.queries.queue, where, offset, limit)
        # as it is: FastAPI would go through all of its values once more
        return JSONResponse(
            {
                "rows": [queue_row(row) for row in page.rows],
                "total": page.total,
                "position": page.position,
            }
        )

    return router
