"""The end of *expected* verdicts: their labels go, the clusters stay decided."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from triage.cases import AuditEntry, Verdict
from triage.model import Actor, SuppressionState
from triage.store.base import CaseStore, UnitOfWork

SYSTEM = Actor("triage", "system")
EVERY_S = 30.0  # an expiry is a matter of days
BATCH = 50  # verdicts ended in one transaction


class Expiry:
    """Ends the labels of expected verdicts whose time is over, each once."""

    def __init__(self, store: CaseStore, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._next = float("-inf")

    def step(self) -> bool:
        """End what is due, at most ``BATCH`` verdicts; return whether any was.

        Looks into the store every ``EVERY_S`` seconds; between that it costs nothing. Several
        processes may do it at once. Raises ``StoreUnavailable``: nothing happened.
        """
        at = self._clock()
        if at < self._next:
            return False
        with self._store.unit_of_work() as unit:
            due = unit.expired(at, BATCH)
            for verdict in due:
                _end(unit, verdict, at)
        self._next = at if len(due) == BATCH else at + EVERY_S
        return bool(due)


def _end(unit: UnitOfWork, verdict: Verdict, at: float) -> None:
    position = unit.retract_labels(verdict.stream, verdict.verdict_id, at)
    unit.update_verdict(dataclasses.replace(verdict, label_position=position))
    unit.end_suppression(verdict.verdict_id, SuppressionState.EXPIRED, "", at)
    unit.audit(
        AuditEntry(
            at=at,
            actor=SYSTEM.name,
            role=SYSTEM.role,
            action="expire",
            object=f"cluster/{verdict.cluster_id}",
            request_id=f"expire/{verdict.verdict_id}",
            before={"verdict_id": verdict.verdict_id, "label_position": verdict.label_position},
            after={
                "verdict_id": verdict.verdict_id,
                "scope": verdict.scope,
                "expires_at": verdict.expires_at,
                "label_position": position,
            },
        )
    )
    unit.change("verdict", at, {"id": verdict.verdict_id, "cluster_id": verdict.cluster_id})
