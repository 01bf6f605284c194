"""What a verdict teaches: pure, shared by the board and by ``triage evaluate``."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from triage.model import MemberState, VerdictKind
from triage.policy import Policy

TEACHES: Mapping[VerdictKind, float] = {
    VerdictKind.REAL: 1.0,
    VerdictKind.SPURIOUS: 0.0,
    VerdictKind.EXPECTED: 0.0,
}
"""``y`` by verdict. Bad data and doubt teach nothing."""


@dataclass(frozen=True, slots=True)
class NewLabel:
    """A label to be: what ``verdict`` says of one member."""

    candidate_id: str
    y: float
    weight: float
    state: MemberState


def labels_of(
    kind: VerdictKind, members: Sequence[str], read: Collection[str], policy: Policy
) -> tuple[NewLabel, ...]:
    """Return the labels of a verdict, in the order of ``members``.

    Read members weigh 1. Of the others at most ``policy.propagation_limit``, spread evenly over
    ``members``, weigh ``policy.propagation_weight``: the verdict is evidence about them, not truth.
    """
    y = TEACHES.get(kind)
    if y is None:
        return ()
    seen = frozenset(read)
    unread = [member for member in members if member not in seen]
    spread = frozenset(
        _spread(unread, policy.propagation_limit if policy.propagation_weight else 0)
    )
    return tuple(
        NewLabel(member, y, 1.0, MemberState.READ)
        if member in seen
        else NewLabel(member, y, policy.propagation_weight, MemberState.PROPAGATED)
        for member in members
        if member in seen or member in spread
    )


def _spread(items: Sequence[str], limit: int) -> Sequence[str]:
    """Return at most ``limit`` items at even distances."""
    if len(items) <= limit:
        return items
    return [items[i * len(items) // limit] for i in range(limit)]
