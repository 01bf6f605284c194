"""``/export``: the queue and the looks as files, for spreadsheets and notebooks."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response

from triage_ui import export
from triage_ui.api.queue import Asked, Text
from triage_ui.api.router import new_router
from triage_ui.api.shapes import answers
from triage_ui.services import Services, in_thread

MAX_ROWS = 100_000
TYPES = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}

FILES = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in TYPES.values()}

Kind = Literal["csv", "parquet"]
Format = Annotated[Kind, Query(alias="format")]
Limit = Annotated[int, Query(ge=1, le=MAX_ROWS)]


def _to_parquet(rows: Sequence[export.Row], columns: Mapping[str, type]) -> bytes:
    encoder = importlib.import_module("triage_ui.export_parquet")  # only where it is wanted
    body: bytes = encoder.to_parquet(rows, columns)
    return body


ENCODERS = {"csv": export.to_csv, "parquet": _to_parquet}


def routes(services: Services) -> APIRouter:
    """Return the routes under ``/export``."""
    router = new_router("/export")
    queries = services.queries

    @router.get("/queue", **answers(None, content=FILES))
    async def export_queue(where: Asked, kind: Format = "csv", limit: Limit = MAX_ROWS) -> Response:
        page = await in_thread(queries.queue, where, 0, limit)
        return await _file("queue", kind, export.queue_rows(page.rows), export.QUEUE)

    @router.get("/looks", **answers(None, content=FILES))
    async def export_looks(
        stream: Text = "",
        kind: Format = "csv",
        limit: Limit = MAX_ROWS,
    ) -> Response:
        looks = await in_thread(queries.looks, stream or None, limit)
        return await _file("looks", kind, export.look_rows(looks), export.LOOKS)

    @router.get("/audits", **answers(None, content=FILES))
    async def export_audits(
        stream: Text = "",
        kind: Format = "csv",
        limit: Limit = MAX_ROWS,
    ) -> Response:
        rows = await in_thread(queries.audits, stream or None, limit)
        return await _file("audits", kind, export.audit_rows(rows), export.AUDITS)

    return router


async def _file(
    name: str, kind: Kind, rows: Sequence[export.Row], columns: Mapping[str, type]
) -> Response:
    body = await in_thread(ENCODERS[kind], rows, columns)
    headers = {
        "content-disposition": f'attachment; filename="{name}.{kind}"',
        "cache-control": "no-store",
    }
    return Response(body, headers=headers, media_type=TYPES[kind])
