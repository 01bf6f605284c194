"""The REST API, ``/api/v1``: the one way to change a case from outside this process."""

from __future__ import annotations

from fastapi import APIRouter

from triage_ui.api import (
    advice,
    analysts,
    closings,
    clusters,
    disputes,
    entities,
    exports,
    insight,
    live,
    queue,
    regroup,
    suppressions,
    team,
    truth,
    verdicts,
    views,
)
from triage_ui.services import Services

PREFIX = "/api/v1"


def routes(services: Services) -> APIRouter:
    """Return all routes of the API."""
    router = APIRouter(prefix=PREFIX)
    for part in (
        queue,
        clusters,
        regroup,
        team,
        closings,
        advice,
        entities,
        exports,
        insight,
        verdicts,
        disputes,
        suppressions,
        truth,
        analysts,
        views,
        live,
    ):
        router.include_router(part.routes(services))
    return router
