"""What only the embedded log does: limits, files, several processes on one file."""

from __future__ import annotations

import sqlite3
import threading
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streaming.errors import Fenced, Retry, SlowDown, Stop, TransportUnavailable
from streaming.records import OutRecord, TopicPartition
from streaming.transports import _log_file
from streaming.transports._log_consumer import LogConsumer
from streaming.transports._log_file import LogFile
from streaming.transports._log_publisher import LogPublisher
from streaming.transports._log_topics import Limits, partition_of
from streaming.transports.embedded import EmbeddedTransport, open_url
from streaming.transports.registry import open_transport, schemes

NOW = 1_700_000_000.0
PLACE = TopicPartition("t", 0)


def clock() -> float:
    return NOW


def in_memory(limits: Limits | None = None) -> EmbeddedTransport:
    transport = EmbeddedTransport(":memory:", clock, limits)
    transport.ensure_topic("t", 1)
    return transport


def join(transport: EmbeddedTransport, group: str = "g", start: int = 0) -> LogConsumer:
    return transport.consumer("t", group, lambda ps: dict.fromkeys(ps, start), lambda ps: None)


def fill(transport: EmbeddedTransport, count: int, size: int = 1) -> None:
    publisher = transport.publisher("p")
    publisher.publish([OutRecord("t", None, b"x" * size)] * count, publisher.last_sequence() + 1)


class TestBackPressure:
    def test_a_writer_waits_for_the_slowest_group(self) -> None:
        transport = in_memory(Limits(max_lag=10))
        fast, slow = join(transport, "fast"), join(transport, "slow")
        fill(transport, 11)
        fast.poll(0, 100)
        fast.commit({PLACE: 11})
        publisher = transport.publisher("p")
        with pytest.raises(SlowDown, match="slow is 11 records behind"):
            publisher.publish([OutRecord("t", None, b"")], 5)
        assert publisher.last_sequence() == 1
        slow.poll(0, 100)
        slow.commit({PLACE: 1})
        publisher.publish([OutRecord("t", None, b"")], 5)

    def test_a_closed_reader_still_holds_writers_back_until_its_group_is_forgotten(self) -> None:
        transport = in_memory(Limits(max_lag=1))
        join(transport).close()
        fill(transport, 2)
        with pytest.raises(SlowDown):
            fill(transport, 1)
        transport.forget_group("t", "g")
        fill(transport, 1)

    def test_a_topic_that_nobody_reads_takes_everything(self) -> None:
        transport = in_memory(Limits(max_lag=1))
        for _ in range(3):
            fill(transport, 10)
        assert len(transport.read(PLACE, 0, 100)) == 30


class TestRetention:
    def test_only_what_every_group_has_committed_goes(self) -> None:
        transport = in_memory(Limits(keep_records=3))
        one, two = join(transport, "one"), join(transport, "two")
        fill(transport, 10)
        one.poll(0, 100)
        one.commit({PLACE: 10})
        two.poll(0, 100)
        two.commit({PLACE: 4})
        fill(transport, 1)
        assert transport.start_position(PLACE) == 4
        two.commit({PLACE: 11})
        fill(transport, 1)
        assert transport.start_position(PLACE) == 9
        assert [record.offset for record in transport.read(PLACE, 9, 100)] == [9, 10, 11]

    def test_a_topic_that_nobody_reads_is_kept_whole(self) -> None:
        transport = in_memory(Limits(keep_records=3, keep_bytes=3))
        fill(transport, 10)
        fill(transport, 10)
        assert transport.start_position(PLACE) == 0

    def test_bytes_are_counted(self) -> None:
        transport = in_memory(Limits(keep_bytes=1_000))
        consumer = join(transport)
        consumer.poll(0, 1)
        for number in range(1, 31):
            fill(transport, 1, size=100)
            consumer.commit({PLACE: number})
        kept = transport.read(PLACE, transport.start_position(PLACE), 100)
        assert 900 <= sum(len(record.value) for record in kept) <= 1_100

    def test_a_read_is_bounded_in_bytes(self) -> None:
        transport = in_memory()
        fill(transport, 5, size=16 << 20)
        assert len(transport.read(PLACE, 0, 100)) == 2


class TestFiles:
    def test_it_is_all_there_after_reopening(self, tmp_path: Path) -> None:
        path = str(tmp_path / "log.db")
        transport = EmbeddedTransport(path, clock)
        transport.ensure_topic("t", 1)
        fill(transport, 3)
        topic_id = transport.topic_id("t")
        transport.close()
        again = EmbeddedTransport(path, clock)
        assert again.topic_id("t") == topic_id
        assert [record.offset for record in again.read(PLACE, 0, 9)] == [0, 1, 2]
        assert again.publisher("p").last_sequence() == 1
        again.close()

    def test_a_power_cut_may_take_nothing(self, tmp_path: Path) -> None:
        file = LogFile(str(tmp_path / "log.db"))
        with file.read() as db:
            assert db.execute("PRAGMA synchronous").fetchone() == (2,)
            assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        file.close()

    def test_a_text_file_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "notes.txt"
        path.write_text("these are my notes\n" * 100)
        with pytest.raises(Stop, match=r"notes\.txt: not a log"):
            EmbeddedTransport(str(path), clock)
        assert path.read_text().startswith("these are my notes")

    def test_a_database_of_another_program_is_refused_and_left_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "other.db"
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE customers (id)")
        other.commit()
        other.close()
        before = path.read_bytes()
        with pytest.raises(Stop, match="another program"):
            EmbeddedTransport(str(path), clock)
        assert path.read_bytes() == before

    def test_a_newer_format_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "log.db"
        EmbeddedTransport(str(path), clock).close()
        newer = sqlite3.connect(path)
        newer.execute("PRAGMA user_version = 99")
        newer.close()
        with pytest.raises(Stop, match="newer version"):
            EmbeddedTransport(str(path), clock)

    def test_a_damaged_file_is_named_with_the_remedy(self, tmp_path: Path) -> None:
        path = tmp_path / "log.db"
        transport = EmbeddedTransport(str(path), clock)
        transport.ensure_topic("t", 1)
        fill(transport, 500, size=500)
        transport.close()
        content = bytearray(path.read_bytes())
        content[4096:] = b"\xa5" * (len(content) - 4096)
        path.write_bytes(content)
        again = EmbeddedTransport(str(path), clock)
        with pytest.raises(Stop, match="damaged; restore"):
            again.read(PLACE, 0, 1_000)
        again.close()

    def test_a_missing_folder_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(Stop, match="nowhere does not exist"):
            EmbeddedTransport(str(tmp_path / "nowhere" / "log.db"), clock)

    def test_a_folder_is_no_log(self, tmp_path: Path) -> None:
        with pytest.raises(Stop, match="can't be opened"):
            EmbeddedTransport(str(tmp_path), clock)

    def test_a_full_disk_loses_nothing_and_heals(self, tmp_path: Path) -> None:
        file = LogFile(str(tmp_path / "log.db"))
        transport = EmbeddedTransport(str(tmp_path / "log.db"), clock)
        transport.ensure_topic("t", 1)
        publisher = LogPublisher(file, "p", clock, Limits())
        publisher.publish([OutRecord("t", None, b"first")], 1)
        with file.write() as db:
            db.execute("PRAGMA max_page_count = 20")
        with pytest.raises(Retry, match="disk is full and nothing was written; free"):
            publisher.publish([OutRecord("t", None, b"x" * 1_000)] * 200, 2)
        assert publisher.last_sequence() == 1
        with file.write() as db:
            db.execute("PRAGMA max_page_count = 100000")
        publisher.publish([OutRecord("t", None, b"x" * 1_000)] * 200, 2)
        assert len(transport.read(PLACE, 0, 500)) == 201
        transport.close()
        file.close()

    def test_a_log_held_by_another_process_is_worth_a_retry(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_log_file, "BUSY_S", 0.05)
        path = str(tmp_path / "log.db")
        transport = EmbeddedTransport(path, clock)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TransportUnavailable, match="another process"):
            transport.ensure_topic("t", 1)
        other.execute("ROLLBACK")
        transport.ensure_topic("t", 1)
        other.close()
        transport.close()

    def test_a_closed_log_says_so(self) -> None:
        transport = in_memory()
        transport.close()
        transport.close()
        with pytest.raises(Stop, match="closed"):
            transport.partitions("t")

    def test_many_open_a_new_file_at_once(self, tmp_path: Path) -> None:
        path = str(tmp_path / "log.db")
        made: list[str] = []

        def open_it() -> None:
            transport = EmbeddedTransport(path, clock)
            transport.ensure_topic("t", 2)
            made.append(transport.topic_id("t"))
            transport.close()

        threads = [threading.Thread(target=open_it) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert len(made) == 6
        assert len(set(made)) == 1


class TestReaders:
    def test_a_waiting_reader_wakes_on_a_record_from_another_thread(self) -> None:
        transport = in_memory()
        consumer = join(transport)
        assert list(consumer.poll(0, 1)) == []
        writer = threading.Timer(0.05, fill, (transport, 1))
        writer.start()
        assert len(consumer.poll(30, 10)) == 1
        writer.join()

    def test_a_waiting_reader_wakes_on_a_record_from_another_connection(
        self, tmp_path: Path
    ) -> None:
        transport = EmbeddedTransport(str(tmp_path / "log.db"), clock)
        transport.ensure_topic("t", 1)
        consumer = join(transport)
        assert list(consumer.poll(0, 1)) == []
        other = EmbeddedTransport(str(tmp_path / "log.db"), clock)
        writer = threading.Timer(0.05, fill, (other, 1))
        writer.start()
        assert len(consumer.poll(30, 10)) == 1
        writer.join()
        other.close()
        transport.close()

    def test_the_older_reader_stops_and_can_not_move_the_group(self) -> None:
        transport = in_memory()
        fill(transport, 5)
        revoked: list[TopicPartition] = []
        old = transport.consumer("t", "g", lambda ps: dict.fromkeys(ps, 0), revoked.extend)
        old.poll(0, 5)
        new = join(transport)
        new.poll(0, 5)
        new.commit({PLACE: 2})
        old.commit({PLACE: 5})
        with pytest.raises(Fenced, match="taken over"):
            old.poll(0, 5)
        assert revoked == [PLACE]
        old.close()
        assert revoked == [PLACE]
        with transport._file.read() as db:
            assert db.execute("SELECT position FROM positions").fetchall() == [(2,)]

    def test_a_busy_partition_does_not_starve_the_others(self) -> None:
        transport = EmbeddedTransport(":memory:", clock)
        transport.ensure_topic("t", 3)
        records = [OutRecord("t", None, b"", partition=0)] * 100
        records += [OutRecord("t", None, b"", partition=number) for number in (1, 2)]
        transport.publisher("p").publish(records, 1)
        assert {record.partition for record in join(transport).poll(0, 10)} == {0, 1, 2}

    def test_a_closed_reader_says_so(self) -> None:
        consumer = join(in_memory())
        consumer.close()
        with pytest.raises(Stop, match="closed"):
            consumer.poll(0, 1)


@settings(max_examples=40, deadline=None)
@given(
    batches=st.lists(st.lists(st.binary(max_size=3), max_size=20), max_size=8),
    partitions=st.integers(1, 4),
    polls=st.lists(st.integers(1, 7), min_size=1),
)
def test_every_record_comes_once_and_in_order_however_it_is_cut(
    batches: list[list[bytes]], partitions: int, polls: list[int]
) -> None:
    transport = EmbeddedTransport(":memory:", clock)
    transport.ensure_topic("t", partitions)
    publisher = transport.publisher("p")
    for sequence, keys in enumerate(batches, 1):
        publisher.publish([OutRecord("t", key, b"%d" % sequence) for key in keys], sequence)
    got: dict[int, list[tuple[bytes | None, bytes]]] = defaultdict(list)
    consumer = join(transport)
    while records := consumer.poll(0, polls[0]):
        polls.append(polls.pop(0))
        for record in records:
            assert record.offset == len(got[record.partition])
            got[record.partition].append((record.key, record.value))
    expected: dict[int, list[tuple[bytes | None, bytes]]] = defaultdict(list)
    for sequence, keys in enumerate(batches, 1):
        for key in keys:
            expected[partition_of(key, partitions)].append((key, b"%d" % sequence))
    assert got == expected
    transport.close()


class TestUrls:
    def test_schemes_are_the_files_of_the_folder(self) -> None:
        assert "embedded" in schemes()
        assert all(not name.startswith("_") for name in schemes())

    def test_a_url_opens_a_log_with_its_limits(self, tmp_path: Path) -> None:
        for form in ("embedded:{}", "embedded://{}"):
            transport = open_transport(form.format(tmp_path / "a#b.db") + "?max_lag=1", clock)
            transport.ensure_topic("t", 1)
            transport.close()
        assert (tmp_path / "a#b.db").exists()
        assert isinstance(open_url("embedded::memory:", clock), EmbeddedTransport)

    @pytest.mark.parametrize(
        ("url", "message"),
        [
            ("rabbit:x", "known are .*embedded:"),
            ("log.db", "not a transport"),
            ("base:x", "not a transport"),
            ("embedded:", "names no file"),
            ("embedded:x.db?max_lagg=1", "max_lagg=1: use max_lag"),
            ("embedded:x.db?max_lag=many", "whole number"),
        ],
    )
    def test_a_url_that_makes_no_sense_is_explained(self, url: str, message: str) -> None:
        with pytest.raises(Stop, match=message):
            open_transport(url, clock)
