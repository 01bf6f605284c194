"""What the pages of detectors and metrics are made of: looks, configs, what labels changed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from triage_ui.api.queue import Text
from triage_ui.api.router import new_router
from triage_ui.api.shapes import (
    CONFIGS,
    DRIFTS,
    LAG,
    LESSONS,
    LOOKS,
    METRICS,
    ROLLOUTS,
    answers,
)
from triage_ui.services import Services, in_thread
from triage_ui.wire import (
    Json,
    config,
    drift,
    lags,
    lesson,
    look,
    metrics,
    rollout,
    trial,
)

Stream = Annotated[str, Path(min_length=1, max_length=200)]


def routes(services: Services) -> APIRouter:
    """Return the routes."""
    router = new_router()
    queries = services.queries

    @router.get("/looks", **answers(LOOKS))
    async def read_looks(
        stream: Text = "",
        limit: Annotated[int, Query(ge=1, le=5000)] = 500,
    ) -> Json:
        rows = await in_thread(queries.looks, stream or None, limit)
        return {"looks": [look(row) for row in rows]}

    @router.get("/metrics", **answers(METRICS))
    async def read_metrics(
        stream: Text = "",
        limit: Annotated[int, Query(ge=1, le=5000)] = 5000,
    ) -> Json:
        """What the newest looks found, each figure with its number of looks and its interval."""
        rows = await in_thread(queries.looks, stream or None, limit)
        return metrics(rows, services.settings.clock())

    @router.get("/streams/{stream}/configs", **answers(CONFIGS))
    async def read_configs(stream: Stream) -> Json:
        return {"configs": [config(row) for row in await in_thread(queries.configs, stream)]}

    @router.get("/streams/{stream}/rollouts", **answers(ROLLOUTS))
    async def read_rollouts(stream: Stream) -> Json:
        """What came into force, newest first, and how a config that runs beside it does."""
        log = await in_thread(queries.rollouts, stream)
        beside = None
        if log and log[-1].beside:
            found = await in_thread(queries.trial, stream, log[-1].number)
            beside = trial(found, await in_thread(queries.lost, stream, log[-1].number))
        return {"rollouts": [rollout(row) for row in reversed(log)], "trial": beside}

    @router.get("/streams/{stream}/drift", **answers(DRIFTS))
    async def read_drift(stream: Stream) -> Json:
        """Which fields no longer come as they used to."""
        return {"drifts": [drift(row) for row in await in_thread(queries.drifts, stream)]}

    @router.get("/streams/{stream}/lag", **answers(LAG))
    async def read_lag(stream: Stream) -> Json:
        """How far each partition is behind its log, as its worker told last."""
        rows = await in_thread(queries.lags, stream)
        return lags(rows, services.settings.clock())

    @router.get("/streams/{stream}/lessons", **answers(LESSONS))
    async def read_lessons(stream: Stream, limit: Annotated[int, Query(ge=1, le=200)] = 20) -> Json:
        rows = await in_thread(queries.lessons, stream, limit)
        return {"lessons": [lesson(row) for row in rows]}

    return router
