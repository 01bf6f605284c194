"""What splits, merges and assignments do within one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from triage.cases import Case, FindingRevision, Regrouping


class RegroupUnit(Protocol):
    """Part of ``base.UnitOfWork``. Reads see what was written before."""

    def found_cluster(self, like: Case, cluster_id: str, at: float) -> None:
        """Make an open cluster of nothing, of the same stream and detector as another."""

    def move_members(self, cluster_id: str, members: Sequence[str]) -> None:
        """Let candidates be members of this cluster instead of theirs."""

    def rebuild(self, cluster_id: str, title: str, subtitle: str) -> None:
        """Count a cluster anew from its members (at least one), and give it a title."""

    def empty(self, cluster_id: str) -> None:
        """Note that a cluster has no members any more."""

    def teaches(self, verdict_id: str) -> bool:
        """Return whether the verdict has labels in force."""

    def drop_finding(self, revision: FindingRevision) -> None:
        """Forget a revision that was never sent."""

    def assignee(self, cluster_id: str) -> str | None:
        """Return who takes care of a cluster, None if nobody does."""

    def assign(self, cluster_id: str, assignee: str | None) -> None:
        """Note who takes care of a cluster."""

    def add_regrouping(self, done: Regrouping) -> None:
        """Keep a split or merge; the grouper hears of it."""

    def regrouping(self, regrouping_id: str) -> Regrouping | None:
        """Return one split or merge."""
