"""What changes the label log within one transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from triage.cases import Rollback, Verdict
from triage.labels import NewLabel


class LabelUnit(Protocol):
    """Part of ``base.UnitOfWork``. Reads see what was written before."""

    def add_labels(
        self, stream: str, verdict_id: str, labels: Sequence[NewLabel], at: float
    ) -> int:
        """Append to the label log; return its newest position."""

    def retract_labels(
        self, stream: str, verdict_id: str, at: float, overruled: bool = False
    ) -> int:
        """Append a retraction of all labels of the verdict; return its position.

        ``overruled``: somebody else than who gave the verdict takes it back.
        """

    def restore_labels(
        self, stream: str, verdict_id: str, retracted_at: int, without: Collection[str] = ()
    ) -> int:
        """Append again what the retraction at that position took, as of the time it was given.

        ``without``: candidates whose labels stay retracted.
        """

    def teaching(self, actor: str, since: float, until: float) -> Sequence[Verdict]:
        """Return the actor's standing verdicts of that time with labels in force, oldest first."""

    def stands(self, verdict: Verdict) -> bool:
        """Return whether the verdict has not been taken back."""

    def add_rollback(self, rollback: Rollback) -> None:
        """Keep a roll-back."""

    def rollback(self, rollback_id: str) -> Rollback | None:
        """Return one roll-back."""

    def undo_rollback(self, rollback: Rollback) -> None:
        """Note that a roll-back was undone."""
