"""The contracts of our topics: JSON Schemas, and an example of each message."""

from __future__ import annotations

from importlib import resources


def schema_text(name: str) -> str:
    """Return a schema as it is published: ``schema_text("verified.v1")``."""
    return resources.files(__name__).joinpath(f"{name}.schema.json").read_text(encoding="utf-8")
