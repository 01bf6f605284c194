"""Entities: what they are called, where their page is, and which one a cluster is about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from urllib.parse import quote

from triage.queries import MemberRow
from triage_ui.text import visible


def entity_label(name: str) -> str:
    """Return an entity's field as people write it.

    >>> entity_label("customer_id")
    'customer'
    """
    return visible(name.removesuffix("_id").replace("_", " "), 60)


def entity_address(name: str, value: str) -> str:
    """Return the address of an entity's page.

    >>> entity_address("ip", "10.0.0.0/8")
    '/entity/ip/10.0.0.0%2F8'
    """
    return f"/entity/{_quoted(name)}/{_quoted(value)}"


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="replace")


def main_entity(members: Sequence[MemberRow]) -> str:
    """Return ``field value`` of an entity that all these members share, empty if there is none.

    Of two the one that comes first in the events' declaration.
    """
    shared = Counter(
        (name, value) for member in members for name, value in member.candidate.entities.items()
    )
    (name, value), most = next(iter(shared.most_common(1)), (("", ""), 0))
    if most and most == len(members):
        return visible(f"{entity_label(name)} {value}", 200)
    entities = {member.candidate.entity for member in members}
    return visible(entities.pop(), 200) if len(entities) == 1 else ""
