"""``GET /openapi.json``: what the API takes and answers, as OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute, compile_path

from triage_ui.api.router import new_router
from triage_ui.api.shapes import Problem
from triage_ui.problems import TITLES
from triage_ui.services import in_thread
from triage_ui.wire import Json

EVERY = (401, 403, 503)
"""Statuses of errors that each route can give; with a body also these."""
WITH_BODY = (400, 411, 413)
OPEN = "application/problem+json"
ABOUT = """All that the board does. Sign in with a token (`triage token add`) in the header
`Authorization: Bearer`, or with the cookie of a session; writes with a cookie also carry the value
of the cookie `_csrf_token` in the header `X-CSRFToken`. Times are seconds since 1970. Texts come
from events: they are hostile until shown as plain text."""


def routes(spec: Callable[[], Json]) -> list[BaseRoute]:
    """Return the route that serves the document."""
    router = new_router()

    @router.get("/openapi.json", include_in_schema=False)
    async def read() -> Json:
        return await in_thread(spec)  # the first call makes it, which takes half a second

    return router.routes


def methods_at(spec: Json, path: str) -> str:
    """Return the methods that an address of the API takes, empty if it is none."""
    for template, operations in spec["paths"].items():
        if compile_path(template)[0].match(path):
            return ", ".join(sorted(method.upper() for method in operations))
    return ""


def document(routes: Sequence[BaseRoute]) -> Json:
    """Return the document of these routes."""
    spec = get_openapi(
        title="Streaming anomaly triage", version="1", description=ABOUT, routes=routes
    )
    components = spec.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    components["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer"},
        "session": {"type": "apiKey", "in": "cookie", "name": "triage_session"},
    }
    spec["security"] = [{"token": []}, {"session": []}]
    for operations in spec["paths"].values():
        for operation in operations.values():
            _tell_problems(operation)
    return spec


def _tell_problems(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    told = [int(status) for status in responses if int(status) >= 400]
    told += [*EVERY, *(WITH_BODY if "requestBody" in operation else ())]
    for status in sorted(set(told)):
        responses[str(status)] = {
            "description": TITLES[status],
            "content": {OPEN: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
