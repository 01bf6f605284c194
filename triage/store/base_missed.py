"""What the handling of missed events does within one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from triage.commands import ReportMissed
from triage.truth import CandidateKey, Truth


class MissedUnit(Protocol):
    """Part of ``base.UnitOfWork``. Reads see what was written before."""

    def missed_by(self, actor: str, since: float, until: float) -> Sequence[Truth]:
        """Return the reports in force that the actor gave in that time, on every stream."""

    def count_missed(self, stream: str, actor: str, since: float) -> int:
        """Return how many of the actor's reports since then, about the stream, are in force."""

    def missed_at(self, stream: str, time: float) -> Sequence[Truth]:
        """Return the reports of events of that moment, taken back ones too, by place."""

    def truths_by_id(self, truth_ids: Sequence[str]) -> Sequence[Truth]:
        """Return these truths, taken back ones too, by place."""

    def candidates_at(self, stream: str, time: float) -> Sequence[CandidateKey]:
        """Return the stream's candidates of that moment."""

    def keeps(self, command: ReportMissed) -> bool:
        """Return whether such an event is kept beside the candidate that the command names."""
