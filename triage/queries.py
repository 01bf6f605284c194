"""What the board reads: plain values, made for showing.

Long, but a list: one value after the other, then the protocol that returns them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from triage.case_queries import CaseQueries
from triage.cases import Dispute, Rollback
from triage.closing import Bound
from triage.drift import DriftReads
from triage.lag import LagReads
from triage.looks import Look
from triage.model import (
    Candidate,
    ClusterStatus,
    Counters,
    MemberState,
    SuppressionState,
    VerdictKind,
    VerdictState,
)
from triage.recall import Recall
from triage.trial import RolloutReads


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """What to list. None = all. ``order``: ``worth`` (default), ``newest``, ``largest``.

    Attributes:
        text: words that must all occur in title, subtitle or stream, or be an entity's value.
        feature: its label is among the three leading reasons.
        cohort: a member belongs to it, (field, value).
        disputed: only those whose verdict a second reader disagrees with; a lead decides.
        viewer: name of who asks. With it ``status=OPEN`` also lists the clusters that wait for a
            second opinion, except those where the viewer gave the first; all that wait for the
            viewer's are shown as ``open``, so that the second opinion is blind.
    """

    stream: str | None = None
    status: ClusterStatus | None = ClusterStatus.OPEN
    entity: str | None = None
    text: str | None = None
    order: str = "worth"
    viewer: str | None = None
    assignee: str | None = None
    disputed: bool = False
    feature: str | None = None
    cohort: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One cluster in the queue.

    Attributes:
        worth: value of a look, 0 to 10. ``posterior``: probability that it is real.
        score, weakest: of its strongest and its weakest member, before any label; where members
            were taken out unread, of those that it had when it was decided.
        top: the three strongest reasons: (label, contribution), of the cluster's mean.
        suggested: the verdict that the model would give.
        similar: how decided clusters like it were decided, verdict -> how many; in the queue only.
    """

    cluster_id: str
    stream: str
    title: str
    subtitle: str
    status: ClusterStatus
    revision: int
    worth: float
    posterior: float
    score: float
    weakest: float
    size: int
    entities: int
    top: tuple[tuple[str, float], ...]
    first_time: float
    last_time: float
    created_at: float
    suggested: VerdictKind
    verdict: VerdictKind | None
    predecessor: str | None
    similar: Mapping[str, int] = field(default_factory=dict)
    assignee: str = ""


@dataclass(frozen=True, slots=True)
class QueuePage:
    """A slice of the queue. ``position``: newest change (see ``Change``) that it includes."""

    rows: Sequence[QueueRow]
    total: int
    position: int


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One member of a cluster; ``posterior`` is the latest one."""

    candidate: Candidate
    posterior: float
    state: MemberState


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """A verdict and what became of it.

    Attributes:
        learned: labels of this verdict (once it is taken back: their retraction) are in force in
            every partition of the stream's present topic. True at once, without models, where there
            is nothing to learn.
        model_before, model_after: label positions of the models, once learned.
        rose, fell: open clusters whose posterior moved by more than 0.01.
        scope, expires_at: what an *expected* verdict covers and until when (seconds since 1970);
            from then on its labels are taken back while the cluster stays decided.
        grace_until: seconds since 1970; until then undo leaves no trace outside.
        propagated: members that nobody read; of those ``audited`` were drawn for blind audits,
            ``closed`` have left the queue, the others wait in the cluster ``rest``.
    """

    verdict_id: str
    cluster_id: str
    kind: VerdictKind
    state: VerdictState
    actor: str
    at: float
    reason: str
    scope: str
    expires_at: float | None
    read: int
    propagated: int
    grace_until: float
    learned: bool
    model_before: int | None
    model_after: int | None
    rose: int
    fell: int
    rest: str | None = None
    audited: int = 0
    closed: int = 0


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An answered audit: a member that a dismissal would close, or closed, unread.

    Attributes:
        cluster_id, title: of the member alone; ``wrong``: it is real, as the bound counts it.
        kind, actor, at: of the verdict that is audited; ``of``: the cluster that it was given on.
        probability: with which the member was drawn.
        truth: what late truth says of it, which outranks what was read; None: nothing yet.
    """

    candidate_id: str
    cluster_id: str
    title: str
    stream: str
    wrong: bool
    kind: VerdictKind
    of: str
    probability: float
    actor: str
    at: float
    truth: bool | None = None


@dataclass(frozen=True, slots=True)
class ClusterReason:
    """Mean contribution of a feature over the cluster, and the strongest member's value.

    ``low`` and ``high`` are one standard deviation off the mean.
    """

    feature: str
    label: str
    mean: float
    low: float
    high: float
    text: str
    usual: str


@dataclass(frozen=True, slots=True)
class TruthRow:
    """What late truth says of one member.

    ``at``: when it arrived, ``delay_s`` after the event. ``contradicts``: the verdict that stands.
    """

    source: str
    id: str
    candidate_id: str
    real: bool
    at: float
    delay_s: float
    contradicts: bool


@dataclass(frozen=True, slots=True)
class TruthSource:
    """How much a source has told about a stream, as far as it is in force.

    ``waiting``: reports whose event has never been a candidate. ``contradicting``: those that
    differ from the verdict on their candidate.
    """

    stream: str
    source: str
    joined: int
    waiting: int
    contradicting: int
    newest_at: float


@dataclass(frozen=True, slots=True)
class SuppressionRow:
    """What an *expected* verdict keeps out of the open queue.

    Attributes:
        suppression_id: id of the verdict; ``cluster_id``, ``title``: of what it was given on.
        entities, features: what is covered; empty = any.
        usual: members per day that the cluster had; ``candidates``, ``clusters``: kept out so far.
        because: why it was broken.
        reasons: the features as people call them.
    """

    suppression_id: str
    stream: str
    cluster_id: str
    title: str
    scope: str
    entities: tuple[str, ...]
    features: tuple[str, ...]
    actor: str
    at: float
    expires_at: float
    usual: float
    candidates: int
    clusters: int
    state: SuppressionState
    ended_at: float | None
    because: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AnalystRow:
    """How far an analyst's labels are trusted, over all streams.

    ``read``: labels in force of members that were read; ``agreed``, ``disagreed``: reads that late
    truth or a second reader bore out, or not. ``weight``: what a label weighs by these counts (each
    stream uses its own).
    """

    analyst: str
    read: int
    agreed: int
    disagreed: int
    reliability: float
    weight: float


@dataclass(frozen=True, slots=True)
class InfluenceRow:
    """A past verdict's part in a margin: the cluster that it was given on, what it said, the shift.

    ``real``: it said so rather than not. ``shift``: of the margin; positive = towards anomaly.
    """

    cluster_id: str
    title: str
    real: bool
    shift: float


@dataclass(frozen=True, slots=True)
class ClusterDetail:
    """Everything of a cluster that its page shows.

    Attributes:
        truths: the newest, newest first.
        influences: the verdicts that moved its strongest member most when that was scored.
        bound: of the stream's closings, where a dismissal left members of this cluster unread.
        again: the viewer works alone, and is asked to read an audit a second time.
        choices: reasons that can be given with a verdict, by the keys 1 to 9.
        disputes: of its verdicts, newest first.
    """

    row: QueueRow
    reasons: Sequence[ClusterReason]
    method: str
    detector: str
    threshold: float
    config_version: str
    members: Sequence[MemberRow]
    members_total: int
    verdicts: Sequence[VerdictRow]
    truths: Sequence[TruthRow]
    similar: Mapping[str, int]
    guideline: str
    influences: Sequence[InfluenceRow]
    bound: Bound | None = None
    again: bool = False
    choices: Sequence[str] = ()
    disputes: Sequence[Dispute] = ()


@dataclass(frozen=True, slots=True)
class EntityEvent:
    """One event on an entity's time axis; ``candidate_id`` is None for ordinary events.

    Attributes:
        entities: of the event, field -> value, as far as its fields tell.
        beside: the candidate that an ordinary event is kept with.
        missed_by: who reports that this ordinary event was real, if somebody does.
    """

    time: float
    fields: Mapping[str, Any]
    candidate_id: str | None
    cluster_id: str | None
    stream: str
    entities: Mapping[str, str]
    beside: str | None = None
    missed_by: str | None = None


@dataclass(frozen=True, slots=True)
class EntityDetail:
    """One entity over all clusters.

    Attributes:
        name: its field ("customer_id"); ``value``: which one.
        clusters: those that it is in, newest first, as many as were asked for.
        members: cluster id -> anomalies of this entity in it.
        clusters_total, members_total: of all its clusters.
        verdicts: how its decided clusters were decided.
        events: its newest anomalies and the ordinary events kept beside them, oldest first.
    """

    name: str
    value: str
    clusters: Sequence[QueueRow]
    members: Mapping[str, int]
    clusters_total: int
    members_total: int
    verdicts: Mapping[str, int]
    events: Sequence[EntityEvent]


@dataclass(frozen=True, slots=True)
class ConfigVersion:
    """A config that a stream ran under; ``at``: when it was first used, seconds since 1970."""

    version: str
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class TaughtBy:
    """A verdict whose labels a model learned; ``standing``: false once it was taken back."""

    cluster_id: str
    title: str
    kind: VerdictKind
    standing: bool


@dataclass(frozen=True, slots=True)
class Lesson:
    """What new labels changed: ``rose`` and ``fell`` count open clusters, over all partitions.

    ``model_before``, ``model_after``: label positions; ``by``: the verdicts between them.
    """

    model_before: int
    model_after: int
    rose: int
    fell: int
    at: float
    by: Sequence[TaughtBy]


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """How a stream is doing. ``warm_up_left`` and ``delay``: the largest of its partitions.

    Attributes:
        delay: seconds from the log's taking a partition's last record to its commit.
    """

    stream: str
    title: str
    partitions: int
    counters: Counters
    warm_up_left: int
    last_event_time: float | None
    last_commit_at: float | None
    open_clusters: int
    model_version: int
    delay: float | None = None


@dataclass(frozen=True, slots=True)
class BoardStatus:
    """The numbers of the frame. ``position``: newest change.

    ``disputed_clusters``: a second reader disagrees with their verdict, and a lead has not settled.
    """

    streams: Sequence[StreamStatus]
    open_clusters: int
    suppressed_clusters: int
    decided_today: int
    position: int
    disputed_clusters: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happened; ids rise without a gap in commit order (server-sent events).

    ``kind`` and ``data``: ``clusters`` (new, grown or moved in the queue: the first 200 ``ids``,
    ``total``), ``verdict`` (``id``, ``cluster_id``: given, taken back or
    expired), ``learned`` (``stream``,
    ``verdicts``, ``rose``, ``fell``, ``model``), ``published`` (``verdicts``), ``status``
    (``stream``: a stream came, changed its config, or is warm now), ``missed`` (``stream``: an
    event was reported as missed, or is no longer).
    """

    change_id: int
    kind: str
    at: float
    data: Mapping[str, Any]


class Queries(CaseQueries, RolloutReads, DriftReads, LagReads, Protocol):
    """Read side of the store. ``now`` is passed in, seconds since 1970."""

    def queue(self, where: QueueFilter, offset: int, limit: int) -> QueuePage:
        """Return rows ``offset`` to ``offset + limit`` of the filtered, ordered queue."""

    def cluster(
        self, cluster_id: str, members: int, viewer: str | None = None
    ) -> ClusterDetail | None:
        """Return a cluster with its first members by posterior, None if there is no such one.

        A merged one is no more, see ``merged_into``.

        With the name of who asks, one that waits for that person's second opinion is ``open``.
        """

    def members(self, cluster_id: str, offset: int, limit: int) -> Sequence[MemberRow]:
        """Return more members, strongest posterior first."""

    def reasons(self, cluster_id: str) -> Sequence[ClusterReason]:
        """Return the cluster's reasons, strongest first; none if there is no such cluster."""

    def entity_events(self, cluster_id: str, limit: int) -> Sequence[EntityEvent]:
        """Return the kept events around the cluster's main entity, oldest first, no repeats."""

    def entity(
        self, name: str, value: str, limit: int, viewer: str | None = None
    ) -> EntityDetail | None:
        """Return what is known of an entity, None if it is in no cluster.

        ``viewer`` as for ``cluster``. Clusters that wait for a second opinion show no verdict.
        """

    def verdict(self, verdict_id: str, viewer: str | None = None) -> VerdictRow | None:
        """Return one verdict; ``viewer`` as for ``recent_verdicts``."""

    def recent_verdicts(self, limit: int, viewer: str | None = None) -> Sequence[VerdictRow]:
        """Return the newest verdicts, newest first.

        With the name of who asks, others' first opinions are left out where a second is awaited.
        """

    def truth_sources(self) -> Sequence[TruthSource]:
        """Return how much each source of late truth has told, by stream and source."""

    def suppressions(self) -> Sequence[SuppressionRow]:
        """Return the newest suppressions, those in force first."""

    def analysts(self) -> Sequence[AnalystRow]:
        """Return everybody whose labels are in force, by name."""

    def rollbacks(self) -> Sequence[Rollback]:
        """Return the newest roll-backs, newest first."""

    def looks(self, stream: str | None, limit: int) -> Sequence[Look]:
        """Return the newest decided clusters, oldest first; None: of all streams."""

    def bounds(self) -> Sequence[Bound]:
        """Return the bound of wrong closings of each stream that has closings."""

    def audits(self, stream: str | None, limit: int) -> Sequence[AuditRow]:
        """Return the newest answered audits, newest first; None: of all streams."""

    def recalls(self) -> Sequence[Recall]:
        """Return which part of its real clusters was found, of each stream that has clusters."""

    def configs(self, stream: str) -> Sequence[ConfigVersion]:
        """Return the configs of a stream, newest first."""

    def lessons(self, stream: str, limit: int) -> Sequence[Lesson]:
        """Return what the newest labels changed, newest first."""

    def status(self, now: float) -> BoardStatus:
        """Return the numbers of the top bar."""

    def changes_after(self, change_id: int, limit: int) -> Sequence[Change]:
        """Return what happened after that change, oldest first."""
