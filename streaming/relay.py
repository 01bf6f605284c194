"""From the store's outbox to the topics, each message once and numbered without gaps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from streaming import metrics
from streaming.errors import Fenced, Retry, SlowDown, Stop, UnknownTopic
from streaming.metrics import Metrics
from streaming.records import OutRecord
from streaming.transports.base import Publisher, Transport
from streaming.verified import SEQUENCE_HEADER
from streaming.verified import TOPIC as VERIFIED
from triage import errors as triage_errors
from triage.model import OutboxRow
from triage.store.base import RELAY_LEASE, LeaseStore, RelayStore

LEASE_S = 6.0  # a relay that was killed is replaced after so long
RENEW_S = 2.0
LOOK_S = 0.1  # how often the outbox is looked at
BATCH = 500  # messages of one publish
CLOUD_EVENT = "ce_specversion"


class Outbox(RelayStore, LeaseStore, Protocol):
    """The part of the store that the relay needs."""


@dataclass(slots=True)
class _Outlet:
    """A topic that we publish to.

    Attributes:
        last: the newest sequence that is in the topic.
        marked: up to here the store knows it; None until the store was asked what it has numbered.
    """

    publisher: Publisher
    last: int
    marked: int | None = None


class Relay:
    """Publishes the outbox while it holds the lease; any number of relays may run.

    The publisher of a topic is named after it and its sequence is the outbox's number, so after a
    kill or an unknown outcome the log itself tells what went out. ``holder`` names this process,
    ``clock`` gives seconds since 1970, topics that don't exist are made with ``partitions``.
    """

    def __init__(
        self,
        store: Outbox,
        transport: Transport,
        holder: str,
        clock: Callable[[], float],
        partitions: int = 1,
        metrics: Metrics | None = None,
    ) -> None:
        self._metrics = metrics or Metrics()
        self._store = store
        self._transport = transport
        self._holder = holder
        self._clock = clock
        self._partitions = partitions
        self._epoch: int | None = None
        self._renew_at = 0.0
        self._look_at = 0.0
        self._outlets: dict[str, _Outlet] = {}

    def step(self) -> bool:
        """Publish what is due, a bounded piece of every topic; return whether there was any.

        Raises Retry or StoreUnavailable if the log or the store can't be reached: call again.
        Raises Stop if the log and the store contradict each other: a person has to look.
        """
        now = self._clock()
        if now < self._look_at or not self._is_ours(now):
            return False
        try:
            busy = [self._relay(topic, now) for topic in self._store.outbox_topics()]
        except (triage_errors.Fenced, Fenced):
            self._give_up()  # another relay works now
            return False
        if not any(busy):
            self._look_at = now + LOOK_S
        return any(busy)

    def close(self) -> None:
        """Release the publishers and let the next relay have the lease at once."""
        if self._epoch is not None:
            self._store.acquire_lease(RELAY_LEASE, self._holder, self._clock(), 0.0)
        self._give_up()

    def _is_ours(self, now: float) -> bool:
        """Take or renew the lease, when it is time to."""
        if now >= self._renew_at:
            epoch = self._store.acquire_lease(RELAY_LEASE, self._holder, now, LEASE_S)
            if epoch != self._epoch:
                self._give_up()
            self._epoch = epoch
            self._renew_at = now + RENEW_S
            self._metrics.set(metrics.LEASE, RELAY_LEASE, to=epoch is not None)
        return self._epoch is not None

    def _relay(self, topic: str, now: float) -> bool:
        """Publish one topic's next messages.

        1. The store numbers rows that are due (none of them at first: what it has numbered before
           is compared with what the log has).
        2. Numbered rows that are not in the log yet are published, with the number as sequence.
        3. The store marks as published what is in the log.
        """
        outlet = self._outlets.get(topic) or self._connect(topic)
        known = outlet.marked is not None
        rows = self._store.number_outbox(topic, BATCH if known else 0, self._own_epoch(), now)
        _compare(topic, rows, outlet)

        new = [row for row in rows if _number(row) > outlet.last][:BATCH]
        if new and not self._publish(topic, outlet, new):
            return False

        if rows:
            self._store.mark_published(topic, outlet.last, self._own_epoch(), now)
            out = sum(_number(row) <= outlet.last for row in rows)
            self._metrics.add(metrics.PUBLISHED, topic, by=out)
        outlet.marked = outlet.last
        return bool(rows) or not known

    def _publish(self, topic: str, outlet: _Outlet, rows: Sequence[OutboxRow]) -> bool:
        try:
            outlet.publisher.publish([_record(row) for row in rows], _number(rows[-1]))
        except SlowDown:
            return False
        except Retry:
            outlet.publisher.close()
            del self._outlets[topic]  # the next publisher tells what took effect
            raise
        outlet.last = _number(rows[-1])
        return True

    def _connect(self, topic: str) -> _Outlet:
        try:
            self._transport.partitions(topic)
        except UnknownTopic:
            self._transport.ensure_topic(topic, self._partitions)
        publisher = self._transport.publisher(topic)
        outlet = _Outlet(publisher, publisher.last_sequence())
        if outlet.last > (known := self._store.numbered_up_to(topic)):
            publisher.close()
            raise Stop(
                f"{topic}: the last message in the log is {outlet.last}, the store has numbered"
                f" {known}: it was restored from an older copy. Run `triage reconcile`; nothing was"
                " sent"
            )
        self._outlets[topic] = outlet
        return outlet

    def _give_up(self) -> None:
        for outlet in self._outlets.values():
            outlet.publisher.close()
        self._outlets = {}
        self._epoch = None

    def _own_epoch(self) -> int:
        return self._epoch or 0


def ensure_verified_topic(transport: Transport) -> None:
    """Let consumers find the topic before the first finding."""
    try:
        transport.partitions(VERIFIED)
    except UnknownTopic:
        transport.ensure_topic(VERIFIED, 1)


def _compare(topic: str, rows: Sequence[OutboxRow], outlet: _Outlet) -> None:
    """Raise Stop where the store's next number does not follow on the log's last one."""
    if not rows:
        return
    first = _number(rows[0])
    if first > outlet.last + 1 or (outlet.marked is not None and first <= outlet.marked):
        raise Stop(
            f"{topic}: the store is about to send message {first}, but the last one in the log is"
            f" {outlet.last}: the log was restored from an older copy. Restore the store and the"
            " log of the same moment; nothing was sent"
        )


def _record(row: OutboxRow) -> OutRecord:
    headers = row.headers
    if any(name == CLOUD_EVENT for name, _ in headers):
        headers = (*headers, (SEQUENCE_HEADER, b"%020d" % _number(row)))
    return OutRecord(row.topic, row.key, row.value, headers)


def _number(row: OutboxRow) -> int:
    if row.sequence is None:
        raise Stop(f"outbox row {row.outbox_id} has no number")
    return row.sequence
