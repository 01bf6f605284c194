"""What the handling of closings does within one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from triage.cases import Verdict
from triage.closing import Closings
from triage.titles import Noun


@dataclass(frozen=True, slots=True)
class Closing:
    """What a dismissal would close: ``members`` unread ones, each audited with ``probability``."""

    verdict_id: str
    stream: str
    cluster_id: str
    probability: float
    members: int
    at: float


@dataclass(frozen=True, slots=True)
class Audit:
    """A member drawn for an audit, in a cluster of its own.

    ``verdict_id``: the dismissal that is audited. ``wrong``: the answer, None while it waits.
    """

    candidate_id: str
    verdict_id: str
    cluster_id: str
    wrong: bool | None


@dataclass(frozen=True, slots=True)
class TakenOut:
    """A cluster to be, out of members of another one.

    Attributes:
        origin: the verdict that left them unread.
        counted: they count among the closings. ``pull``: see ``worth.worth``; 0 for an audit.
    """

    cluster_id: str
    title: str
    subtitle: str
    members: Sequence[str]
    origin: str
    counted: bool
    pull: float


class ClosingUnit(Protocol):
    """Part of ``base.UnitOfWork``. Reads see what was written before."""

    def noun(self, stream: str) -> Noun:
        """Return what the stream's events are called."""

    def verdicts_given(self, stream: str) -> int:
        """Return how many verdicts were ever given on the stream."""

    def closings_made(self, stream: str) -> int:
        """Return how many closings were ever counted on the stream."""

    def closes(self, stream: str) -> bool:
        """Return whether members are closed unread at present."""

    def set_closes(self, stream: str, closes: bool) -> None:
        """Let members be closed unread from now on, or no longer."""

    def closings(self, stream: str) -> Closings:
        """Return what is known of the stream's closings."""

    def add_closing(self, closing: Closing, audits: Mapping[str, str]) -> None:
        """Count a closing and its cluster's members; ``audits``: candidate -> its own cluster."""

    def has_closing(self, verdict_id: str) -> bool:
        """Return whether the verdict counts as a closing."""

    def drop_closing(self, verdict_id: str) -> None:
        """Let a closing never have been; its audits' clusters must have gone before."""

    def audits(self, verdict_id: str) -> Sequence[Audit]:
        """Return the audits of a verdict, by candidate."""

    def audit_of(self, cluster_id: str) -> Audit | None:
        """Return the audit that the cluster is made of."""

    def answer_audit(self, candidate_id: str, wrong: bool | None) -> None:
        """Note what an audit found; None: it waits again."""

    def alone(self, stream: str, actor: str) -> bool:
        """Return whether nobody else has ever given a verdict on the stream."""

    def take_out(self, cluster_id: str, parts: Sequence[TakenOut], at: float) -> None:
        """Move open or closed members of a cluster into new, open ones that follow it."""

    def put_back(self, cluster_id: str, into: str, closed: bool) -> bool:
        """Move all members of a cluster into another and remove it; return whether that was done.

        Nothing is done where something was ever said of the cluster. ``closed``: they leave the
        queue there, else they are open.
        """

    def close_members(self, cluster_id: str) -> None:
        """Close what is open of a decided cluster."""

    def closed_members(self, cluster_id: str) -> Sequence[str]:
        """Return the closed members of a cluster, oldest first."""

    def rest(self, verdict_id: str) -> str | None:
        """Return the cluster of what the verdict left unread, if there is one."""

    def pull_fully(self, cluster_id: str) -> None:
        """Let a look at the cluster be worth its posterior again."""

    def closed_by(self, stream: str, limit: int) -> Sequence[Verdict]:
        """Return verdicts with closed members, oldest first."""

    def could_close(self, stream: str, limit: int) -> Sequence[Verdict]:
        """Return dismissals whose rest waits, of which nothing was said since; oldest first."""

    def guesses(self, verdict: Verdict) -> bool:
        """Return whether labels of members that the verdict left unread are in force."""
