"""Who takes care of a cluster. It promises nothing: anybody may decide it, and take it over."""

from __future__ import annotations

from triage.access import Action, authorise
from triage.cases import AuditEntry
from triage.commands import AssignCluster
from triage.errors import Invalid, NotFound
from triage.model import Actor
from triage.store.base import UnitOfWork

MAX_NAME = 200  # characters


def assign(unit: UnitOfWork, command: AssignCluster, actor: Actor, at: float) -> None:
    """Assign a cluster to oneself or to nobody; a lead may assign it to others.

    Raises:
        NotAllowed, NotFound, Invalid: see the message.
    """
    if command.assignee not in (None, actor.name):
        authorise(actor, Action.UNDO_OTHERS)
        if not 0 < len(command.assignee or "") <= MAX_NAME:
            raise Invalid(f"assignee: a name of 1 to {MAX_NAME} characters")
    if unit.case(command.cluster_id) is None:
        raise NotFound(f"there is no cluster {command.cluster_id}")
    before = unit.assignee(command.cluster_id)
    if before == command.assignee:
        return
    unit.assign(command.cluster_id, command.assignee)
    unit.touch(command.cluster_id, actor.name, at)
    unit.audit(
        AuditEntry(
            at=at,
            actor=actor.name,
            role=actor.role,
            action="assign",
            object=f"cluster/{command.cluster_id}",
            request_id="",
            before={"assignee": before},
            after={"assignee": command.assignee},
        )
    )
    unit.change("clusters", at, {"ids": [command.cluster_id], "total": 1})
