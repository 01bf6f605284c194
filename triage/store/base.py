"""The contract of a store. Every method is one transaction.

Raises ``Fenced`` where an epoch or lease is no longer ours, ``Conflict`` where the object changed
meanwhile, ``StoreUnavailable`` where the database can't be reached or is full (nothing happened).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from triage.model import (
    Candidate,
    Counters,
    JournalEntry,
    Label,
    OutboxRow,
    PartitionState,
)


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """A partition's whole state at ``offset``, with the labels it held. ``sha256`` is of ``blob``."""

    offset: int
    label_position: int
    sha256: str
    blob: bytes


@dataclass(frozen=True, slots=True)
class NewDeadLetter:
    """An outbox row to be for the dead-letter topic."""

    topic: str
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class PartitionCommit:
    """One partition's part of a commit.

    Attributes:
        counters: to be *added* to what is stored.
        journal: label applications since the last commit.
        rescored: candidate id -> new posterior of open candidates that moved.
        label_position: after this commit; if it rose, a ``Learning`` row is written with the number
            of open clusters that rose and fell by ``rescored``.
        snapshot: written when present; the newest three are kept.
    """

    partition: int
    epoch: int
    next_offset: int
    label_position: int
    counters: Counters
    candidates: Sequence[Candidate] = ()
    dead_letters: Sequence[NewDeadLetter] = ()
    journal: Sequence[JournalEntry] = ()
    rescored: Mapping[str, float] = field(default_factory=dict)
    snapshot: SnapshotRow | None = None
    warm_up_left: int = 0
    last_event_time: float | None = None


@dataclass(frozen=True, slots=True)
class OpenCandidate:
    """What rescoring needs of a candidate that waits for a verdict."""

    candidate_id: str
    vector: bytes
    posterior: float


@dataclass(frozen=True, slots=True)
class ClusterUpdate:
    """A cluster as the grouper leaves it after new members.

    Attributes:
        members: candidate ids to be added (size, times, entities, posterior, worth are computed by
            the store from its members).
        key: the exact key. ``predecessor``: the decided cluster that it follows, if any.
    """

    cluster_id: str
    stream: str
    detector: str
    key: str
    title: str
    subtitle: str
    members: Sequence[str]
    predecessor: str | None = None


@dataclass(frozen=True, slots=True)
class GroupedCandidate:
    """A candidate as the grouper reads it: ``seq`` is its place in commit order."""

    seq: int
    candidate: Candidate
    cluster_id: str | None


class WorkerStore(Protocol):
    """What the scoring worker needs."""

    def register_config(self, stream: str, version: str, text: str, at: float) -> None:
        """Remember the config's text under its version (idempotent)."""

    def own(
        self, stream: str, partition: int, topic_id: str, config_version: str
    ) -> PartitionState:
        """Take the partition over: epoch + 1. Creates it on first sight.

        Raises Stop-like ``TopicReplaced`` if the stored ``topic_id`` differs, ``ConfigChanged`` if
        the stored ``config_version`` differs.
        """

    def snapshots(self, stream: str, partition: int) -> Sequence[SnapshotRow]:
        """Return the kept snapshots, newest first, as stored (the reader checks the hash)."""

    def journal(self, stream: str, partition: int, from_offset: int) -> Sequence[JournalEntry]:
        """Return the entries at ``from_offset`` or later, in the order they took effect."""

    def commit(self, stream: str, partitions: Sequence[PartitionCommit], at: float) -> None:
        """Write everything of one commit interval, or nothing. Fenced under an old epoch."""

    def label_position(self, stream: str) -> int:
        """Return the newest position of the stream's label log (0 = empty)."""

    def labels_at(self, stream: str, position: int) -> Sequence[Label]:
        """Return the labels in force at a position: added up to there and not retracted by then."""

    def open_candidates(self, stream: str, partition: int) -> Sequence[OpenCandidate]:
        """Return the candidates of the partition that nobody has read and that are in open clusters."""


class GrouperStore(Protocol):
    """What the grouper needs."""

    def candidates_after(self, seq: int, limit: int) -> Sequence[GroupedCandidate]:
        """Return candidates after ``seq`` in commit order, whatever their partition."""

    def grouped_up_to(self) -> int:
        """Return the ``seq`` up to which candidates have been grouped."""

    def open_members(self, since: float) -> Sequence[GroupedCandidate]:
        """Return grouped candidates with ``event_time >= since`` (to rebuild the leaders), by seq."""

    def decided(self, cluster_ids: Sequence[str]) -> frozenset[str]:
        """Return those of the clusters that have a verdict (they take no new members)."""

    def save_groups(
        self, clusters: Sequence[ClusterUpdate], up_to: int, holder: str, epoch: int, at: float
    ) -> None:
        """Add the members and move ``grouped_up_to``, in one transaction, under the lease."""


class RelayStore(Protocol):
    """What the relay needs."""

    def number_outbox(self, topic: str, limit: int, epoch: int, at: float) -> Sequence[OutboxRow]:
        """Give due, unnumbered rows the topic's next sequence numbers; skip undone verdicts' rows.

        Returns all rows that are numbered and not yet marked as published, in sequence order.
        """

    def outbox_topics(self) -> Sequence[str]:
        """Return the topics that have rows not yet published."""

    def mark_published(self, topic: str, up_to: int, epoch: int, at: float) -> None:
        """Note that every row of the topic up to this sequence is out."""


class LeaseStore(Protocol):
    """Leases: one holder at a time, each new holder has a larger epoch."""

    def acquire_lease(self, name: str, holder: str, at: float, ttl_s: float) -> int | None:
        """Return our epoch if the lease is ours (taken or renewed), None if another holds it."""
