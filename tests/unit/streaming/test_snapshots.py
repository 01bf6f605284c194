"""When a worker writes snapshots."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from streaming.advisor.answers import Answers
from streaming.advisor.view import StreamView
from streaming.config.load import parse
from streaming.owned import SNAPSHOT_AFTER_S
from streaming.records import TopicPartition
from streaming.worker import COMMIT_EVERY_S, REPLAYED_ONCE
from tests.support.house import House
from tests.support.streams import CONFIG, events
from triage.errors import NotAvailable


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.store.close()
    made.transport.close()


def newest(house: House) -> list[int]:
    return [house.store.snapshots("tests", partition)[0].offset for partition in (0, 1)]


def view(house: House) -> StreamView:
    answers = Answers(house.store)
    answers.refresh()
    return answers._view("tests")


def test_the_first_shows_where_the_detector_began_and_the_next_one_that_is_warm(
    house: House,
) -> None:
    worker = house.worker()
    house.send(events(40))
    house.run(worker)
    with pytest.raises(NotAvailable, match="warming up"):
        view(house)
    began = newest(house)
    house.send(events(1500)[40:])
    house.run(worker)
    warm = newest(house)
    assert all(one > before for one, before in zip(warm, began, strict=True))
    assert set(view(house).partitions) == {0, 1}
    worker.close()


@pytest.mark.slow
def test_a_warm_up_that_ends_within_a_block_lasts_until_its_end(tmp_path: Path) -> None:
    text = CONFIG.replace("warm_up: 128", "warm_up: 100")
    house = House(tmp_path, parse(text, "tests.yaml"))
    worker = house.worker()
    for start in range(0, 1500, 10):  # often enough to commit between the two
        house.send(events(1500)[start : start + 10])
        house.run(worker)
    assert set(view(house).partitions) == {0, 1}
    worker.close()
    house.store.close()
    house.transport.close()


def test_a_slow_stream_gets_one_each_minute(house: House) -> None:
    worker = house.worker()
    house.send(events(1500)[:1000])
    house.run(worker)
    before = newest(house)
    house.send(events(1500)[1000:1100])
    house.run(worker)
    assert newest(house) == before
    house.now += SNAPSHOT_AFTER_S
    house.send(events(1500)[1100:1200])
    house.run(worker)
    assert all(one > old for one, old in zip(newest(house), before, strict=True))
    worker.close()


def test_an_idle_stream_gets_none(house: House) -> None:
    worker = house.worker()
    house.send(events(1000))
    house.run(worker)
    house.now += SNAPSHOT_AFTER_S
    house.send(events(1010)[1000:])
    house.run(worker)
    before = [len(house.store.snapshots("tests", partition)) for partition in (0, 1)]
    for _ in range(5):
        house.now += SNAPSHOT_AFTER_S + COMMIT_EVERY_S
        worker.step()
    assert [len(house.store.snapshots("tests", partition)) for partition in (0, 1)] == before
    worker.close()


@pytest.mark.parametrize(("more", "kept"), [(4 * REPLAYED_ONCE, True), (100, False)])
def test_a_long_replay_is_done_once_however_soon_the_next_kill(
    house: House, more: int, kept: bool
) -> None:
    everything = events(1500 + more)
    worker = house.worker()
    house.send(everything[:1500])
    house.run(worker)
    before = newest(house)
    house.send(everything[1500:])
    house.run(worker)
    assert newest(house) == before

    killed = house.worker()  # what replays ends before it has read anything new
    house.now += COMMIT_EVERY_S
    killed.step()
    house.now += COMMIT_EVERY_S
    killed.step()
    ends = [house.transport.end_position(TopicPartition("tests", number)) for number in (0, 1)]
    assert newest(house) == (ends if kept else before)
