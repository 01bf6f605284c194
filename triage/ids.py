"""Ids that are made from what they stand for, so that the same again has the same id."""

from __future__ import annotations

import json
import uuid

NAMESPACE = uuid.UUID("5b1d6f4e-6a0e-5c53-9a0e-2f1f4f7c0d11")


def made_id(*parts: str) -> str:
    """Return the id that belongs to these words."""
    return str(uuid.uuid5(NAMESPACE, json.dumps(parts)))
