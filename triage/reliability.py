"""How far an analyst's labels are trusted: estimated from late truth on what the analyst read.

Of real analysts' decisions 83 % are right (twelve people of a security centre; Moosmann, Pekaric,
Apruzzese, arXiv 2604.22001): the prior is Beta(10, 2), as sure of that as twelve checked reads.
Whoever does as well has full weight; a coin has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from triage.label_log import Entry, late_truths
from triage.model import MemberState

PRIOR_RIGHT = 10.0
PRIOR_WRONG = 2.0
PRIOR_MEAN = PRIOR_RIGHT / (PRIOR_RIGHT + PRIOR_WRONG)


@dataclass(frozen=True, slots=True)
class Reliability:
    """Reads of one analyst that late truth has borne out, or not."""

    agreed: int = 0
    disagreed: int = 0

    @property
    def mean(self) -> float:
        """Posterior mean of the probability that a read of this analyst is right."""
        right = PRIOR_RIGHT + self.agreed
        return right / (right + PRIOR_WRONG + self.disagreed)

    @property
    def weight(self) -> float:
        """What a label of this analyst weighs: 1 as good as the prior or better, 0 as a coin."""
        return min(1.0, max(0.0, (2 * self.mean - 1) / (2 * PRIOR_MEAN - 1)))


def reliabilities(entries: Sequence[Entry]) -> Mapping[str, Reliability]:
    """Return the reliability of everybody who gave a verdict.

    ``entries``: all rows of the log that are not retracted, those that late truth outranks too:
    just these are the evidence. What is retracted is none, so that taking labels back leaves no
    trace. Of propagated members nobody read anything.
    """
    truth = late_truths(entries)
    counts: dict[str, tuple[int, int]] = {}
    for entry in entries:
        if entry.source:
            continue
        agreed, disagreed = counts.get(entry.actor, (0, 0))
        known = truth.get(entry.candidate_id)
        if known is not None and entry.state is MemberState.READ:
            right = entry.y == known.y
            agreed, disagreed = agreed + right, disagreed + (not right)
        counts[entry.actor] = agreed, disagreed
    return {actor: Reliability(*pair) for actor, pair in counts.items()}
