"""Values that the board never shows, by the stream's policy."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

from triage.model import Candidate

MASK = "••••"


def masked(fields: Mapping[str, Any], names: Collection[str]) -> Mapping[str, Any]:
    """Return the fields with those of these names made unreadable; that one is empty stays said.

    >>> dict(masked({"iban": "DE02", "amount": 4}, ["iban"]))
    {'iban': '••••', 'amount': 4}
    """
    if not names:
        return fields
    return {
        name: MASK if name in names and value is not None else value
        for name, value in fields.items()
    }


def masked_candidate(candidate: Candidate, names: Collection[str]) -> Candidate:
    """Return the candidate as the board may have it."""
    if not names:
        return candidate
    context = tuple({**kept, "fields": masked(kept["fields"], names)} for kept in candidate.context)
    return dataclasses.replace(candidate, record=masked(candidate.record, names), context=context)
