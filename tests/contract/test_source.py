"""What every source does: files of each kind, the pipe, and the built-in ones."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from streaming.sources.base import Source, SourceRow
from streaming.sources.registry import SUFFIXES, built_in, open_source
from streaming.sources.stdin import Pipe

pytestmark = pytest.mark.slow

ROWS = 250
PATIENCE = 2_000  # empty reads of a pipe; its thread is faster


@dataclass(frozen=True)
class Field:
    type: str
    path: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Stream:
    key: str | None
    fields: Mapping[str, Field] = field(default_factory=dict)


EVENTS = [{"id": f"e{n}", "who": f"w{n % 7}", "amount": n / 4} for n in range(ROWS)]
EVENTS_STREAM = Stream("who", {"id": Field("string"), "amount": Field("number")})


def a_parquet_file(folder: Path) -> Source:
    path = folder / "events.parquet"
    pq.write_table(pa.Table.from_pylist(EVENTS), path, row_group_size=60)
    return open_source(str(path), EVENTS_STREAM)


def a_csv_file(folder: Path) -> Source:
    path = folder / "events.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["id", "who", "amount"])
        writer.writeheader()
        writer.writerows(EVENTS)
    return open_source(str(path), EVENTS_STREAM)


def a_json_lines_file(folder: Path) -> Source:
    path = folder / "events.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in EVENTS))
    return open_source(str(path), EVENTS_STREAM)


def a_pipe(folder: Path) -> Source:
    lines = b"".join(json.dumps(event).encode() + b"\n" for event in EVENTS)
    return Pipe(io.BytesIO(lines), EVENTS_STREAM)


def payments(folder: Path) -> Source:
    name = f"payments_simulator?seed=3&events={ROWS + 1_900}"
    return open_source(name, Stream("customer_id", {"amount": Field("number")}))


def shuttle(folder: Path) -> Source:
    return open_source("shuttle", Stream("row", {"f1": Field("number")}))


MAKERS: Mapping[str, Callable[[Path], Source]] = {
    "parquet_file": a_parquet_file,
    "csv_file": a_csv_file,
    "json_lines_file": a_json_lines_file,
    "stdin": a_pipe,
    "payments_simulator": payments,
    "shuttle": shuttle,
}


def test_every_source_is_tested_here() -> None:
    assert set(MAKERS) == {"stdin", *SUFFIXES.values(), *built_in()}


@pytest.fixture(params=sorted(MAKERS))
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Source]:
    maker = MAKERS[request.param]
    return lambda: maker(tmp_path)


def read_all(source: Source, position: int, max_records: int) -> list[SourceRow]:
    rows: list[SourceRow] = []
    for _ in range(PATIENCE):
        chunk = source.read(position, max_records)
        assert len(chunk.rows) <= max_records
        assert chunk.position >= position + len(chunk.rows)
        rows += chunk.rows
        position = chunk.position
        if chunk.done:
            break
        if not chunk.rows:
            os.sched_yield()
    again = source.read(position, max_records)
    assert (list(again.rows), again.position, again.done) == ([], position, True)
    return rows


def test_rows_are_json_objects_with_their_keys(make: Callable[[], Source]) -> None:
    source = make()
    rows = read_all(source, 0, 100)
    assert len(rows) >= ROWS
    assert len(rows) == source.total() or source.total() is None
    for row in rows:
        event = json.loads(row.value)
        assert row.key is not None
        assert row.key.decode() in {str(value) for value in event.values()}
    source.close()


def test_rows_are_the_same_however_they_are_cut(make: Callable[[], Source]) -> None:
    source, other = make(), make()
    assert read_all(source, 0, 7_000) == read_all(other, 0, 61)
    assert list(source.identities) == list(other.identities) != []
    source.close()
    other.close()


def test_a_resumable_source_goes_on_anywhere(make: Callable[[], Source]) -> None:
    source, fresh = make(), make()
    everything = read_all(source, 0, 1_000)
    for position in (ROWS - 1, 0, 59, 60, 61, 130):
        if source.resumable:
            chunk = source.read(position, 5)
            assert list(chunk.rows) == everything[position : position + 5]
    if fresh.resumable:
        assert list(fresh.read(200, 10).rows) == everything[200:210]
    else:
        with pytest.raises(ValueError, match="in order"):
            fresh.read(200, 10)
    source.close()
    fresh.close()


def test_an_end_is_told(make: Callable[[], Source]) -> None:
    source = make()
    total = source.total()
    if total is not None:
        assert not source.read(total - 2, 1).done
        assert source.read(total + 5, 1).rows == []
        assert source.read(total + 5, 1).done
    source.close()
