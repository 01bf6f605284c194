"""Rows of a source get into the log once each, at the rate that was asked for."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.errors import Fenced, Retry, SourceInvalid, Stop
from streaming.ingest import Ingest
from streaming.records import TRUNCATED_FROM, TopicPartition
from streaming.sources.base import Chunk, SourceRow
from streaming.sources.registry import open_source
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
    identities: Sequence[str] = ("list",)

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


def test_a_row_that_is_cut_says_so_in_the_log() -> None:
    transport = log()
    pipe = io.BytesIO(b"x" * 1_000_000 + b"\n{}\n")
    run(Ingest(Pipe(pipe, stream()), transport, "t", "s", None, Clock()))
    cut, whole = transport.read(PLACE, 0, 10)
    assert (len(cut.value), cut.headers) == (900_000, ((TRUNCATED_FROM, b"1000000"),))
    assert (whole.value, whole.headers) == (b"{}", ())


def test_other_sources_of_a_stream_are_remembered_apart() -> None:
    transport = log()
    other = ListSource(["x", "y"])
    other.identities = ("another file",)
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


def send(transport: EmbeddedTransport, path: Path) -> None:
    source = open_source(str(path), stream())
    with contextlib.closing(Ingest(source, transport, "t", "s", None, Clock())) as ingest:
        run(ingest)
        assert ingest.done


def lines(word: str, count: int) -> str:
    return "".join(f'{{"{word}": {number}}}\n' for number in range(count))


@pytest.mark.parametrize("count", [3, 10_000])
def test_a_file_that_was_replaced_is_sent_and_one_that_is_the_same_is_not(
    tmp_path: Path, count: int
) -> None:
    transport, path = log(), tmp_path / "a.jsonl"
    for word in ("old", "old", "new", "new"):
        path.write_text(lines(word, count))
        send(transport, path)
    assert sent(transport) == (lines("old", count) + lines("new", count)).splitlines()


def test_of_a_csv_file_the_first_row_tells_and_not_the_header(tmp_path: Path) -> None:
    transport, path = log(), tmp_path / "a.csv"
    for number in (1, 2, 2):
        path.write_text(f"n\n{number}\n")
        send(transport, path)
    assert sent(transport) == ['{"n":"1"}', '{"n":"2"}']


def test_a_parquet_file_with_other_rows_is_another(tmp_path: Path) -> None:
    transport, path = log(), tmp_path / "a.parquet"
    for numbers_ in ([1, 2], [1, 3], [1, 3]):
        pq.write_table(pa.table({"n": numbers_}), path)
        send(transport, path)
    assert sent(transport) == ['{"n":1}', '{"n":2}', '{"n":1}', '{"n":3}']


def test_a_file_that_grows_is_the_same_from_its_first_line_to_many(tmp_path: Path) -> None:
    transport, path = log(), tmp_path / "a.jsonl"
    for count in (1, 2, 500, 4_000, 9_000, 9_000, 12_000):
        path.write_text(lines("n", count))
        send(transport, path)
    assert sent(transport) == lines("n", 12_000).splitlines()


def test_a_file_that_lost_rows_is_refused_with_the_remedy(tmp_path: Path) -> None:
    transport, path = log(), tmp_path / "a.jsonl"
    path.write_text(lines("n", 6))
    send(transport, path)
    path.write_text(lines("n", 4))
    with pytest.raises(SourceInvalid, match=r"a\.jsonl: has 4 rows, but 6 .* another name"):
        send(transport, path)
    assert len(sent(transport)) == 6


def test_it_says_what_is_in_the_log_already(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "streaming")
    transport, path = log(), tmp_path / "a.jsonl"
    for count in (600, 600, 601):
        path.write_text(lines("n", count))
        send(transport, path)
    nothing_new, going_on = caplog.messages
    assert nothing_new == f"all 600 rows of {path} are in the log already: nothing new"
    assert going_on == f"going on with {path} at row 601 of 601"


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
