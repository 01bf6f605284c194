"""What the handling of suppressions does within one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from triage.model import SuppressionState
from triage.suppression import ScopeFacts, Suppression, Usage


class SuppressionUnit(Protocol):
    """Part of ``base.UnitOfWork``. Reads see what was written before."""

    def scope_facts(self, cluster_id: str) -> ScopeFacts:
        """Return what a scope is made from; of its entities the most frequent."""

    def add_suppression(self, suppression: Suppression) -> None:
        """Keep a new suppression: it is in force from now on."""

    def active_suppressions(self, stream: str) -> Sequence[Suppression]:
        """Return those that have not ended, oldest first."""

    def suppressions_over(self, stream: str, candidate_ids: Sequence[str]) -> Sequence[Suppression]:
        """Return those in force that keep one of these out, or come from its cluster."""

    def usage(self, suppression: Suppression) -> Usage:
        """Return what it has kept out."""

    def end_suppression(
        self, suppression_id: str, state: SuppressionState, because: str, at: float
    ) -> Sequence[str]:
        """End it, if it exists and has not ended; return the clusters that are open again.

        An expired one leaves its clusters where they are, unless they grow by what is not covered.
        """
