"""What every transport does, embedded or Kafka."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from streaming.errors import Fenced, PositionLost, Retry, Stop, UnknownTopic
from streaming.records import OutRecord, Position, Record, TopicPartition
from streaming.transports._kafka_library import Library
from streaming.transports.base import Transport
from streaming.transports.kafka import KAFKA_PYTHON
from streaming.transports.kafka_librdkafka import LIBRDKAFKA
from tests.contract.transport_harness import (
    KEPT,
    EmbeddedHarness,
    Harness,
    KafkaHarness,
    everything,
    from_start,
    ignore,
    poll_together,
    reader,
    take,
    until,
    write,
)

LIBRARIES: Mapping[str, Library] = {
    "kafka": KAFKA_PYTHON,
    "kafka+librdkafka": LIBRDKAFKA,
}


@pytest.fixture(
    params=[
        "memory",
        "file",
        *(pytest.param(name, marks=pytest.mark.integration) for name in LIBRARIES),
    ]
)
def harness(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Harness]:
    made: Harness
    if library := LIBRARIES.get(request.param):
        made = KafkaHarness(request.getfixturevalue("kafka_bootstrap"), library)
    else:
        made = EmbeddedHarness(None if request.param == "memory" else tmp_path / "log.db")
    yield made
    made.close()


@pytest.fixture
def transport(harness: Harness) -> Transport:
    return harness.connect()


def values(records: Collection[Record]) -> list[str]:
    return [record.value.decode() for record in records]


class TestTopics:
    def test_making_a_topic_again_changes_nothing(
        self, transport: Transport, harness: Harness
    ) -> None:
        topic = harness.new_topic(3)
        write(transport, topic, ["a"])
        transport.ensure_topic(topic, 3)
        assert transport.partitions(topic) == 3
        assert everything(transport, topic) == ["a"]

    def test_another_number_of_partitions_stops(
        self, transport: Transport, harness: Harness
    ) -> None:
        topic = harness.new_topic(3)
        with pytest.raises(Stop, match="3 partitions"):
            transport.ensure_topic(topic, 4)

    @pytest.mark.parametrize("name", ["", "with space", "a/b", "x" * 250])
    def test_a_name_that_can_not_be_one_stops(self, transport: Transport, name: str) -> None:
        with pytest.raises(Stop):
            transport.ensure_topic(name, 1)

    def test_no_partitions_stops(self, transport: Transport) -> None:
        with pytest.raises(Stop):
            transport.ensure_topic("none", 0)

    def test_an_unknown_topic_stops(self, transport: Transport) -> None:
        place = TopicPartition("no-such-topic", 0)
        with pytest.raises(UnknownTopic, match="no-such-topic"):
            transport.partitions("no-such-topic")
        with pytest.raises(UnknownTopic, match="no-such-topic"):
            transport.topic_id("no-such-topic")
        with pytest.raises(UnknownTopic, match="no-such-topic"):
            transport.read(place, 0, 1)
        with pytest.raises(UnknownTopic, match="no-such-topic"):
            transport.start_position(place)
        with pytest.raises(UnknownTopic, match="no-such-topic"):
            reader(transport, "no-such-topic")
        with pytest.raises(UnknownTopic, match="no-such-topic"):
            transport.publisher("p").publish([OutRecord("no-such-topic", None, b"")], 1)

    def test_an_unknown_partition_stops(self, transport: Transport, harness: Harness) -> None:
        topic = harness.new_topic(2)
        with pytest.raises(Stop, match="2 partitions"):
            transport.read(TopicPartition(topic, 2), 0, 1)

    def test_the_id_stays_until_the_topic_is_made_anew(
        self, transport: Transport, harness: Harness
    ) -> None:
        topic, other = harness.new_topic(1), harness.new_topic(1)
        first = transport.topic_id(topic)
        assert first
        assert first != transport.topic_id(other)
        assert harness.connect().topic_id(topic) == first
        write(transport, topic, ["gone"])
        harness.delete_topic(topic)
        transport.ensure_topic(topic, 1)
        assert transport.topic_id(topic) != first
        assert everything(transport, topic) == []


class TestReading:
    def test_a_key_keeps_its_partition_and_its_order(
        self, transport: Transport, harness: Harness
    ) -> None:
        topic = harness.new_topic(4)
        for start in range(0, 60, 20):
            publisher = transport.publisher("p")
            publisher.publish(
                [
                    OutRecord(topic, b"key-%d" % (number % 7), b"%d" % number)
                    for number in range(start, start + 20)
                ],
                start + 20,
            )
            publisher.close()
        consumer = reader(transport, topic)
        records = take(consumer, 60)
        consumer.close()
        by_key: dict[bytes | None, list[Record]] = {}
        for record in records:
            by_key.setdefault(record.key, []).append(record)
        assert len(by_key) == 7
        for number in range(7):
            own = by_key[b"key-%d" % number]
            assert len({record.partition for record in own}) == 1
            assert [int(record.value) for record in own] == list(range(number, 60, 7))
            assert [record.offset for record in own] == sorted({record.offset for record in own})
        assert len({record.partition for record in records}) > 1

    def test_a_record_comes_back_as_it_was(self, transport: Transport, harness: Harness) -> None:
        topic = harness.new_topic(1)
        headers = (("plain", b"text"), ("again", b""), ("again", bytes(range(256))))
        sent = [
            OutRecord(topic, b"\x00\xff", b'{"a": 1}', headers, timestamp_ms=1_234_567_890_123),
            OutRecord(topic, None, b""),
            OutRecord(topic, b"", b"large " * 80_000),
        ]
        transport.publisher("p").publish(sent, 1)
        consumer = reader(transport, topic)
        polled = take(consumer, 3)
        consumer.close()
        place = TopicPartition(topic, 0)
        assert list(transport.read(place, transport.start_position(place), 10)) == polled
        assert [(r.key, r.value, r.headers) for r in polled] == [
            (r.key, r.value, r.headers) for r in sent
        ]
        assert polled[0].timestamp_ms == 1_234_567_890_123
        assert polled[1].timestamp_ms > 1_500_000_000_000
        assert {(r.topic, r.partition) for r in polled} == {(topic, 0)}

    def test_no_key_is_partition_0_and_a_given_partition_is_taken(
        self, transport: Transport, harness: Harness
    ) -> None:
        topic = harness.new_topic(3)
        transport.publisher("p").publish(
            [OutRecord(topic, None, b"a"), OutRecord(topic, b"k", b"b", partition=2)], 1
        )
        first, second = TopicPartition(topic, 0), TopicPartition(topic, 2)
        until(
            lambda: min(map(transport.end_position, (first, second))) >= 1
        )  # a broker takes a moment
        assert values(transport.read(first, transport.start_position(first), 9)) == ["a"]
        assert values(transport.read(second, transport.start_position(second), 9)) == ["b"]

    def test_a_poll_is_bounded_and_an_empty_one_returns(
        self, transport: Transport, harness: Harness
    ) -> None:
        topic = harness.new_topic(2)
        write(transport, topic, [str(number) for number in range(10)])
        consumer = reader(transport, topic)
        got: list[Record] = []
        for _ in range(100):
            batch = consumer.poll(0.5, 3)
            assert len(batch) <= 3
            got += batch
            if len(got) == 10:
                break
        assert values(got) == [str(number) for number in range(10)]
        assert list(consumer.poll(0, 3)) == []
        consumer.close()

    def test_reading_without_a_group(self, transport: Transport, harness: Harness) -> None:
        topic = harness.new_topic(1)
        place = TopicPartition(topic, 0)
        assert list(transport.read(place, transport.start_position(place), 10)) == []
        write(transport, topic, ["a", "b", "c"])
        until(lambda: transport.end_position(place) >= 3)  # a broker takes a moment
        first = transport.read(place, transport.start_position(place), 2)
        assert values(first) == ["a", "b"]
        rest = transport.read(place, first[-1].offset + 1, 2)
        assert values(rest) == ["c"]
        assert list(transport.read(place, rest[-1].offset + 1, 2)) == []

    def test_partitions_are_read_in_turn_also_where_one_is_at_its_end(
        self, transport: Transport, harness: Harness
    ) -> None:
        topic = harness.new_topic(2)
        write(transport, topic, ["a", "b"])
        places = [TopicPartition(topic, number) for number in range(2)]
        until(lambda: sum(map(transport.end_position, places)) >= 2)  # a broker takes a moment
        empty, here = sorted(places, key=transport.end_position)
        first = transport.read(here, transport.start_position(here), 1)
        assert list(transport.read(empty, transport.start_position(empty), 1)) == []
        assert values(transport.read(here, first[-1].offset + 1, 1)) == ["b"]

    def test_positions_of_the_end_and_of_a_time(
        self, transport: Transport, harness: Harness
    ) -> None:
        topic = harness.new_topic(2)
        place = TopicPartition(topic, 0)
        nowhere = transport.end_position(place)
        assert nowhere == transport.start_position(place) == transport.position_at(place, 0)
        times = [1_000, 2_000, 2_000, 3_000]  # milliseconds
        sent = [OutRecord(topic, None, str(i).encode(), (), 0, t) for i, t in enumerate(times)]
        transport.publisher("p").publish(sent, 1)
        until(lambda: transport.end_position(place) >= nowhere + 4)  # a broker takes a moment
        end = transport.end_position(place)
        assert list(transport.read(place, end, 9)) == []
        found = {
            at: values(transport.read(place, transport.position_at(place, at), 1))
            for at in (0, 1_000, 1_001, 2_000, 3_000, 3_001)
        }
        assert found == {
            0: ["0"],
            1_000: ["0"],
            1_001: ["1"],
            2_000: ["1"],
            3_000: ["3"],
            3_001: [],
        }
        assert transport.position_at(place, 9_000_000_000_000) == end
        assert transport.end_position(TopicPartition(topic, 1)) == nowhere

    def test_the_lag_tells_whether_something_is_left(
        self, transport: Transport, harness: Harness
    ) -> None:
        topic = harness.new_topic(2)
        with closing(reader(transport, topic)) as consumer:
            until(lambda: consumer.poll(0.1, 10) is not None and len(consumer.assignment()) == 2)
            nothing = dict.fromkeys(consumer.assignment(), 0)
            assert consumer.lag() == nothing
            write(transport, topic, ["a", "b", "c"], key=None)
            until(lambda: sum(consumer.lag().values()) >= 3)
            assert sorted(consumer.lag().values())[0] == 0, "without a key all goes to one"
            take(consumer, 3)
            # Offsets that hold no record are passed by polls.
            until(lambda: not consumer.poll(0.1, 10) and consumer.lag() == nothing)

    def test_what_comes_later_is_seen(self, transport: Transport, harness: Harness) -> None:
        topic = harness.new_topic(2)
        consumer = reader(transport, topic)
        assert list(consumer.poll(0, 10)) == []
        other = harness.connect()
        for number in range(5):
            write(other, topic, [str(number)])
            assert values(take(consumer, 1)) == [str(number)]
        consumer.close()


class TestPositions:
    def test_a_position_is_next_to_read(self, transport: Transport, harness: Harness) -> None:
        topic = harness.new_topic(1)
        write(transport, topic, ["a", "b", "c", "d"])
        place = TopicPartition(topic, 0)
        consumer = reader(transport, topic)
        second = take(consumer, 4)[1]
        consumer.close()
        again = transport.consumer(
            topic, "readers", lambda places: {place: second.offset + 1}, ignore
        )
        assert values(take(again, 2)) == ["c", "d"]
        again.close()

    def test_a_committed_position_is_only_a_hint(
        self, transport: Transport, harness: Harness
    ) -> None:
        topic = harness.new_topic(1)
        write(transport, topic, ["a", "b", "c"])
        consumer = reader(transport, topic)
        last = take(consumer, 3)[-1]
        consumer.commit({TopicPartition(topic, 0): last.offset + 1})
        consumer.close()
        again = reader(transport, topic)
        assert values(take(again, 3)) == ["a", "b", "c"]
        again.close()

    def test_committing_what_is_not_ours_changes_nothing(
        self, transport: Transport, harness: Harness
    ) -> None:
        topic, other = harness.new_topic(1), harness.new_topic(1)
        write(transport, topic, ["a"])
        consumer = reader(transport, topic)
        take(consumer, 1)
        consumer.commit({TopicPartition(other, 0): 1})
        consumer.commit({})
        consumer.close()

    def test_groups_are_independent(self, transport: Transport, harness: Harness) -> None:
        topic = harness.new_topic(1)
        write(transport, topic, ["a", "b"])
        one, two = reader(transport, topic, "one"), reader(transport, topic, "two")
        assert values(take(one, 2)) == ["a", "b"]
        assert values(take(two, 2)) == ["a", "b"]
        one.close()
        two.close()

    def test_a_deleted_position_is_lost_with_the_size_of_the_gap(
        self, transport: Transport, harness: Harness
    ) -> None:
        topic = harness.new_topic(1)
        place = TopicPartition(topic, 0)
        first = transport.start_position(place)
        consumer = reader(transport, topic)
        for start in range(0, 4 * KEPT, KEPT):
            write(transport, topic, [str(number) for number in range(start, start + KEPT)])
            consumer.commit({place: take(consumer, KEPT)[-1].offset + 1})
        consumer.close()
        harness.run_retention(place)
        oldest = transport.start_position(place)
        assert first < oldest
        assert 0 < int(values(transport.read(place, oldest, 1))[0]) < 4 * KEPT
        with pytest.raises(PositionLost, match="lost"):
            transport.read(place, first, 1)
        late = transport.consumer(topic, "late", lambda places: {place: first}, ignore)
        with pytest.raises(PositionLost, match="lost"):
            take(late, 1)
        late.close()

    def test_a_position_beyond_the_end_stops(self, transport: Transport, harness: Harness) -> None:
        topic = harness.new_topic(1)
        write(transport, topic, ["a"])
        place = TopicPartition(topic, 0)
        with pytest.raises(Stop, match="beyond"):
            transport.read(place, 1_000, 1)
        consumer = transport.consumer(topic, "g", lambda places: {place: 1_000}, ignore)
        with pytest.raises(Stop, match="beyond"):
            take(consumer, 1)
        consumer.close()

    def test_a_position_that_is_not_given_stops(
        self, transport: Transport, harness: Harness
    ) -> None:
        topic = harness.new_topic(2)
        consumer = transport.consumer(
            topic, "g", lambda places: {TopicPartition(topic, 0): 0}, ignore
        )
        with pytest.raises(Stop, match="position"):
            take(consumer, 1)
        consumer.close()


class TestGroups:
    def test_where_the_owner_can_not_begin_yet_the_next_poll_asks_again(
        self, transport: Transport, harness: Harness
    ) -> None:
        topic = harness.new_topic(2)
        write(transport, topic, ["a", "b"])
        asked = 0

        def on_assigned(places: Collection[TopicPartition]) -> dict[TopicPartition, Position]:
            nonlocal asked
            asked += 1
            if asked <= 2:
                raise Retry("the database is away")
            return dict.fromkeys(places, 0)

        consumer = transport.consumer(topic, "g", on_assigned, ignore)
        for _ in range(2):
            with pytest.raises(Retry, match="the database is away"):
                take(consumer, 1)
        assert values(take(consumer, 2)) == ["a", "b"]
        assert asked == 3
        consumer.close()

    def test_partitions_are_told_before_the_first_record_and_given_back_once(
        self, transport: Transport, harness: Harness
    ) -> None:
        topic = harness.new_topic(3)
        write(transport, topic, ["a"])
        calls: list[tuple[str, frozenset[TopicPartition]]] = []

        def on_assigned(places: Collection[TopicPartition]) -> dict[TopicPartition, Position]:
            calls.append(("assigned", frozenset(places)))
            return {place: transport.start_position(place) for place in places}

        consumer = transport.consumer(
            topic,
            "g",
            on_assigned,
            lambda places: calls.append(("revoked", frozenset(places))),
        )
        assert calls == []
        assert consumer.assignment() == frozenset()
        take(consumer, 1)
        every = frozenset(TopicPartition(topic, number) for number in range(3))
        assert calls == [("assigned", every)]
        assert consumer.assignment() == every
        consumer.close()
        consumer.close()
        assert calls == [("assigned", every), ("revoked", every)]
        assert consumer.assignment() == frozenset()

    def test_a_closed_group_can_be_joined_again(
        self, transport: Transport, harness: Harness
    ) -> None:
        topic = harness.new_topic(2)
        write(transport, topic, ["a"])
        for _ in range(2):
            consumer = reader(transport, topic)
            assert values(take(consumer, 1)) == ["a"]
            assert len(consumer.assignment()) == 2
            consumer.close()

    def test_a_partition_never_has_two_readers_of_one_group(
        self, transport: Transport, harness: Harness
    ) -> None:
        topic = harness.new_topic(4)
        write(transport, topic, ["a"])
        revoked: list[TopicPartition] = []
        old = transport.consumer(topic, "g", from_start(transport), revoked.extend)
        take(old, 1)
        new = reader(harness.connect(), topic, "g")
        every = {TopicPartition(topic, number) for number in range(4)}
        assert poll_together(
            [old, new],
            lambda: bool(new.assignment()) and old.assignment() | new.assignment() == every,
        )
        assert set(revoked) == every, "the old reader was told"
        assert not old.assignment() & new.assignment()
        old.close()
        new.close()


class TestPublishing:
    def test_records_and_sequence_go_together(self, transport: Transport, harness: Harness) -> None:
        topic, other = harness.new_topic(2), harness.new_topic(1)
        publisher = transport.publisher("cursor")
        assert publisher.last_sequence() == 0
        publisher.publish([OutRecord(topic, b"k", b"a"), OutRecord(other, b"k", b"b")], 7)
        assert publisher.last_sequence() == 7
        publisher.publish([], 8)
        assert publisher.last_sequence() == 8
        publisher.close()
        again = harness.connect().publisher("cursor")
        assert again.last_sequence() == 8
        assert transport.publisher("another").last_sequence() == 0
        assert everything(transport, topic) == ["a"]
        assert everything(transport, other) == ["b"]

    @pytest.mark.parametrize("sequence", [0, 4, 5])
    def test_a_sequence_must_rise(
        self, transport: Transport, harness: Harness, sequence: int
    ) -> None:
        topic = harness.new_topic(1)
        publisher = transport.publisher("p")
        publisher.publish([OutRecord(topic, None, b"a")], 5)
        with pytest.raises(Stop, match="sequence"):
            publisher.publish([OutRecord(topic, None, b"again")], sequence)
        assert everything(transport, topic) == ["a"]

    def test_a_newer_publisher_fences_the_older_one(
        self, transport: Transport, harness: Harness
    ) -> None:
        topic = harness.new_topic(1)
        old = transport.publisher("p")
        old.publish([OutRecord(topic, None, b"a")], 1)
        new = harness.connect().publisher("p")
        with pytest.raises(Fenced):
            old.publish([OutRecord(topic, None, b"zombie")], 2)
        assert new.last_sequence() == 1
        new.publish([OutRecord(topic, None, b"b")], 2)
        with pytest.raises(Fenced):
            old.publish([OutRecord(topic, None, b"zombie")], 3)
        assert everything(transport, topic) == ["a", "b"]
        old.close()
        new.close()

    def test_publishers_of_other_names_are_not_fenced(
        self, transport: Transport, harness: Harness
    ) -> None:
        topic = harness.new_topic(1)
        one, two = transport.publisher("one"), transport.publisher("two")
        one.publish([OutRecord(topic, None, b"a")], 1)
        two.publish([OutRecord(topic, None, b"b")], 1)
        one.publish([OutRecord(topic, None, b"c")], 2)
        assert everything(transport, topic) == ["a", "b", "c"]

    def test_nothing_of_a_failed_publish_is_there(
        self, transport: Transport, harness: Harness
    ) -> None:
        topic = harness.new_topic(1)
        publisher = transport.publisher("p")
        good = OutRecord(topic, None, b"half")
        with pytest.raises(Stop):
            publisher.publish([good, OutRecord(topic, None, b"", partition=5)], 1)
        with pytest.raises(Stop):
            publisher.publish([good, OutRecord("no-such-topic", None, b"")], 1)
        again = transport.publisher("p")
        assert again.last_sequence() == 0
        again.publish([OutRecord(topic, None, b"whole")], 1)
        assert everything(transport, topic) == ["whole"]
        consumer = reader(transport, topic)
        assert values(take(consumer, 1)) == ["whole"]
        consumer.close()
