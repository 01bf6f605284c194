"""Who asks: noted by the gate for the time of a request."""

from __future__ import annotations

from contextvars import ContextVar

from triage.model import Actor

CURRENT: ContextVar[Actor] = ContextVar("actor")


def current_actor() -> Actor:
    """Return the person behind the request under way. Only behind the gate there is one."""
    return CURRENT.get()
