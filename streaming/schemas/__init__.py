"""The contracts of our topics: JSON Schemas, and an example of each message."""

from __future__ import annotations

from importlib import resources


def example_text(name: str) -> str:
    """Return a published example: ``example_text("verified.v1.retracted")``."""
    place = resources.files(__name__).joinpath("examples", f"{name}.json")
    return place.read_text(encoding="utf-8")


def schema_text(name: str) -> str:
    """Return a schema as it is published: ``schema_text("verified.v1")``."""
    return resources.files(__name__).joinpath(f"{name}.schema.json").read_text(encoding="utf-8")
