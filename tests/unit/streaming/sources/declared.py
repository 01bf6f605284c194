"""A stream's declaration, as a source sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    type: str
    path: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Stream:
    key: str | None
    fields: Mapping[str, Field]


def stream(key: str | None = None, **types: str) -> Stream:
    """Return a declaration: ``stream("who", amount="number")``."""
    return Stream(key, {name: Field(kind) for name, kind in types.items()})
