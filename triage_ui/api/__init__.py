"""The REST API, ``/api/v1``: the one way to change a case from outside this process."""

from __future__ import annotations

from starlette.routing import BaseRoute

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
    missed,
    queue,
    regroup,
    suppressions,
    team,
    truth,
    verdicts,
    views,
)
from triage_ui.api.router import PREFIX
from triage_ui.services import Services

__all__ = ["PREFIX", "routes"]


def routes(services: Services) -> list[BaseRoute]:
    """Return all routes of the API."""
    parts = (
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
        missed,
        analysts,
        views,
        live,
    )
    return [route for part in parts for route in part.routes(services).routes]
