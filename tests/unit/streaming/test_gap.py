"""Retention has passed the worker: it halts, says what is lost, goes on when that is accepted."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from streaming.errors import PositionLost
from streaming.gap import Gap, accept, gaps
from streaming.records import OutRecord, TopicPartition
from streaming.transports._log_topics import Limits
from streaming.transports.embedded import EmbeddedTransport
from streaming.worker import COMMIT_EVERY_S, Worker
from tests.support.streams import events, small_config
from triage.store.base import Store
from triage.store.store import open_store

KEPT = 300
CONFIG = small_config(source="{topic: tests, partitions: 1}")


class House:
    """A store, and a log that keeps the last ``KEPT`` records."""

    def __init__(self, folder: Path) -> None:
        self.now = 1_800_000_000.0
        self.log = EmbeddedTransport(":memory:", lambda: self.now, Limits(keep_records=KEPT))
        self.log.ensure_topic("tests", 1)
        self.store: Store = open_store(f"sqlite:///{folder / 'triage.db'}")
        self.sent = 0

    def send(self, count: int) -> None:
        values = events(self.sent + count)[self.sent :]
        records = [OutRecord("tests", b"k", json.dumps(value).encode()) for value in values]
        self.sent += count
        publisher = self.log.publisher("w")
        for first in range(0, count, 50):
            publisher.publish(records[first : first + 50], self.sent - count + first + 50)

    def work(self, steps: int = 40) -> Worker:
        worker = Worker(CONFIG, self.log, self.store, lambda: self.now)
        for _ in range(steps):
            self.now += COMMIT_EVERY_S
            worker.step()
            if worker.lag() == 0 and worker.settled():
                return worker
        raise AssertionError("the worker does not settle")

    def pass_over(self, count: int) -> None:
        """Let so many records come and retention delete the older ones; only others read."""
        self.log.forget_group("tests", "triage.tests")
        place = TopicPartition("tests", 0)
        start = self.log.start_position(place)
        others = self.log.consumer("tests", "o", lambda _: {place: start}, lambda _: None)
        others.poll(0.0, 1)
        for _ in range(0, count, 50):
            self.send(50)
            others.commit({place: self.log.end_position(place)})

    def gaps(self) -> list[Gap]:
        return list(gaps(CONFIG, self.log, self.store))

    def accepted(self) -> tuple[int, int]:
        (status,) = self.store.status(self.now).streams
        return status.counters.accepted, status.counters.skipped


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    with closing(made.store):
        yield made


def test_it_halts_until_the_gap_is_accepted(house: House) -> None:
    house.send(250)
    house.work().close()  # with a snapshot at 250
    house.pass_over(1_000)
    for _ in range(2):
        with pytest.raises(PositionLost, match=r"250 has been deleted .* `triage accept-gap"):
            house.work()
    assert house.accepted() == (250, 0)

    (gap,) = house.gaps()
    assert gap.lost == gap.start - 250 > 0
    assert gap.forgotten == 0
    accept(CONFIG, house.store, gap, house.now)
    assert house.gaps() == []
    house.send(100)
    house.work()
    assert house.accepted() == (1_350 - gap.lost, gap.lost)


def test_a_killed_worker_whose_replay_is_gone_forgets_no_more_than_that(house: House) -> None:
    house.send(250)
    house.work().close()
    house.send(200)
    house.work()  # killed: its snapshot is at 250
    house.pass_over(200)
    with pytest.raises(PositionLost, match="accept-gap"):
        house.work()
    (gap,) = house.gaps()
    assert (gap.lost, gap.forgotten) == (0, 200)
    accept(CONFIG, house.store, gap, house.now)
    worker = house.work()
    assert house.accepted() == (650, 0)
    worker.close()
    house.work()  # and it can be recovered again


def test_without_a_sound_snapshot_the_detector_begins_anew(house: House, tmp_path: Path) -> None:
    house.send(250)
    house.work().close()
    with closing(sqlite3.connect(tmp_path / "triage.db")) as db, db:
        db.execute("UPDATE snapshots SET sha256 = 'damaged'")
    house.pass_over(600)
    with pytest.raises(PositionLost, match=r"no usable snapshot.*accept-gap"):
        house.work()
    (gap,) = house.gaps()
    assert gap.track.live.warm_up_left > 0
    accept(CONFIG, house.store, gap, house.now)
    house.work()
    assert house.accepted() == (850 - gap.lost, gap.lost)


def test_an_idle_partition_that_was_passed_over_halts_too(house: House) -> None:
    house.work().close()  # nothing has come yet
    house.pass_over(1_000)
    with pytest.raises(PositionLost):
        house.work()
    (gap,) = house.gaps()
    assert gap.lost == gap.start


def test_a_stream_that_never_ran_has_no_gap(house: House) -> None:
    house.pass_over(1_000)
    assert house.gaps() == []
    house.work()
    assert house.accepted()[0] <= KEPT + 50
