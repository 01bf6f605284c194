"""Messages go out once each, numbered without gaps, whatever fails between store and log."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.errors import Retry, Stop
from streaming.records import OutRecord, TopicPartition
from streaming.relay import LEASE_S, LOOK_S, RENEW_S, Relay
from streaming.transports._log_topics import Limits
from streaming.transports.embedded import EmbeddedTransport
from tests.unit.streaming.flaky import AFTER, BEFORE, OK, FlakyTransport
from triage.errors import Fenced, StoreUnavailable
from triage.model import OutboxRow
from triage.store.base import NewDeadLetter, PartitionCommit, Store
from triage.store.store import open_store

TOPIC = "verified"
STEPS = 400


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class FakeOutbox:
    """An outbox in memory; ``faults`` tells for each ``mark_published`` whether it fails."""

    def __init__(self, faults: Sequence[str] = ()) -> None:
        self.rows: list[OutboxRow] = []
        self.published: dict[str, int] = {}
        self.lease: tuple[str, int, float] = ("", 0, 0.0)
        self.faults: Iterator[str] = iter(faults)

    def add(self, count: int, topic: str = TOPIC, cloud_event: bool = True) -> None:
        headers = (("ce_specversion", b"1.0"),) if cloud_event else (("own", b""),)
        for _ in range(count):
            number = len(self.rows)
            self.rows.append(OutboxRow(number, topic, b"k", b"%d" % number, headers))

    def number_outbox(self, topic: str, limit: int, epoch: int, at: float) -> list[OutboxRow]:
        self._check(epoch)
        numbered = sum(row.topic == topic and row.sequence is not None for row in self.rows)
        for place, row in enumerate(self.rows):
            if limit and row.topic == topic and row.sequence is None:
                numbered, limit = numbered + 1, limit - 1
                self.rows[place] = dataclasses.replace(row, sequence=numbered)
        return [
            row
            for row in self.rows
            if row.topic == topic and (row.sequence or 0) > self.published.get(topic, 0)
        ]

    def outbox_topics(self) -> list[str]:
        return sorted(
            {
                row.topic
                for row in self.rows
                if row.sequence is None or row.sequence > self.published.get(row.topic, 0)
            }
        )

    def numbered_up_to(self, topic: str) -> int:
        return max((row.sequence or 0 for row in self.rows if row.topic == topic), default=0)

    def mark_published(self, topic: str, up_to: int, epoch: int, at: float) -> None:
        self._check(epoch)
        fault = next(self.faults, OK)
        if fault != BEFORE:
            self.published[topic] = max(up_to, self.published.get(topic, 0))
        if fault != OK:
            raise StoreUnavailable(f"the connection broke {fault} the mark")

    def acquire_lease(self, name: str, holder: str, at: float, ttl_s: float) -> int | None:
        owner, epoch, until = self.lease
        if owner not in ("", holder) and at < until:
            return None
        epoch += owner != holder or at >= until
        self.lease = (holder, epoch, at + ttl_s)
        return epoch

    def _check(self, epoch: int) -> None:
        if epoch != self.lease[1]:
            raise Fenced("another relay")


def log(faults: Sequence[str] = ()) -> FlakyTransport:
    return FlakyTransport(lambda: 0.0, faults)


def sent(transport: EmbeddedTransport, topic: str = TOPIC) -> list[tuple[int, str]]:
    """Return what is in the topic: (number in its header, value)."""
    records = transport.read(TopicPartition(topic, 0), 0, 10_000)
    return [
        (int(dict(record.headers).get("ce_sequence", b"0")), record.value.decode())
        for record in records
    ]


def run(relay: Relay, clock: Clock, store: FakeOutbox | Store) -> None:
    """Let the relay work, and back off after errors, until the outbox is empty."""
    for _ in range(STEPS):
        clock.now += LOOK_S
        try:
            relay.step()
        except (Retry, StoreUnavailable):
            continue
        if not store.outbox_topics():
            return


def test_messages_are_numbered_and_sent_once() -> None:
    store, transport, clock = FakeOutbox(), log(), Clock()
    relay = Relay(store, transport, "a", clock)
    store.add(1_200)
    run(relay, clock, store)
    store.add(3)
    run(relay, clock, store)
    assert sent(transport) == [(n + 1, str(n)) for n in range(1_203)]
    assert store.published == {TOPIC: 1_203}


def test_a_message_that_is_no_cloud_event_goes_out_as_it_is() -> None:
    store, transport, clock = FakeOutbox(), log(), Clock()
    store.add(1, "events.dlq", cloud_event=False)
    run(Relay(store, transport, "a", clock), clock, store)
    (record,) = transport.read(TopicPartition("events.dlq", 0), 0, 10)
    assert record.headers == (("own", b""),)


@given(
    batches=st.lists(st.integers(0, 4), min_size=1, max_size=6),
    publishes=st.lists(st.sampled_from([OK, BEFORE, AFTER]), max_size=10),
    marks=st.lists(st.sampled_from([OK, BEFORE, AFTER]), max_size=10),
    kills=st.lists(st.integers(0, 3), max_size=6),
)
def test_once_each_and_in_order_whatever_fails_and_is_killed(
    batches: list[int], publishes: list[str], marks: list[str], kills: list[int]
) -> None:
    store, transport, clock = FakeOutbox(marks), log(publishes), Clock()
    for number, batch in enumerate(batches):
        store.add(batch)
        if number < len(kills):
            relay = Relay(store, transport, f"process {number}", clock)
            clock.now += LEASE_S
            for _ in range(kills[number]):  # then it is killed
                clock.now += LOOK_S
                try:
                    relay.step()
                except (Retry, StoreUnavailable):
                    continue
    clock.now += LEASE_S
    run(Relay(store, transport, "the last", clock), clock, store)
    if store.rows:
        assert sent(transport) == [(n + 1, str(n)) for n in range(len(store.rows))]


def test_a_kill_between_publish_and_mark_sends_nothing_twice() -> None:
    store, transport, clock = FakeOutbox([BEFORE]), log(), Clock()
    store.add(3)
    killed = Relay(store, transport, "killed", clock)
    for _ in range(2):
        try:
            killed.step()
        except StoreUnavailable:
            break
    assert len(sent(transport)) == 3
    assert store.published == {}
    clock.now += LEASE_S
    run(Relay(store, transport, "next", clock), clock, store)
    assert len(sent(transport)) == 3
    assert store.published == {TOPIC: 3}


class TestLease:
    def test_only_one_relay_works(self) -> None:
        store, transport, clock = FakeOutbox(), log(), Clock()
        one, two = Relay(store, transport, "1", clock), Relay(store, transport, "2", clock)
        assert not one.step()
        store.add(2)
        assert not two.step()
        run(one, clock, store)
        assert len(sent(transport)) == 2

    def test_the_next_takes_over_when_the_first_is_gone(self) -> None:
        store, transport, clock = FakeOutbox(), log(), Clock()
        Relay(store, transport, "killed", clock).step()
        store.add(2)
        two = Relay(store, transport, "2", clock)
        clock.now += RENEW_S
        assert not two.step()
        clock.now += LEASE_S
        run(two, clock, store)
        assert len(sent(transport)) == 2

    def test_a_closed_relay_is_replaced_at_once(self) -> None:
        store, transport, clock = FakeOutbox(), log(), Clock()
        one = Relay(store, transport, "1", clock)
        store.add(1)
        run(one, clock, store)
        one.close()
        store.add(1)
        run(Relay(store, transport, "2", clock), clock, store)
        assert len(sent(transport)) == 2

    def test_a_paused_relay_that_comes_back_sends_nothing(self) -> None:
        store, transport, clock = FakeOutbox(), log(), Clock()
        paused = Relay(store, transport, "paused", clock)
        store.add(1)
        run(paused, clock, store)
        clock.now += LEASE_S
        other = Relay(store, transport, "other", clock)
        store.add(2)
        run(other, clock, store)
        store.add(1)
        clock.now = 1_000.0 + RENEW_S / 2  # to itself, the lease is still good
        assert not paused.step()
        assert len(sent(transport)) == 3
        clock.now += LEASE_S + 3 * LOOK_S
        assert not paused.step()
        run(other, clock, store)
        assert [number for number, _ in sent(transport)] == [1, 2, 3, 4]


class TestContradictions:
    def test_a_store_from_an_older_backup_stops(self) -> None:
        store, transport, clock = FakeOutbox(), log(), Clock()
        store.add(5)
        run(Relay(store, transport, "1", clock), clock, store)
        restored = FakeOutbox()
        restored.add(6)
        clock.now += LEASE_S
        for start in range(3):  # however often it is tried
            clock.now += LEASE_S
            with pytest.raises(
                Stop, match=r"is 5, the store has numbered 0: .* `triage reconcile`"
            ):
                run(Relay(restored, transport, f"2/{start}", clock), clock, restored)
        assert len(sent(transport)) == 5
        assert restored.published == {}

    def test_a_store_that_had_numbered_less_than_was_sent_stops(self) -> None:
        store, transport, clock = FakeOutbox(), log(), Clock()
        transport.ensure_topic(TOPIC, 1)
        transport.publisher(TOPIC).publish([OutRecord(TOPIC, None, b"")], 7)
        store.add(3)
        store.acquire_lease("relay", "old", 0.0, 0.0)
        store.number_outbox(TOPIC, 3, 1, 0.0)
        with pytest.raises(Stop, match="log is 7, the store has numbered 3"):
            run(Relay(store, transport, "1", clock), clock, store)

    def test_a_log_that_lost_messages_stops(self) -> None:
        store, clock = FakeOutbox(), Clock()
        store.add(2)
        run(Relay(store, log(), "1", clock), clock, store)
        store.add(1)
        clock.now += LEASE_S
        fresh = log()
        with pytest.raises(Stop, match="message 3, but the last one in the log is 0"):
            run(Relay(store, fresh, "2", clock), clock, store)
        assert sent(fresh) == []


def test_it_waits_for_slow_readers() -> None:
    store, clock = FakeOutbox(), Clock()
    transport = EmbeddedTransport(":memory:", lambda: 0.0, Limits(max_lag=2))
    transport.ensure_topic(TOPIC, 1)
    reader = transport.consumer(TOPIC, "g", lambda ps: dict.fromkeys(ps, 0), lambda ps: None)
    relay = Relay(store, transport, "a", clock)
    for _ in range(3):
        store.add(2)
        for _ in range(3):
            clock.now += LOOK_S
            relay.step()
    assert len(sent(transport)) == 4
    reader.poll(0, 10)
    reader.commit({TopicPartition(TOPIC, 0): 4})
    run(relay, clock, store)
    assert [number for number, _ in sent(transport)] == [1, 2, 3, 4, 5, 6]


def test_with_the_real_store(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'triage.db'}")
    transport, clock = log([AFTER, BEFORE]), Clock()
    store.register_config("s", "v", "", clock())
    state = store.own("s", 0, "topic id", "v")
    letter = NewDeadLetter("events.dlq", None, b"bad", (("triage.dlq.code", b"not_json"),))
    commit = PartitionCommit(
        partition=0,
        epoch=state.epoch,
        config_version="v",
        next_offset=3,
        label_position=0,
        counters=state.counters,
        dead_letters=[letter] * 3,
    )
    store.commit("s", [commit], clock())
    run(Relay(store, transport, "a", clock), clock, store)
    assert [value for _, value in sent(transport, "events.dlq")] == ["bad"] * 3
    assert list(store.outbox_topics()) == []
    store.close()
    transport.close()
