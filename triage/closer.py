"""Closes what the bound allows to be closed, and opens it again when the bound breaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from triage.cases import AuditEntry, Verdict
from triage.closing import Bound
from triage.model import Actor
from triage.rest import follow_bound, reopen
from triage.store.base import CaseStore, UnitOfWork

SYSTEM = Actor("triage", "system")
EVERY_S = 2.0  # seconds between two looks
BATCH = 50  # verdicts whose members move in one transaction: some thousand rows
TOLD = 200  # cluster ids in one change


class Closer:
    """Follows a stream's bound in bulk.

    While it is met, what dismissals left unread is closed with its cluster; while it is not,
    everything that is closed unread is open again, as the rest of its cluster.
    """

    def __init__(
        self,
        store: CaseStore,
        stream: str,
        clock: Callable[[], float],
        told: Callable[[Bound], None] = lambda bound: None,
    ) -> None:
        self._store = store
        self._stream = stream
        self._clock = clock
        self._told = told  # the bound, at each look
        self._next = float("-inf")

    def step(self) -> bool:
        """Move the members of at most ``BATCH`` verdicts; return whether any moved.

        Looks into the store every ``EVERY_S`` seconds; between that it costs nothing. Several
        processes may do it at once. Raises ``StoreUnavailable``: nothing happened.
        """
        at = self._clock()
        if at < self._next:
            return False
        with self._store.unit_of_work() as unit:
            bound = follow_bound(unit, self._stream, at)  # the policy may be another one by now
            if unit.closes(self._stream):
                due = unit.could_close(self._stream, BATCH)
                moved = [verdict for verdict in due if _close(unit, verdict)]
            else:
                moved = list(unit.closed_by(self._stream, BATCH))
                for verdict in moved:
                    reopen(unit, verdict, at)
            if moved:
                _tell(unit, moved, self._stream, at)
        self._told(bound)
        self._next = at if len(moved) == BATCH else at + EVERY_S
        return bool(moved)


def _close(unit: UnitOfWork, verdict: Verdict) -> bool:
    rest = unit.rest(verdict.verdict_id)
    return rest is not None and unit.put_back(rest, verdict.cluster_id, closed=True)


def _tell(unit: UnitOfWork, moved: Sequence[Verdict], stream: str, at: float) -> None:
    action = "close_unread" if unit.closes(stream) else "reopen_unread"
    ids = [verdict.cluster_id for verdict in moved]
    unit.audit(
        AuditEntry(
            at=at,
            actor=SYSTEM.name,
            role=SYSTEM.role,
            action=action,
            object=f"stream/{stream}",
            request_id=f"{action}/{moved[0].verdict_id}",
            before=None,
            after={"clusters": ids},
        )
    )
    unit.change("clusters", at, {"ids": ids[:TOLD], "total": len(ids)})
