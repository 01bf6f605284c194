"""When members that nobody read are closed, and which of them are audited. Pure.

A verdict decides the members that were on the screen. What it says of the others is evidence: they
stay in the queue as the cluster's *rest* until audits of such closings bound how many are wrong. A
closing is wrong if the member is real after all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from triage.bound import Drawn, most_hits, most_hits_told
from triage.model import VerdictKind
from triage.policy import Policy

DISMISSES = frozenset({VerdictKind.SPURIOUS, VerdictKind.EXPECTED, VerdictKind.PIPELINE_FAULT})
"""Verdicts that close a member without telling anybody. The unread ones of *real* stay open."""

KNOWN = 0.5
"""Worth of finding more of what was found, beside finding something else."""


@dataclass(frozen=True, slots=True)
class Closings:
    """What is known of a stream's closings up to the oldest audit that waits for its answer.

    Later ones don't count yet: leaving out what is still unanswered would bias the rest.

    Attributes:
        drawn: the closings by their probability of an audit, with what was found wrong: late truth
            outranks what was read.
        audits: how many were audited. ``waiting``: audits without an answer, of all closings.
        closed: members that are closed unread now.
        told: audits of which late truth has spoken.
        unread_real: of all closings that were not drawn, how many late truth calls real.
    """

    drawn: Sequence[Drawn]
    audits: int
    waiting: int
    closed: int
    told: int = 0
    unread_real: int = 0


@dataclass(frozen=True, slots=True)
class Bound:
    """What a stream's audits say of its closings, to be shown as a whole.

    Attributes:
        share: upper 95 % bound of the share of wrong ones; 1 while nothing is known.
        limit: closing is on while ``share`` is at most this; 0: never.
        closings: how many the bound is about; ``audits`` of them were read blind, ``wrong`` of
            those were real. ``waiting``: audits that wait for an answer.
        closed: members that are closed unread now.
        told: audits of which late truth has spoken. ``unread_real``: closings that were not drawn,
            and are real by late truth.
        by_truth: late truth bears ``share`` out. Else it holds only if readers are not all wrong
            alike: late truth has spoken of too few audits to tell.
    """

    stream: str
    share: float
    limit: float
    closings: int
    audits: int
    wrong: int
    waiting: int
    closed: int
    told: int = 0
    unread_real: int = 0
    by_truth: bool = False

    @property
    def met(self) -> bool:
        """Whether members may be closed unread."""
        return self.limit > 0 and self.share <= self.limit


def bound_of(stream: str, closings: Closings, policy: Policy) -> Bound:
    """Return what the audits say by now.

    Late truth bears the bound out from the moment on at which it could meet the limit, if it called
    no audit real. That follows from how many it has spoken of, not from what it said of them.
    """
    drawn, audits, told = closings.drawn, closings.audits, closings.told
    count = sum(one.count for one in drawn)
    wrong = sum(one.hits for one in drawn)
    clean = [replace(one, told_real=0) for one in drawn]
    by_truth = 0 < most_hits_told(clean, audits, told) <= policy.closing_limit * count
    most = most_hits(drawn)
    if by_truth:
        most = max(most, most_hits_told(drawn, audits, told))
    most = min(count, max(most, wrong + closings.unread_real))
    return Bound(
        stream=stream,
        share=most / count if count else 1.0,
        limit=policy.closing_limit,
        closings=count,
        audits=audits,
        wrong=wrong,
        waiting=closings.waiting,
        closed=closings.closed,
        told=told,
        unread_real=closings.unread_real,
        by_truth=by_truth,
    )


def pull_of_rest(kind: VerdictKind, read: int) -> float:
    """Return what part of its posterior a look at the rest is worth, after ``read`` of its like.

    After a dismissal Laplace's rule of succession: none of those read was real. The rest of a real
    one is real as likely as it looks, but adds members to what is known rather than news.
    """
    return 1.0 / (read + 2) if kind in DISMISSES else KNOWN
