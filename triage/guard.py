"""Ends a suppression early: somebody else uses its cover, or more of it comes than was expected."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from triage.cases import AuditEntry
from triage.expiry import SYSTEM
from triage.model import SuppressionState
from triage.store.base import CaseStore, UnitOfWork
from triage.suppression import Suppression, broken_by

EVERY_S = 1.0  # seconds between two looks


class SuppressionGuard:
    """Breaks the suppressions of a stream that hide more than they should, each once."""

    def __init__(self, store: CaseStore, stream: str, clock: Callable[[], float]) -> None:
        self._store = store
        self._stream = stream
        self._clock = clock
        self._next = float("-inf")
        self._seen: dict[str, int] = {}  # suppression -> hits at the last look

    def step(self) -> bool:
        """Look at those that have hidden more since the last look; return whether one broke.

        Several processes may do it at once. Raises ``StoreUnavailable``: nothing happened.
        """
        at = self._clock()
        if at < self._next:
            return False
        broke = False
        with self._store.unit_of_work() as unit:
            active = unit.active_suppressions(self._stream)
            for suppression in active:
                if suppression.hits == self._seen.get(suppression.suppression_id, 0):
                    continue
                surge = unit.policy(self._stream).suppression_surge
                because = broken_by(suppression, unit.usage(suppression), surge)
                if because:
                    break_off(unit, suppression, because, at)
                    broke = True
        self._seen = {one.suppression_id: one.hits for one in active}
        self._next = at + EVERY_S
        return broke


def break_off(unit: UnitOfWork, suppression: Suppression, because: str, at: float) -> None:
    """End a suppression early: what it hid is open again, and its verdict teaches no more."""
    verdict_id = suppression.suppression_id
    clusters = unit.end_suppression(verdict_id, SuppressionState.BROKEN, because, at)
    verdict = unit.verdict(verdict_id)
    if verdict is not None and verdict.label_position is not None:
        position = unit.retract_labels(suppression.stream, verdict_id, at)
        unit.update_verdict(dataclasses.replace(verdict, label_position=position))
    unit.audit(
        AuditEntry(
            at=at,
            actor=SYSTEM.name,
            role=SYSTEM.role,
            action="break_suppression",
            object=f"cluster/{suppression.cluster_id}",
            request_id=f"break/{verdict_id}",
            before={"verdict_id": verdict_id, "hidden": suppression.hits},
            after={"because": because, "reopened": len(clusters)},
        )
    )
    unit.change("verdict", at, {"id": verdict_id, "cluster_id": suppression.cluster_id})
    unit.change("clusters", at, {"ids": clusters[:200], "total": len(clusters)})
