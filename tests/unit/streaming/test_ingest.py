"""Rows of a source get into the log once each, at the rate that was asked for."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.errors import Fenced, Retry, Stop
from streaming.ingest import Ingest
from streaming.records import TopicPartition
from streaming.sources.base import Chunk, SourceRow
from streaming.sources.stdin import Pipe
from streaming.transports._log_topics import Limits
from streaming.transports.embedded import EmbeddedTransport
from tests.unit.streaming.flaky import AFTER, BEFORE, OK, FlakyTransport
from tests.unit.streaming.sources.declared import stream

PLACE = TopicPartition("t", 0)
STEPS = 1_000


class ListSource:
    """Rows 0, 1, 2, ...; ``None`` is a blank line."""

    resumable = True
    name = "list"

    def __init__(self, values: Sequence[str | None]) -> None:
        self.values = values

    def read(self, position: int, max_records: int) -> Chunk:
        part = self.values[position : position + max_records]
        rows = [SourceRow(None, value.encode()) for value in part if value is not None]
        end = position + len(part)
        return Chunk(rows, end, done=end >= len(self.values))

    def total(self) -> int | None:
        return len(self.values)

    def close(self) -> None:
        pass


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def log(faults: Sequence[str] = ()) -> FlakyTransport:
    transport = FlakyTransport(lambda: 0.0, faults)
    transport.ensure_topic("t", 1)
    return transport


def sent(transport: EmbeddedTransport) -> list[str]:
    return [record.value.decode() for record in transport.read(PLACE, 0, 100_000)]


def run(ingest: Ingest) -> None:
    for _ in range(STEPS):
        try:
            ingest.step()
        except Retry:
            continue
        if ingest.done:
            return


def numbers(count: int) -> list[str | None]:
    return [str(number) for number in range(count)]


def test_every_row_once_and_in_order() -> None:
    transport = log()
    ingest = Ingest(ListSource(numbers(5_000)), transport, "t", "s", None, Clock())
    assert ingest.step()
    assert ingest.progress().position == 2_000
    run(ingest)
    assert ingest.done
    assert sent(transport) == numbers(5_000)
    assert ingest.progress().position == ingest.progress().total == 5_000
    assert not ingest.step()


@given(
    rows=st.lists(st.sampled_from(["a", "b", None]), max_size=60),
    faults=st.lists(st.sampled_from([OK, BEFORE, AFTER]), max_size=12),
    lives=st.lists(st.integers(1, 5), max_size=5),
)
def test_once_each_whatever_fails_and_is_killed(
    rows: list[str | None], faults: list[str], lives: list[int]
) -> None:
    rows = [value and f"{value}{number}" for number, value in enumerate(rows)]
    transport = log(faults)
    for steps in lives:  # killed after so many steps, each time
        clock = Clock()
        ingest = Ingest(ListSource(rows), transport, "t", "s", 7.0, clock)
        for _ in range(steps):
            clock.now += 1
            try:
                ingest.step()
            except Retry:
                continue
    run(Ingest(ListSource(rows), transport, "t", "s", None, Clock()))
    assert sent(transport) == [value for value in rows if value is not None]


def test_a_restart_goes_on_where_the_log_ends() -> None:
    transport = log()
    clock = Clock()
    first = Ingest(ListSource(numbers(100)), transport, "t", "s", 30, clock)
    clock.now += 1
    first.step()
    second = Ingest(ListSource(numbers(100)), transport, "t", "s", None, clock)
    run(second)
    assert sent(transport) == numbers(100)
    clock.now += 1
    with pytest.raises(Fenced):
        first.step()


def test_a_pipe_goes_on_with_what_comes() -> None:
    transport = log([OK, AFTER, BEFORE])
    for lines in (b"1\n2\n", b"3\n\n4\n", b"5\n"):
        run(Ingest(Pipe(io.BytesIO(lines), stream()), transport, "t", "s", None, Clock()))
    assert sent(transport) == ["1", "2", "3", "4", "5"]


def test_other_sources_of_a_stream_are_remembered_apart() -> None:
    transport = log()
    other = ListSource(["x", "y"])
    other.name = "another file"
    run(Ingest(ListSource(numbers(5)), transport, "t", "s", None, Clock()))
    run(Ingest(other, transport, "t", "s", None, Clock()))
    run(Ingest(ListSource(numbers(6)), transport, "t", "s", None, Clock()))
    assert sent(transport) == ["0", "1", "2", "3", "4", "x", "y", "5"]


def test_the_rate_is_kept_by_the_clock() -> None:
    transport, clock = log(), Clock()
    ingest = Ingest(ListSource(numbers(1_000)), transport, "t", "s", 200, clock)
    assert not ingest.step()
    for _ in range(20):
        clock.now += 0.05
        ingest.step()
    assert 195 <= len(sent(transport)) <= 200
    assert not ingest.step()


def test_a_pause_is_not_followed_by_a_flood() -> None:
    transport, clock = log(), Clock()
    ingest = Ingest(ListSource(numbers(10_000)), transport, "t", "s", 200, clock)
    clock.now += 3_600
    for _ in range(10):
        ingest.step()
    assert len(sent(transport)) == 200


@pytest.mark.parametrize("rate", [0, -1])
def test_a_rate_that_can_not_be_is_refused(rate: float) -> None:
    with pytest.raises(Stop, match="rate"):
        Ingest(ListSource([]), log(), "t", "s", rate, Clock())


def test_a_slow_rate_still_moves() -> None:
    transport, clock = log(), Clock()
    ingest = Ingest(ListSource(numbers(10)), transport, "t", "s", 0.5, clock)
    for _ in range(8):
        clock.now += 1
        ingest.step()
    assert len(sent(transport)) == 4


def test_it_waits_while_readers_are_behind() -> None:
    transport = EmbeddedTransport(":memory:", lambda: 0.0, Limits(max_lag=1_000))
    transport.ensure_topic("t", 1)
    reader = transport.consumer("t", "g", lambda ps: dict.fromkeys(ps, 0), lambda ps: None)
    ingest = Ingest(ListSource(numbers(5_000)), transport, "t", "s", None, Clock())
    assert ingest.step()
    assert not ingest.step()
    assert not ingest.done
    assert len(sent(transport)) == 2_000
    reader.poll(0, 10_000)
    reader.commit({PLACE: 2_000})
    assert ingest.step()
    assert sent(transport) == numbers(4_000)
