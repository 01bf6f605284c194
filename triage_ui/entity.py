"""The main entity of a cluster: what its members have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from triage.queries import MemberRow
from triage_ui.text import visible


def main_entity(members: Sequence[MemberRow]) -> str:
    """Return ``field value`` of the entity that most members share, empty without members.

    Of two that are shared as much, the one that comes first in the events' declaration.
    """
    shared = Counter(
        (name, value) for member in members for name, value in member.candidate.entities.items()
    )
    if shared:
        (name, value), _ = shared.most_common(1)[0]
        return visible(f"{name.removesuffix('_id').replace('_', ' ')} {value}", 200)
    return visible(members[0].candidate.entity, 200) if members else ""
