"""What the handling of late truth does within one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from triage.cases import Verdict
from triage.model import VerdictKind
from triage.truth import CandidateKey, Truth


class TruthUnit(Protocol):
    """Part of ``base.UnitOfWork``. Reads see what was written before."""

    def knows_stream(self, stream: str) -> bool:
        """Return whether a config of the stream was ever registered."""

    def next_label(self, stream: str) -> int:
        """Return the next free position of the stream's label log."""

    def truths(self, stream: str, source: str, ids: Sequence[str]) -> Sequence[Truth]:
        """Return what the source tells under these ids, as far as it is in force."""

    def add_truths(self, truths: Sequence[Truth]) -> None:
        """Keep new truths, at the positions that they name, waiting for their candidates."""

    def retract_truths(self, truths: Sequence[Truth], at: float) -> None:
        """Append a retraction per truth to the label log: it and its labels are out of force."""

    def candidates_of(
        self, stream: str, truths: Sequence[Truth], within_s: float
    ) -> Sequence[CandidateKey]:
        """Return all candidates that one of the truths may be about."""

    def candidates_to_join(self, stream: str, limit: int) -> Sequence[CandidateKey]:
        """Return the next candidates, in commit order, that nobody has looked for truths of."""

    def looked_for_truths(self, stream: str, seq: int) -> None:
        """Note that this was done for all candidates up to ``seq``."""

    def waiting_truths(
        self, stream: str, candidates: Sequence[CandidateKey], within_s: float
    ) -> Sequence[Truth]:
        """Return all truths without a candidate that may be about one of these."""

    def join_truths(
        self, stream: str, truths: Sequence[Truth], joined: Mapping[str, Sequence[str]], at: float
    ) -> None:
        """Append a label per truth and candidate (``truth.pairs``) to the label log."""

    def verdicts_on(self, candidate_ids: Sequence[str]) -> Mapping[str, VerdictKind]:
        """Return the verdict on each candidate, read or propagated, where there is one."""

    def speaking_for(self, candidate_ids: Sequence[str]) -> Mapping[str, Sequence[Verdict]]:
        """Return the standing verdicts that say something of each candidate, where there are any.

        That on its cluster, and that out of whose unread members its cluster was made.
        """

    def told_of(self, cluster_id: str) -> frozenset[bool]:
        """Return what late truth in force says of a cluster's members: real, not real, or both."""

    def clusters_of_truths(self, truth_ids: Sequence[str]) -> Sequence[str]:
        """Return the clusters of the candidates that joined these truths, sorted."""
