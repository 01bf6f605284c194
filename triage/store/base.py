"""The contract of a store. Every method is one transaction.

Raises ``Fenced`` where an epoch or lease is no longer ours, ``Conflict`` where the object changed
meanwhile, ``StoreUnavailable`` where the database can't be reached or is full (nothing happened).
Long by its docstrings; subjects that stand for themselves have files of their own (``base_...``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from triage.budget_advice import BudgetReads
from triage.cases import AuditEntry, Case, FindingRevision, Verdict
from triage.drift import Drift
from triage.findings import Message
from triage.lag import Lag
from triage.model import (
    Actor,
    Candidate,
    Counters,
    JournalEntry,
    Label,
    OutboxRow,
    PartitionState,
)
from triage.policy import Policy
from triage.queries import Queries, VerdictRow
from triage.requests import Requests
from triage.store.base_accounts import AccountStore, TokenStore
from triage.store.base_advisor import AdvisorReads
from triage.store.base_closing import ClosingUnit
from triage.store.base_configs import ConfigStore, ConfigWriter
from triage.store.base_disputes import DisputeUnit
from triage.store.base_labels import LabelUnit
from triage.store.base_missed import MissedUnit
from triage.store.base_reconcile import ReconcileStore
from triage.store.base_regroup import RegroupUnit
from triage.store.base_suppression import SuppressionUnit
from triage.store.base_truth import TruthUnit
from triage.store.base_views import ViewStore
from triage.titles import Noun
from triage.trial import Trial

GROUPER_LEASE = "grouper:"  # followed by the stream: each stream has a grouper of its own
RELAY_LEASE = "relay"
"""Names of the leases that ``save_groups`` and the relay's methods check."""


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """A partition's whole state at ``offset``, with its labels, under a roll-out.

    Attributes:
        sha256: of ``blob`` and ``beside`` together.
        rollout: number of the roll-out that the partition has taken in.
        beside: state of the version that is tried beside the one in force, empty if none is.
    """

    offset: int
    label_position: int
    sha256: str
    blob: bytes
    rollout: int = 0
    beside: bytes = b""


@dataclass(frozen=True, slots=True)
class RetainedState:
    """What a version had learned of a partition when another one took its place, at ``offset``.

    Attributes:
        state_version: what tells states apart; a config of the same one can go on from it.
    """

    state_version: str
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
        config_version: the config that this part was made under; ``rollout``: its roll-out.
        counters: to be *added* to what is stored.
        journal: label applications since the last commit.
        rescored: candidate id -> new posterior of open candidates that moved.
        label_position: after this commit; if it rose, a ``Learning`` row is written with the number
            of open clusters that rose and fell by ``rescored``.
        snapshot: written when present; the newest three are kept.
        retained: the state of the version that was replaced, if it can't go on as the new one's;
            the newest three are kept.
        trial: to be *added* to what is stored of the version that is tried.
        drifts: all fields that are in drift now; None: as before.
        delay: how many seconds ago the log took the last record; None: as before.
    """

    partition: int
    epoch: int
    config_version: str
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
    rollout: int = 0
    retained: RetainedState | None = None
    trial: Trial | None = None
    drifts: Sequence[Drift] | None = None
    delay: float | None = None


@dataclass(frozen=True, slots=True)
class OpenCandidate:
    """What rescoring needs of a candidate that waits for a verdict."""

    candidate_id: str
    vector: bytes
    posterior: float
    features_version: str


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


class WorkerStore(ConfigWriter, Protocol):
    """What the scoring worker needs."""

    def register_config(
        self,
        stream: str,
        version: str,
        text: str,
        at: float,
        title: str = "",
        policy: Policy | None = None,
        noun: Noun | None = None,
    ) -> None:
        """Bring a config into force, whatever was before (idempotent); see ``roll_out``.

        ``title`` (default: the stream's name), ``policy`` (default: ``Policy()``) and ``noun``
        (default: ``Noun()``) are what board and handlers use for the stream from now on.
        """

    def own(
        self,
        stream: str,
        partition: int,
        topic_id: str,
        config_version: str,
        rollout: int = 0,
    ) -> PartitionState:
        """Take the partition over: epoch + 1. Creates it on first sight, under this roll-out.

        What is returned has version and roll-out of the last commit: the partition has yet to take
        in those that came since. Raises ``TopicReplaced`` if the stored ``topic_id`` differs.
        """

    def snapshots(self, stream: str, partition: int) -> Sequence[SnapshotRow]:
        """Return the kept snapshots, newest first, as stored (the reader checks the hash)."""

    def journal(self, stream: str, partition: int, from_offset: int) -> Sequence[JournalEntry]:
        """Return the entries at ``from_offset`` or later, in the order they took effect."""

    def retained(self, stream: str, partition: int) -> Sequence[RetainedState]:
        """Return the retained states, newest first, as stored (the reader checks the hash)."""

    def candidate_offsets(self, stream: str, partition: int, from_offset: int) -> Sequence[int]:
        """Return where candidates of the partition are, from ``from_offset`` on."""

    def commit(self, stream: str, partitions: Sequence[PartitionCommit], at: float) -> None:
        """Write everything of one commit interval, or nothing. Fenced under an old epoch."""

    def tell_lags(self, stream: str, lags: Sequence[Lag]) -> None:
        """Note how far partitions are behind their log, in place of what was told before."""

    def label_position(self, stream: str) -> int:
        """Return the newest position of the stream's label log (0 = empty)."""

    def labels_at(
        self, stream: str, position: int, policy: Policy | None = None
    ) -> Sequence[Label]:
        """Return the labels in force at a position: added up to there and not retracted by then.

        They are weighed by ``policy``; without one, by that of the config in force.

        Which of several on one candidate count says ``label_log.in_force``, what they weigh
        ``label_weights.weighed``. After them come late
        truths about events that were no candidates, as far as they name entities and time: without
        a vector, under the truth's id.
        """

    def open_candidates(self, stream: str, partition: int) -> Sequence[OpenCandidate]:
        """Return the partition's candidates that wait for a verdict, oldest first.

        Those of decided clusters don't; those that are in no cluster yet do.
        """


class GrouperStore(Protocol):
    """What the grouper needs."""

    def candidates_after(self, stream: str, seq: int, limit: int) -> Sequence[GroupedCandidate]:
        """Return the stream's candidates after ``seq`` in commit order, of all partitions."""

    def grouped_up_to(self, stream: str) -> int:
        """Return the ``seq`` up to which the stream's candidates have been grouped."""

    def open_members(self, stream: str, within_s: float) -> Sequence[GroupedCandidate]:
        """Return grouped candidates at most so much older than the stream's present, by seq.

        The grouper rebuilds its leaders from them. Age is by event time; the present is the median
        of the newest candidates' (at most 1,000), so that an event from the far future makes none
        of the others old. Those of drift are never too old. They come without ``context`` and
        ``record``.
        """

    def decided(self, cluster_ids: Sequence[str]) -> frozenset[str]:
        """Return those of the clusters that take no new members.

        Those that have a verdict or were merged, and what was taken out of such a one: its rest and
        its audits.
        """

    def regrouped_after(self, stream: str, number: int) -> tuple[int, Sequence[str]]:
        """Return the newest split or merge by hand, and the clusters of those after ``number``.

        Where there are any the grouper's leaders are no longer what the store holds.
        """

    def save_groups(
        self, stream: str, clusters: Sequence[ClusterUpdate], up_to: int, epoch: int, at: float
    ) -> None:
        """Add the members and move ``grouped_up_to``, in one transaction.

        A cluster of nothing but candidates that a suppression covers is kept out of the open
        queue; it is open again as soon as another one joins it.

        A member that is in its cluster already is left alone. Raises ``Conflict`` if a cluster has
        been decided meanwhile (ask ``decided`` again and open a successor), ``Fenced`` unless
        ``epoch`` is the newest of the lease ``grouper:<stream>``.
        """


class RelayStore(Protocol):
    """What the relay needs."""

    def number_outbox(self, topic: str, limit: int, epoch: int, at: float) -> Sequence[OutboxRow]:
        """Give due, unnumbered rows the topic's next sequence numbers; skip undone verdicts' rows.

        Returns all rows that are numbered and not yet marked as published, in sequence order.
        ``epoch`` is that of ``RELAY_LEASE``.
        """

    def outbox_topics(self) -> Sequence[str]:
        """Return the topics that have rows not yet published."""

    def numbered_up_to(self, topic: str) -> int:
        """Return the last number that was given to a message of the topic, 0 if there is none."""

    def mark_published(self, topic: str, up_to: int, epoch: int, at: float) -> None:
        """Note that every row of the topic up to this sequence is out."""


class LeaseStore(Protocol):
    """Leases: one holder at a time, each new holder has a larger epoch."""

    def acquire_lease(self, name: str, holder: str, at: float, ttl_s: float) -> int | None:
        """Return our epoch if the lease is ours (taken or renewed), None if another holds it."""


class UnitOfWork(
    ClosingUnit,
    LabelUnit,
    TruthUnit,
    MissedUnit,
    SuppressionUnit,
    RegroupUnit,
    DisputeUnit,
    Requests,
    Protocol,
):
    """What a handler does within one transaction. Reads see what was written before."""

    def policy(self, stream: str) -> Policy:
        """Return the stream's policy in force."""

    def case(self, cluster_id: str) -> Case | None:
        """Return a cluster as a handler needs it."""

    def member_ids(self, cluster_id: str) -> Sequence[str]:
        """Return all members, oldest first."""

    def candidates(self, candidate_ids: Sequence[str]) -> Sequence[Candidate]:
        """Return these candidates in the order asked for."""

    def verdict(self, verdict_id: str) -> Verdict | None:
        """Return one verdict."""

    def standing(self, cluster_id: str) -> Sequence[Verdict]:
        """Return the cluster's verdicts that have not been taken back, oldest first."""

    def expired(self, at: float, limit: int) -> Sequence[Verdict]:
        """Return standing verdicts that have expired with labels in force, oldest first."""

    def add_verdict(self, verdict: Verdict) -> None:
        """Store a new verdict."""

    def update_verdict(self, verdict: Verdict) -> None:
        """Store a verdict's new state, label position and members."""

    def update_case(self, case: Case) -> None:
        """Store the cluster's status, revision and verdict."""

    def touch(self, cluster_id: str, actor: str, at: float) -> None:
        """Note that a person has the cluster in hand, unless somebody had before."""

    def set_read(self, cluster_id: str, read: Sequence[str]) -> None:
        """Set the state of all members; those not named become ``open``."""

    def send(self, message: Message, at: float, verdict_id: str | None, not_before: float) -> int:
        """Put a message into the outbox; return its outbox id."""

    def withdraw(self, verdict_id: str) -> bool:
        """Take back the verdict's messages that have no number; return whether there were any."""

    def sent(self, verdict_id: str) -> int:
        """Return how many messages of the verdict have a number."""

    def finding(self, verdict_id: str) -> FindingRevision | None:
        """Return the newest revision of the verdict's finding."""

    def add_finding(self, revision: FindingRevision) -> None:
        """Note a revision of a finding."""

    def audit(self, entry: AuditEntry) -> None:
        """Append to the audit trail."""

    def change(self, kind: str, at: float, data: Mapping[str, Any]) -> None:
        """Tell the boards (see ``queries.Change``)."""

    def verdict_row(self, verdict_id: str) -> VerdictRow | None:
        """Return the verdict as the board shows it."""


class CaseStore(Protocol):
    """What the handlers need."""

    def unit_of_work(self) -> AbstractContextManager[UnitOfWork]:
        """Begin a transaction: committed at the end, rolled back on any error.

        No other unit of work and no commit of a worker, grouper or relay runs in between.
        """

    def look_at(
        self, actor: str, cluster_id: str | None, at: float, ttl_s: float, touches: bool = False
    ) -> None:
        """Note which cluster somebody has before the eyes, None for none, for ``ttl_s`` seconds.

        ``touches``: it is somebody who may decide; who is the first, is kept (``Look.touched``).
        """


class SessionStore(Protocol):
    """Sign-in links and sessions; only hashes of tokens are stored."""

    def new_sign_in(self, actor: Actor, at: float, ttl_s: float) -> str:
        """Return a token that can be redeemed once within ``ttl_s`` seconds."""

    def redeem(self, token: str, at: float) -> str | None:
        """Use up a sign-in token; return the token of a new session, None if it can't be used."""

    def open_session(self, actor: Actor, at: float) -> str:
        """Return the token of a new session of someone who has proved who they are.

        All ways to sign in end here: links, passwords, and whatever an identity provider says.
        """

    def session(self, token: str, at: float) -> Actor | None:
        """Return who the session belongs to and note the use; None if it ended or expired."""

    def lasts(self, token: str, at: float) -> bool:
        """Return whether the session has neither ended nor expired; asking is no use of it."""

    def end(self, token: str, at: float) -> None:
        """End a session (idempotent)."""


class AccessStore(SessionStore, AccountStore, TokenStore, ViewStore, Protocol):
    """All that the board needs to know who asks, and what each keeps."""


class Store(
    WorkerStore,
    GrouperStore,
    RelayStore,
    ReconcileStore,
    LeaseStore,
    CaseStore,
    AccessStore,
    ConfigStore,
    AdvisorReads,
    BudgetReads,
    Queries,
    Protocol,
):
    """All of it: what ``sql.open_store`` returns."""

    def close(self) -> None:
        """Close all connections."""
