"""What disputes of verdicts do within one transaction."""

from __future__ import annotations

from typing import Protocol

from triage.cases import Dispute


class DisputeUnit(Protocol):
    """Part of ``base.UnitOfWork``. Reads see what was written before."""

    def add_dispute(self, begun: Dispute) -> None:
        """Keep a dispute. A verdict has at most one that is open."""

    def dispute(self, dispute_id: str) -> Dispute | None:
        """Return one dispute."""

    def open_dispute(self, verdict_id: str) -> Dispute | None:
        """Return the dispute of a verdict that waits for a lead."""

    def settle_dispute(self, ended: Dispute) -> None:
        """Store how a dispute ended."""
