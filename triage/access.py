"""Who may do what: one table, looked up by one function."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from triage.errors import NotAllowed
from triage.model import Actor


class Action(enum.StrEnum):
    """What can be asked for."""

    READ = "read"
    DECIDE = "decide"
    REGROUP = "regroup"
    ASSIGN = "assign"
    UNDO_OWN = "undo_own"
    UNDO_OTHERS = "undo_others"
    SETTLE = "settle"
    TELL_TRUTH = "tell_truth"
    ROLL_BACK = "roll_back"
    MANAGE_ACCESS = "manage_access"


ALLOWED: Mapping[str, frozenset[Action]] = {
    "viewer": frozenset({Action.READ}),
    "analyst": frozenset(
        {Action.READ, Action.DECIDE, Action.REGROUP, Action.ASSIGN, Action.UNDO_OWN}
    ),
    "lead": frozenset(Action),
    "service": frozenset({Action.READ, Action.TELL_TRUTH}),
}


def allowed(actor: Actor, action: Action) -> bool:
    """Return whether the actor's role has the action. An unknown role has none."""
    return action in ALLOWED.get(actor.role, frozenset())


def authorise(actor: Actor, action: Action) -> None:
    """Do nothing if the actor may do this.

    Raises:
        NotAllowed: with the roles that may.
    """
    if not allowed(actor, action):
        roles = ", ".join(sorted(role for role, actions in ALLOWED.items() if action in actions))
        raise NotAllowed(f"{actor.name} ({actor.role}) may not {action}; it takes: {roles}")
