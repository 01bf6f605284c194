"""The nouns of the domain, as immutable values."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class VerdictKind(enum.StrEnum):
    """What an analyst says of a cluster."""

    REAL = "real"
    SPURIOUS = "spurious"
    EXPECTED = "expected"
    PIPELINE_FAULT = "pipeline_fault"
    UNSURE = "unsure"


class ClusterStatus(enum.StrEnum):
    """``open`` waits for a verdict; ``second_opinion`` waits for another analyst's, blind.

    ``suppressed``: every member is covered by an *expected* verdict on another cluster. ``merged``:
    all its members are in another cluster.
    """

    OPEN = "open"
    SECOND_OPINION = "second_opinion"
    DECIDED = "decided"
    SUPPRESSED = "suppressed"
    MERGED = "merged"


class MemberState(enum.StrEnum):
    """What is known of one candidate.

    ``read``: an analyst had it on the screen when giving the verdict. ``propagated``: nobody read
    it, the verdict of its cluster is evidence about it, never truth. ``closed``: nobody read it,
    and it left the queue with its cluster, as the audited bound of such closings allows.
    """

    OPEN = "open"
    READ = "read"
    PROPAGATED = "propagated"
    CLOSED = "closed"


class VerdictState(enum.StrEnum):
    """``pending`` until the undo grace is over, then ``recorded``; ``published`` by the relay."""

    PENDING = "pending"
    RECORDED = "recorded"
    PUBLISHED = "published"
    UNDONE = "undone"
    RETRACTED = "retracted"


class KeepOut(enum.StrEnum):
    """Which part of the cluster names what is kept out."""

    ENTITY_AND_REASON = "entity_and_reason"
    ENTITY = "entity"
    REASON = "reason"
    NOTHING = "nothing"


class SuppressionState(enum.StrEnum):
    """``expired`` leaves what it kept out where it is; after the last two it is open again."""

    ACTIVE = "active"
    EXPIRED = "expired"
    BROKEN = "broken"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Reason:
    """One feature's part in a candidate's score, ready to be shown.

    Attributes:
        feature: the feature's name in the config; ``label``: its name for people.
        contribution: signed, in units of the margin; positive = towards anomaly.
        value: the number that the detector saw (None = missing).
        text: the value as a person reads it, with unit ("412 €", "ftp").
        usual: its usual range as a person reads it ("20–55 €"), empty if there is none.
        ratio: value / middle of the usual range, where that makes sense, else None.
        entity: field name of the entity that a window aggregate belongs to, else None.
    """

    feature: str
    label: str
    contribution: float
    value: float | None
    text: str
    usual: str
    ratio: float | None = None
    entity: str | None = None


@dataclass(frozen=True, slots=True)
class Influence:
    """What one verdict's label added to a candidate's margin when it was scored.

    Attributes:
        candidate_id: what the label is about.
        y: 1 real, 0 not, or a probability between.
        shift: signed, in units of the margin; positive = towards anomaly.
    """

    candidate_id: str
    y: float
    shift: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """An event that a detector finds anomalous enough for the board. Written once, never changed.

    Attributes:
        candidate_id: uuid5 of topic id, partition, offset, detector, config version.
        features_version: what the columns of ``vector`` mean; it outlives changes of other parts.
        detector: name of the detector as the board shows it.
        event_time: seconds since 1970 (the event's own time; the record's where it has none).
        entity: value of the stream's key.
        entities: entity fields of the event, name -> value.
        score: standardised unsupervised score.
        margin: label-adjusted margin when it was scored; ``posterior`` = sigmoid of it.
        threshold: the margin that was needed at that time.
        model_version: label position of the model that scored it.
        vector: feature vector, little-endian float32.
        reasons: all features, largest |contribution| first.
        method: name of the explanation's method.
        context: the entity's last events before this one, oldest first: ``{"time", "fields"}``.
        record: the decoded event, declared fields only.
        influences: the labels that moved the margin most, strongest first.
        cohorts: groups that the event belongs to, field -> value; nothing is grouped by them.
    """

    candidate_id: str
    stream: str
    config_version: str
    features_version: str
    detector: str
    partition: int
    offset: int
    event_id: str | None
    event_time: float
    entity: str
    entities: Mapping[str, str]
    score: float
    margin: float
    posterior: float
    threshold: float
    model_version: int
    vector: bytes
    reasons: tuple[Reason, ...]
    method: str
    context: tuple[Mapping[str, Any], ...]
    record: Mapping[str, Any]
    influences: tuple[Influence, ...] = ()
    cohorts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Label:
    """One row of the label log.

    Attributes:
        candidate_id: what it is about. ``vector``: its features (little-endian float32), whose
            columns mean what ``features_version`` says; an event that was never a candidate has
            none and says "" there.
        y: 1.0 anomaly, 0.0 not.
        weight: 1.0 for a read member, less for a propagated one.
        verdict_id: where it comes from, a verdict or a late truth; its retraction drops all rows.
        event_time, entities: when it happened and to whom, as the candidate has them.
        source: name of the source of a late truth, empty for a verdict.
        at: when it entered the log, so ``at - event_time`` is its delay.
        inferred: nobody read it, its cluster's verdict is evidence about it; the weight can't tell,
            for it also follows from how far its analyst is trusted.
    """

    candidate_id: str
    verdict_id: str
    y: float
    weight: float
    vector: bytes
    features_version: str
    event_time: float
    entities: Mapping[str, str]
    source: str = ""
    at: float = 0.0
    inferred: bool = False


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. ``role`` is a key of ``access.ALLOWED``."""

    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Counters:
    """What became of a partition's records; each record is in exactly one of the first five.

    ``held_back``: would be candidates, but for the limit in alerts per hour or day.
    """

    accepted: int = 0
    dead_lettered: int = 0
    duplicates: int = 0
    late: int = 0
    skipped: int = 0
    candidates: int = 0
    held_back: int = 0

    def __add__(self, other: Counters) -> Counters:
        return Counters(
            self.accepted + other.accepted,
            self.dead_lettered + other.dead_lettered,
            self.duplicates + other.duplicates,
            self.late + other.late,
            self.skipped + other.skipped,
            self.candidates + other.candidates,
            self.held_back + other.held_back,
        )


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A message that must go out once.

    Attributes:
        topic: where to. ``key``, ``value``, ``headers``: what.
        verdict_id: a row of an undone verdict is never numbered, so never sent.
        not_before: seconds since 1970; not numbered earlier (the undo grace).
        sequence: its gap-free number in the topic, given by the relay; None before.
    """

    outbox_id: int
    topic: str
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()
    verdict_id: str | None = None
    not_before: float = 0.0
    sequence: int | None = None


@dataclass(frozen=True, slots=True)
class Learning:
    """What one application of labels changed on the board, per partition.

    ``rose`` / ``fell``: open clusters whose posterior moved by more than 0.01.
    """

    stream: str
    partition: int
    model_before: int
    model_after: int
    rose: int
    fell: int
    at: float


@dataclass(frozen=True, slots=True)
class PartitionState:
    """What a worker needs to go on with a partition, and what the board shows of it.

    Attributes:
        topic_id: the log's id of the topic when the partition was first owned.
        next_offset: position committed. ``label_position``: labels applied up to here.
        rollout: number of the roll-out of the config that the partition has taken in.
        epoch: owner epoch; a commit under an older one is refused.
        warm_up_left: accepted records until the detector alerts, 0 when warm.
        last_event_time: largest event time seen, None before the first event.
    """

    stream: str
    partition: int
    topic_id: str
    config_version: str
    epoch: int
    next_offset: int = 0
    label_position: int = 0
    counters: Counters = field(default_factory=Counters)
    warm_up_left: int = 0
    last_event_time: float | None = None
    rollout: int = 0


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """What took effect at ``offset`` (next to read) of a partition: labels, or a config.

    Attributes:
        label_position: labels up to here are in force. ``rollout``: number of the stream's
            roll-out in force. Both only grow.
        since: a version whose state could not follow from the one before learned the records from
            here to ``offset``; None where nothing had to be learned.
        base: offset of the retained state that it went on from; None: from nothing.
    """

    offset: int
    label_position: int
    rollout: int = 0
    since: int | None = None
    base: int | None = None
