"""The analyst of an evaluation: reads three members of a cluster, and mostly tells the truth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from streaming.evaluate.queue import Cluster, Member
from streaming.evaluate.truth import UNKNOWN
from triage.labels import labels_of
from triage.model import Label, MemberState, VerdictKind
from triage.policy import Policy

READ = 3
"""Members that a look reads at most."""


class Analyst:
    """Gives verdicts from the truth of what was read.

    The cluster is *real* if at least half of what was read is, else *spurious*; where the truth of
    none is known, *unsure*. With probability ``error`` the verdict is the opposite; ``together``:
    so is then every verdict on members of that cluster, whoever gives it.
    """

    def __init__(self, error: float, seed: int, *, together: bool = False) -> None:
        self._error = error
        self._rng = np.random.default_rng(seed)
        self._together = together
        self._wrong: dict[str, bool] = {}  # by the cluster that members were first in

    def read(self, cluster: Cluster) -> Sequence[Member]:
        """Return what the analyst looks at."""
        return cluster.strongest(READ)

    def verdict(self, read: Sequence[Member], root: str = "") -> VerdictKind:
        """Return the verdict on a cluster of which these members were read.

        ``root``: the cluster that they were first in.
        """
        wrong = bool(self._rng.random() < self._error)
        if self._together:
            wrong = self._wrong.setdefault(root, wrong)
        known = [member.truth for member in read if member.truth != UNKNOWN]
        if not known:
            return VerdictKind.UNSURE
        real = 2 * sum(known) >= len(known)
        return VerdictKind.REAL if real != wrong else VerdictKind.SPURIOUS


def labels_from(
    verdict_id: str,
    verdict: VerdictKind,
    cluster: Cluster,
    read: Sequence[Member],
    policy: Policy,
) -> Sequence[Label]:
    """Return the rows that the verdict adds to the label log."""
    members = {member.candidate_id: member for member in cluster.members}
    new = labels_of(verdict, list(members), [member.candidate_id for member in read], policy)
    return [
        Label(
            candidate_id=one.candidate_id,
            verdict_id=verdict_id,
            y=one.y,
            weight=one.weight,
            vector=members[one.candidate_id].vector,
            features_version=members[one.candidate_id].features_version,
            event_time=members[one.candidate_id].event_time,
            entities=members[one.candidate_id].entities,
            inferred=one.state is not MemberState.READ,
        )
        for one in new
    ]
