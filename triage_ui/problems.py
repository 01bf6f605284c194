"""Errors as ``application/problem+json`` (RFC 9457): what happened and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from triage.errors import (
    Conflict,
    Invalid,
    NotAllowed,
    NotFound,
    NotSignedIn,
    Refused,
    Retry,
    TooMany,
    TriageError,
)

RETRY_AFTER_S = 2
"""Seconds a client should wait after a 503: longer than the store's busy timeout is rare."""

TITLES: Mapping[int, str] = {
    400: "The request can't be read",
    401: "Not signed in",
    403: "Not allowed",
    404: "There is no such thing here",
    405: "This address doesn't take that method",
    409: "Someone else was faster",
    411: "Of unknown length",
    413: "Too large",
    422: "The request is wrong",
    429: "Too many tries",
    500: "The board failed",
    503: "It can't be answered now",
}

STATUS_OF: Mapping[type[TriageError], int] = {
    NotSignedIn: 401,
    NotAllowed: 403,
    NotFound: 404,
    Conflict: 409,
    Invalid: 422,
    TooMany: 429,
    Refused: 422,
    Retry: 503,
    TriageError: 500,
}


def problem(
    status: int,
    detail: str,
    remedy: str = "",
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> JSONResponse:
    """Return an answer that says what happened (``detail``) and what helps (``remedy``)."""
    body = {"status": status, "title": TITLES.get(status, "Error"), "detail": detail}
    if remedy:
        body["remedy"] = remedy
    sent = {"cache-control": "no-store", **(headers or {})}
    if status == 503:
        sent["retry-after"] = str(RETRY_AFTER_S)
    if status == 401:
        sent["www-authenticate"] = "Bearer"
    return JSONResponse(body | more, status, sent, media_type="application/problem+json")


def status_of(error: TriageError) -> int:
    """Return the HTTP status of a domain error: that of its nearest class in the tree."""
    return next(STATUS_OF[kind] for kind in type(error).__mro__ if kind in STATUS_OF)


REMEDIES: Mapping[int, str] = {
    401: "Sign in, then try again.",
    403: "Ask someone with that role, or sign in as another person.",
    404: "Go back to the queue: it may have been merged or the address is mistyped.",
    409: "Look at what stands now; undo it first if you disagree.",
    422: "Correct the named part and send it again.",
    429: "Wait, then try again.",
    503: "Nothing happened. Try again with the same idempotency key.",
    500: "Look into the log of the board for the reason.",
}


async def _triage_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, TriageError)  # noqa: S101 - registered for this class only
    status = status_of(error)
    more: dict[str, Any] = {"current": error.current} if isinstance(error, Conflict) else {}
    return problem(status, str(error), REMEDIES[status], **more)


async def _validation_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class only
    errors = [
        {"where": ".".join(str(part) for part in item["loc"]), "what": item["msg"]}
        for item in error.errors()[:20]
    ]
    detail = "; ".join(f"{item['where']}: {item['what']}" for item in errors[:3])
    return problem(422, detail, REMEDIES[422], errors=errors)


async def _http_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    return problem(
        error.status_code, error.detail, REMEDIES.get(error.status_code, ""), error.headers
    )


async def _defect(_request: Request, _error: Exception) -> JSONResponse:
    """The server raises it again after this answer, so its trace is in the log."""
    return problem(500, "Something unexpected went wrong.", REMEDIES[500])


def install(app: FastAPI) -> None:
    """Make every error of the API a problem document."""
    app.add_exception_handler(TriageError, _triage_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _defect)
