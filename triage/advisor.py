"""What the board can ask the model before anything is decided. Nothing here changes anything.

The advisor works in a process of its own, from the latest snapshot and the label log. It may be
slow, old or dead: the board goes on without it and says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from triage.errors import NotAvailable
from triage.model import VerdictKind

LIKE = 0.5
"""Share of the trees that see two events in the same cell, from which on they resemble each other.

With several detectors a cell is a part of a leaf (decision 26): of equal leaves, events two
deviations apart no longer do.

Closing a whole cluster on one look hid real anomalies at .35 and hardly any at .6 (measured on
Mammography, weather and thyroid data); for a warning it may be a little lower.
"""


@dataclass(frozen=True, slots=True)
class IfDecided:
    """What would this verdict change?

    Attributes:
        read: the members that are on the screen.
        actor: who would give it; labels weigh by that.
    """

    cluster_id: str
    kind: VerdictKind
    read: tuple[str, ...]
    actor: str


@dataclass(frozen=True, slots=True)
class AlikeCluster:
    """An open cluster like the one that is asked about; ``likeness``: of its likest member."""

    cluster_id: str
    likeness: float


@dataclass(frozen=True, slots=True)
class Advice:
    """What a verdict would change among the stream's other open clusters.

    A cluster is above the alert line if any of its members' margins reaches it. The line moves with
    the labels, as it will when they are learned.

    Attributes:
        open: open clusters looked at; ``candidates``: their members.
        above: of these above the line as it is now.
        lowered, raised: clusters whose probability would move by more than 0.01; as is told of a
            verdict once it is learned.
        fall, rise: clusters that would go below the line, or above it.
        against: the first of those that move towards this verdict although they resemble what was
            decided the other way, the likest first; ``against_total``: all of them.
        same, other: decided clusters that resemble this one, by whether they were decided so too.
        alike: the first open clusters that resemble this one, likest first; ``alike_total``: all.
        left_out: open members that could not be judged: of other features, or of a partition whose
            detector has no usable snapshot yet.
        teaches: the verdict teaches the detector anything at all.
        labels: position of the label log that was taken in.
        behind: accepted events since the oldest snapshot that was used.
    """

    open: int
    candidates: int
    above: int
    lowered: int
    raised: int
    fall: int
    rise: int
    against: tuple[AlikeCluster, ...]
    against_total: int
    same: int
    other: int
    alike: tuple[AlikeCluster, ...]
    alike_total: int
    left_out: int
    teaches: bool
    labels: int
    behind: int


@dataclass(frozen=True, slots=True)
class WhatIf:
    """How would a member score with other values?

    Attributes:
        candidate_id: a member of the cluster; None = the strongest.
        changes: feature -> value instead, as the detector sees it.
    """

    cluster_id: str
    candidate_id: str | None = None
    changes: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """A value at which the model's answer may change, as the detector and as a person sees it."""

    value: float
    text: str


@dataclass(frozen=True, slots=True)
class Lever:
    """A feature that can be moved.

    ``contribution``: to the margin when it was scored. ``stops``: by value; ``at``: the present
    one's place among them.
    """

    feature: str
    label: str
    contribution: float
    stops: tuple[Stop, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Changed:
    """One feature of a change: what it was, what it would be."""

    feature: str
    label: str
    before: str
    after: str
    value: float


@dataclass(frozen=True, slots=True)
class Scored:
    """A margin, its probability, and whether it reaches the alert line."""

    margin: float
    posterior: float
    alert: bool


@dataclass(frozen=True, slots=True)
class WhatIfAnswer:
    """How a member scores, and with other values.

    Attributes:
        candidate_id: the member.
        line: the margin at which alerts begin.
        now: as it is, under the labels in force.
        then: with the changes that were asked for; None if there were none.
        levers: the strongest features that push towards anomaly, strongest first.
        smallest: the smallest change of at most three of them that would make it normal; empty if
            it is below the line already, None if there is none among the values that were tried.
            Worked out only when no changes were asked for.
        left: how it scores after the smallest change.
    """

    candidate_id: str
    line: float
    now: Scored
    then: Scored | None
    levers: tuple[Lever, ...]
    smallest: tuple[Changed, ...] | None
    left: Scored | None


@dataclass(frozen=True, slots=True)
class RuleDraft:
    """A rule drawn around one cluster, tried on what is known.

    Attributes:
        words: its conditions as a person reads them. ``config``: the item for ``detectors``.
        inside, members: members of the cluster inside, and looked at.
        confirmed, dismissed: verdicts and late truths on others inside that said real, or not.
        open_clusters, open_candidates: other open ones inside.
        wrong, ordinary: recent events below the alert line, not used to draw it: inside, and all.
        precision: lower bound (95 %) of confirmed / (confirmed + dismissed + wrong).
    """

    words: tuple[str, ...]
    config: str
    inside: int
    members: int
    confirmed: int
    dismissed: int
    open_clusters: int
    open_candidates: int
    wrong: int
    ordinary: int
    precision: float


@dataclass(frozen=True, slots=True)
class DraftRule:
    """Which rule would catch a cluster like this one?"""

    cluster_id: str


@dataclass(frozen=True, slots=True)
class Drafted:
    """The answer; None where no readable box tells the cluster from ordinary events."""

    draft: RuleDraft | None


class Advisor(Protocol):
    """Answers soon or not at all: no method takes longer than about two seconds.

    Raises:
        NotAvailable: no answer; the message says why.
        NotFound: there is no such cluster or member.
    """

    async def open(self) -> None:
        """Get ready in the background; returns at once. Called once, before any question."""

    async def close(self) -> None:
        """End it."""

    async def advise(self, question: IfDecided) -> Advice:
        """Return what a verdict would change."""

    async def what_if(self, question: WhatIf) -> WhatIfAnswer:
        """Return how a member would score with other values."""

    async def draft_rule(self, question: DraftRule) -> Drafted:
        """Return a rule around a cluster."""


class NoAdvisor:
    """Where there is none."""

    async def open(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""

    async def advise(self, question: IfDecided) -> Advice:
        """Say that there is none."""
        raise NotAvailable("this board runs without an advisor")

    async def what_if(self, question: WhatIf) -> WhatIfAnswer:
        """Say that there is none."""
        raise NotAvailable("this board runs without an advisor")

    async def draft_rule(self, question: DraftRule) -> Drafted:
        """Say that there is none."""
        raise NotAvailable("this board runs without an advisor")
