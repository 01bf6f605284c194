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
    return f"/entity/{quote(name, safe='')}/{quote(value, safe='')}"


def main_entity(members: Sequence[MemberRow]) -> str:
    """Return ``field value`` of the entity that most members share, empty without members.

    Of two that are shared as much, the one that comes first in the events' declaration.
    """
    shared = Counter(
        (name, value) for member in members for name, value in member.candidate.entities.items()
    )
    if shared:
        (name, value), _ = shared.most_common(1)[0]
        return visible(f"{entity_label(name)} {value}", 200)
    return visible(members[0].candidate.entity, 200) if members else ""
