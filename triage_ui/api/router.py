"""What each part of the API makes its routes with."""

from __future__ import annotations

from fastapi import APIRouter

PREFIX = "/api/v1"


def new_router(below: str = "") -> APIRouter:
    """Return a router whose routes have their whole address, ``below`` included.

    So they can be put beside each other as they are: a router that includes another one builds
    each of its routes a second time, and looks for the right one in both.
    """
    return APIRouter(prefix=PREFIX + below)
