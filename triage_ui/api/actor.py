"""Who asks: put into the request by the gate."""

from __future__ import annotations

from fastapi import Request

from triage.model import Actor


def actor_of(request: Request) -> Actor:
    """Return the person behind a request that has passed the gate."""
    actor: Actor = request.state.actor
    return actor
