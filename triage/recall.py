"""Which part of the real clusters the looks have found: a 95 % bound by random looks. Pure.

Looks go where the model expects something real, so what they find says nothing of what they pass
by. A few clusters are therefore drawn as they come, each with a logged probability that nothing of
the cluster enters into, and are looked at whatever their rank. If H of those drawn are real, the
mixture of martingales in ``bound.py`` excludes numbers of real ones in all that are too large for
H: at any time of a run, the number is above the bound in at most 5 % of runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from triage.bound import Drawn, most_hits


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What is known of a stream's clusters up to the oldest drawn one that waits for its look.

    Later ones don't count yet: leaving out what is still unanswered would bias the rest.

    Attributes:
        drawn: the clusters by their probability of being drawn; hits: drawn, and real.
        read: how many of the drawn ones were decided.
        found: how many are real by the verdict that stands, drawn or not.
        waiting: drawn ones, of all clusters, that wait for their look.
    """

    drawn: Sequence[Drawn]
    read: int
    found: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Recall:
    """Which part of a stream's real clusters the looks have found, to be shown as a whole.

    Attributes:
        clusters: that it speaks of; ``found`` of them are real by the verdict that stands.
        read: clusters drawn at random and decided; ``read_real`` of those were real.
        waiting: drawn ones that wait for their look.
        most: upper 95 % bound of how many are real in all.
        guess: how many are real in all, by the random looks (Horvitz & Thompson, 1952: each counts
            as often as it was improbable), never less than were found; None where none was real.
    """

    stream: str
    clusters: int
    found: int
    read: int
    read_real: int
    waiting: int
    most: int
    guess: float | None

    @property
    def at_least(self) -> float:
        """Lower 95 % bound of the part that was found; 0 while nothing is known."""
        return self.found / self.most if self.most else 0.0


def recall_of(stream: str, arrivals: Arrivals) -> Recall:
    """Return what the random looks say by now."""
    hits = sum(one.hits for one in arrivals.drawn)
    weighed = sum(one.hits / one.probability for one in arrivals.drawn if one.hits)
    return Recall(
        stream=stream,
        clusters=sum(one.count for one in arrivals.drawn),
        found=arrivals.found,
        read=arrivals.read,
        read_real=hits,
        waiting=arrivals.waiting,
        most=max(arrivals.found, most_hits(arrivals.drawn)),
        guess=max(weighed, float(arrivals.found)) if hits else None,
    )
