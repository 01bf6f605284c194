"""What an evaluation does with members that nobody read: as the store does, in memory."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from streaming.evaluate.analyst import labels_from
from streaming.evaluate.measures import rounded
from streaming.evaluate.queue import Cluster, Member, Queue
from triage.bound import Drawn
from triage.closing import (
    DISMISSES,
    Bound,
    Closings,
    bound_of,
    pull_of_rest,
)
from triage.draw import is_drawn, probability
from triage.model import Label, VerdictKind
from triage.policy import Policy


class Closing(enum.StrEnum):
    """What becomes of unread members.

    ``audited``: as the stream's policy says. ``off``: they wait as rests, without audits. ``all``:
    one verdict closes the whole cluster, as many tools do.
    """

    AUDITED = "audited"
    OFF = "off"
    ALL = "all"

    def policy(self, policy: Policy) -> Policy:
        """Return the policy with what this leaves of it."""
        if self is Closing.AUDITED:
            return policy
        none = dict.fromkeys(("audit_share", "uncertain_share", "random_share"), 0.0)
        return policy.model_copy(update=none)


@dataclass(slots=True, eq=False)
class _Dismissal:
    """A verdict whose unread members are closings.

    ``audits``: what was found of each that was ``drawn``, None while it waits.
    """

    cluster: Cluster
    kind: VerdictKind
    read: int
    probability: float
    members: Sequence[Member]
    audits: dict[str, bool | None] = field(default_factory=dict)
    drawn: dict[str, Member] = field(default_factory=dict)
    closed: list[Member] = field(default_factory=list)


class Rests:
    """Takes verdicts in; keeps rests and audits in the queue, and closes while the bound is met."""

    def __init__(self, stream: str, queue: Queue, policy: Policy, mode: Closing) -> None:
        self._stream = stream
        self._queue = queue
        self._policy = mode.policy(policy)
        self._mode = mode
        self._dismissals: list[_Dismissal] = []
        self._origin: dict[str, tuple[str, VerdictKind, _Dismissal | None]] = {}
        self._audits: dict[str, tuple[_Dismissal, set[str]]] = {}  # with those that contradicted
        self._verdicts = self._made = self._reopened = 0
        self._closes = False
        self._closed_by_all: list[Member] = []
        self._ever_above = self._ever_above_truth = False
        self._told: set[str] = set()
        self._told_real: set[str] = set()
        self._undrawn: set[str] = set()  # closings that nobody audits

    def decided(
        self, cluster: Cluster, kind: VerdictKind, read: Sequence[Member]
    ) -> tuple[Sequence[Label], str | None]:
        """Take a verdict in.

        Returns its labels, and the verdict whose labels of unread members are gone by it.
        """
        self._verdicts += 1
        if cluster.cluster_id in self._audits:
            return self._audited(cluster, kind, read)
        unread = [member for member in cluster.members if member not in read]
        if kind is VerdictKind.UNSURE or not unread:
            return self._labels(cluster, kind, read), self._contrary(cluster, kind)
        if self._mode is Closing.ALL:
            self._closed_by_all += unread if kind in DISMISSES else []
            return self._labels(cluster, kind, read), None
        gone = self._contrary(cluster, kind)
        audited = self._leave(cluster, kind, unread, len(read))
        return self._labels(cluster, kind, read, audited), gone

    def tell(self, members: Iterable[Member]) -> None:
        """Let late truth have spoken of these members; the next verdict follows what it says."""
        for member in members:
            self._told.add(member.candidate_id)
            if member.truth == 1:
                self._told_real.add(member.candidate_id)

    def figures(self) -> dict[str, Any]:
        """Return what became of unread members, ready for JSON."""
        closed = [*self._closed_by_all, *(m for one in self._dismissals for m in one.closed)]
        bound = self._bound()
        known = self._known()
        wrong = sum(member.truth == 1 for one in known for member in one.members)
        return {
            "closing": self._mode.value,
            "closed_unread": len(closed),
            "closed_wrongly": sum(member.truth == 1 for member in closed),
            "reopened": self._reopened,
            "closings": bound.closings,
            "audits": bound.audits,
            "audits_wrong": bound.wrong,
            "wrong_share": rounded(wrong / bound.closings) if bound.closings else None,
            "wrong_bound": rounded(bound.share),
            "bound_ever_below": self._ever_above,
            "told": bound.told,
            "by_truth": bound.by_truth,
            "bound_by_truth_ever_below": self._ever_above_truth,
        }

    def _labels(
        self,
        cluster: Cluster,
        kind: VerdictKind,
        read: Sequence[Member],
        without: Sequence[Member] = (),
    ) -> Sequence[Label]:
        told = Cluster(cluster.cluster_id, [one for one in cluster.members if one not in without])
        return labels_from(cluster.cluster_id, kind, told, read, self._policy)

    def _leave(
        self, cluster: Cluster, kind: VerdictKind, unread: Sequence[Member], read: int
    ) -> Sequence[Member]:
        """Draw audits; close the others, or keep them as a rest. Return what was drawn."""
        origin = self._origin.get(cluster.cluster_id)
        dismissal = origin[2] if origin else None
        audited: list[Member] = []
        if kind in DISMISSES and dismissal is None and self._policy.audit_share:
            policy = self._policy
            share = probability(policy.audit_share, self._verdicts, self._made, len(unread))
            dismissal = _Dismissal(cluster, kind, read, share, unread)
            self._dismissals.append(dismissal)
            self._made += len(unread)
            audited = [
                member
                for member in unread
                if is_drawn(policy.audit_seed, (cluster.cluster_id, member.candidate_id), share)
            ]
            for member in audited:
                name = f"audit of {member.candidate_id}"
                self._audits[name] = (dismissal, set())
                dismissal.audits[name] = None
                dismissal.drawn[name] = member
                self._queue.put(Cluster(name, [member], pull=0.0, root=cluster.root))
            self._undrawn.update(member.candidate_id for member in unread if member not in audited)
        left = [member for member in unread if member not in audited]
        if dismissal and kind in DISMISSES and self._closes:
            dismissal.closed += left
        elif left:
            self._keep(cluster, kind, read, left, dismissal)
        self._follow()
        return audited

    def _keep(
        self,
        cluster: Cluster,
        kind: VerdictKind,
        read: int,
        left: Sequence[Member],
        dismissal: _Dismissal | None,
    ) -> None:
        rest = Cluster(
            f"rest of {cluster.cluster_id}",
            list(left),
            pull=pull_of_rest(kind, read),
            root=cluster.root,
        )
        self._origin[rest.cluster_id] = (cluster.cluster_id, kind, dismissal)
        self._queue.put(rest)

    def _audited(
        self, cluster: Cluster, kind: VerdictKind, read: Sequence[Member]
    ) -> tuple[Sequence[Label], str | None]:
        dismissal, contradicted = self._audits[cluster.cluster_id]
        if kind is VerdictKind.REAL and not contradicted:
            contradicted.add(cluster.cluster_id)
            self._queue.put(cluster)  # a second read decides
            return [], None
        wrong = kind is VerdictKind.REAL
        dismissal.audits[cluster.cluster_id] = wrong
        gone = None
        if wrong:
            gone = dismissal.cluster.cluster_id
            self._reopen(dismissal, pull=1.0)
            self._queue.pull_fully(f"rest of {gone}")
        self._follow()
        return self._labels(cluster, kind, read), gone

    def _contrary(self, cluster: Cluster, kind: VerdictKind) -> str | None:
        """Return the verdict before, if one on its rest says otherwise."""
        origin = self._origin.get(cluster.cluster_id)
        if origin is None or kind is VerdictKind.UNSURE:
            return None
        return origin[0] if (origin[1] in DISMISSES) != (kind in DISMISSES) else None

    def _follow(self) -> None:
        """Close and reopen as the bound says; note whether the truth was ever above it."""
        bound = self._bound()
        known = self._known()
        wrong = sum(member.truth == 1 for one in known for member in one.members)
        above = wrong > bound.share * bound.closings + 1e-9
        self._ever_above |= above
        self._ever_above_truth |= above and bound.by_truth
        if bound.met and not self._closes:
            for rest_id, (_, kind, dismissal) in self._origin.items():
                if dismissal is not None and kind in DISMISSES:
                    dismissal.closed += self._queue.take_untouched(rest_id)
        if not bound.met and self._closes:
            for dismissal in self._dismissals:
                self._reopened += len(dismissal.closed)
                self._reopen(dismissal)
        self._closes = bound.met

    def _reopen(self, dismissal: _Dismissal, pull: float | None = None) -> None:
        if not dismissal.closed:
            return
        left, dismissal.closed = dismissal.closed, []
        self._keep(dismissal.cluster, dismissal.kind, dismissal.read, left, dismissal)
        if pull is not None:
            self._queue.pull_fully(f"rest of {dismissal.cluster.cluster_id}")

    def _known(self) -> Sequence[_Dismissal]:
        """Return the dismissals before the first one with an audit that waits."""
        known = []
        for one in self._dismissals:
            if None in one.audits.values():
                break
            known.append(one)
        return known

    def _bound(self) -> Bound:
        known = self._known()
        groups: dict[float, Drawn] = {}
        told = 0
        for one in known:
            before = groups.get(one.probability, Drawn(one.probability, 0))
            told_real = wrong = 0
            for name, member in one.drawn.items():
                if member.candidate_id in self._told:
                    told += 1
                    told_real += member.candidate_id in self._told_real
                    wrong += member.candidate_id in self._told_real
                else:
                    wrong += one.audits[name] is True
            groups[one.probability] = Drawn(
                one.probability,
                before.count + len(one.members),
                before.hits + wrong,
                before.told_real + told_real,
            )
        waiting = sum(answer is None for one in self._dismissals for answer in one.audits.values())
        closings = Closings(
            drawn=list(groups.values()),
            audits=sum(len(one.audits) for one in known),
            waiting=waiting,
            closed=sum(len(one.closed) for one in self._dismissals),
            told=told,
            unread_real=len(self._told_real & self._undrawn),
        )
        return bound_of(self._stream, closings, self._policy)
