"""``GET /status``: the numbers of the top bar; ``GET /changes``: what happens, as it happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Annotated, cast

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from triage.errors import Retry
from triage_ui.actor import current_actor
from triage_ui.api.router import new_router
from triage_ui.api.shapes import STATUS, answers
from triage_ui.services import Services, in_thread
from triage_ui.wire import Json, status

EVENT_STREAM = {"text/event-stream": {"schema": {"type": "string"}}}
UNBUFFERED = {"cache-control": "no-store", "x-accel-buffering": "no"}
"""Proxies must pass events on at once."""

Lasting = Callable[[float], bool]
"""Whether the session or token of a request still works at a time."""

Position = Annotated[int | None, Query(ge=0)]


def routes(services: Services) -> APIRouter:
    """Return the routes of what is going on."""
    router = new_router()

    @router.get("/status", **answers(STATUS))
    async def read() -> Json:
        now = services.settings.clock()
        actor = current_actor()
        board = await in_thread(services.queries.status, now)
        return status(board) | {"now": now, "actor": {"name": actor.name, "role": actor.role}}

    @router.get("/changes", **answers(None, content=EVENT_STREAM))
    async def follow(
        request: Request,
        after: Position = None,
        last_event_id: Annotated[str | None, Header(max_length=30)] = None,
    ) -> StreamingResponse:
        """Resume after ``Last-Event-ID`` (a browser sends it by itself), else after ``after``."""
        resumed = last_event_id is not None and last_event_id.isdecimal()
        start = int(last_event_id or 0) if resumed else after
        stream = _signed_in(services, request.state.lasting, services.hub.stream(start))
        return StreamingResponse(stream, headers=UNBUFFERED, media_type="text/event-stream")

    return router


async def _signed_in(
    services: Services, lasting: Lasting, stream: AsyncIterator[bytes]
) -> AsyncIterator[bytes]:
    """Pass the stream on until the session or token ends; that is looked for at each ping."""
    loop = asyncio.get_running_loop()
    asked = loop.time()
    async with aclosing(cast("AsyncGenerator[bytes, None]", stream)):
        async for part in stream:
            if loop.time() >= asked + services.settings.ping_s:
                asked = loop.time()
                if not await _lasts(services, lasting):
                    return
            yield part


async def _lasts(services: Services, lasting: Lasting) -> bool:
    try:
        return await in_thread(lasting, services.settings.clock())
    except Retry:
        return True  # asked again at the next ping; the stream tells the trouble
