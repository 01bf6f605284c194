"""How far an analyst's labels are trusted: from late truth and second reads of what was read.

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
    """Reads of one analyst that late truth or a second reader has borne out, or not."""

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


def reliabilities(
    entries: Sequence[Entry], overruled: Sequence[Entry] = ()
) -> Mapping[str, Reliability]:
    """Return the reliability of everybody who gave a verdict that is in force.

    Args:
        entries: all rows of the log that are not retracted, those that late truth outranks too:
            just these are the evidence. What is retracted is none, so that taking labels back
            leaves no trace.
        overruled: rows of verdicts that somebody else took back. Where another reader's verdict on
            the same candidate is in force, that was a second read.

    Late truth outranks a second read. Of propagated members nobody read anything.
    """
    truth = late_truths(entries)
    read = [one for one in entries if not one.source and one.state is MemberState.READ]
    second = {one.candidate_id: one for one in sorted(read, key=lambda one: one.position)}
    counts = {one.actor: [0, 0] for one in entries if not one.source}
    for one in read:
        if known := truth.get(one.candidate_id):
            counts[one.actor][one.y != known.y] += 1
    for one in overruled:
        against = truth.get(one.candidate_id) or second.get(one.candidate_id)
        checked = one.state is MemberState.READ and one.actor in counts
        if checked and against is not None and against.actor != one.actor:
            counts[one.actor][one.y != against.y] += 1
    return {actor: Reliability(*pair) for actor, pair in counts.items()}
