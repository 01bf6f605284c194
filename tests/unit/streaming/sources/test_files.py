"""Files as people have them: wrong ones are refused with the remedy, bad rows go on as they are."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import math
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.errors import SourceInvalid
from streaming.sources._values import number
from streaming.sources.base import MAX_ROW_BYTES, Source, SourceRow
from streaming.sources.registry import open_source
from tests.unit.streaming.sources.declared import Stream, stream

Open = Callable[[str, Stream], Source]


@pytest.fixture
def opened() -> Iterator[Open]:
    with contextlib.ExitStack() as stack:

        def open_it(path: str, declaration: Stream) -> Source:
            source = open_source(path, declaration)
            stack.callback(source.close)
            return source

        yield open_it


def rows(source: Source, limit: int = 100) -> list[SourceRow]:
    return list(source.read(0, limit).rows)


def objects(source: Source) -> list[Any]:
    return [json.loads(row.value) for row in rows(source)]


def written(folder: Path, name: str, content: str | bytes) -> str:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def parquet(folder: Path, **columns: Any) -> str:
    path = folder / "events.parquet"
    pq.write_table(pa.table(columns), path)
    return str(path)


class TestRefused:
    @pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
    def test_an_empty_file(self, opened: Open, tmp_path: Path, suffix: str) -> None:
        path = written(tmp_path, f"a.{suffix}", "")
        with pytest.raises(SourceInvalid, match=r"the file is empty; name a file with data"):
            opened(path, stream())

    @pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
    def test_a_missing_file_names_the_nearest(
        self, opened: Open, tmp_path: Path, suffix: str
    ) -> None:
        written(tmp_path, f"payments.{suffix}", "x")
        with pytest.raises(SourceInvalid, match=r"no such file; did you mean .*payments\."):
            opened(str(tmp_path / f"paymets.{suffix}"), stream())

    def test_a_missing_folder(self, opened: Open, tmp_path: Path) -> None:
        with pytest.raises(SourceInvalid, match="no folder"):
            opened(str(tmp_path / "nowhere" / "a.csv"), stream())

    @pytest.mark.parametrize("name", ["folder", "folder.csv"])
    def test_a_folder(self, opened: Open, tmp_path: Path, name: str) -> None:
        (tmp_path / name).mkdir()
        with pytest.raises(SourceInvalid, match="is a folder; name one file in it"):
            opened(str(tmp_path / name), stream())

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("a.csv", "id,amount\n1,2\n"),
            ("a.tsv", "id\tamount\n1\t2\n"),
            ("a.jsonl", '{"id": 1, "amount": 2}\n'),
        ],
    )
    def test_a_file_without_the_key_names_it_and_the_nearest(
        self, opened: Open, tmp_path: Path, name: str, content: str
    ) -> None:
        with pytest.raises(SourceInvalid, match=r'no column "amonut".*did you mean "amount"'):
            opened(written(tmp_path, name, content), stream("amonut"))

    def test_a_table_without_a_declared_field(self, opened: Open, tmp_path: Path) -> None:
        path = parquet(tmp_path, id=[1], amount=[2.0])
        with pytest.raises(SourceInvalid, match=r'no column "tx_time".*it has id, amount'):
            opened(path, stream(id="number", tx_time="time"))

    def test_columns_that_could_move_a_terminal_are_shown_plain(
        self, opened: Open, tmp_path: Path
    ) -> None:
        path = parquet(tmp_path, **{"a\nb": [1], "\x1b[2J": [2], "\u202ecod": [3], "x" * 999: [4]})
        with pytest.raises(SourceInvalid) as caught:
            opened(path, stream(tx_time="time"))
        told = str(caught.value)
        assert "it has a b, \ufffd[2J, \ufffdcod, xxx" in told
        assert len(told) < 300 + len(str(tmp_path))

    def test_a_column_that_is_there_twice(self, opened: Open, tmp_path: Path) -> None:
        with pytest.raises(SourceInvalid, match="more than one column 'a'"):
            opened(written(tmp_path, "a.csv", "a,a\n1,2\n"), stream())

    def test_a_header_without_rows(self, opened: Open, tmp_path: Path) -> None:
        with pytest.raises(SourceInvalid, match="a header and no rows"):
            opened(written(tmp_path, "a.csv", "a,b\n"), stream())

    def test_a_parquet_file_without_rows(self, opened: Open, tmp_path: Path) -> None:
        with pytest.raises(SourceInvalid, match="has no rows"):
            opened(parquet(tmp_path, a=pa.array([], pa.int64())), stream())

    def test_blank_lines_only(self, opened: Open, tmp_path: Path) -> None:
        with pytest.raises(SourceInvalid, match="only blank lines"):
            opened(written(tmp_path, "a.jsonl", "\n \n\n"), stream())

    def test_a_json_array(self, opened: Open, tmp_path: Path) -> None:
        with pytest.raises(SourceInvalid, match="write one object per line"):
            opened(written(tmp_path, "a.json", '[\n{"a": 1}\n]\n'), stream())

    def test_text_that_claims_to_be_parquet(self, opened: Open, tmp_path: Path) -> None:
        with pytest.raises(SourceInvalid, match="not a Parquet file"):
            opened(written(tmp_path, "a.parquet", "hello"), stream())

    def test_a_parquet_file_that_was_cut_short(self, opened: Open, tmp_path: Path) -> None:
        path = Path(parquet(tmp_path, a=list(range(1000))))
        path.write_bytes(path.read_bytes()[:-20])
        with pytest.raises(SourceInvalid, match=r"not a Parquet file, or damaged"):
            opened(str(path), stream())

    def test_a_parquet_file_with_a_damaged_page(self, opened: Open, tmp_path: Path) -> None:
        path = Path(parquet(tmp_path, a=[f"value {n}" for n in range(5000)]))
        content = bytearray(path.read_bytes())
        content[100:2000] = bytes(1900)
        path.write_bytes(content)
        source = opened(str(path), stream())
        with pytest.raises(SourceInvalid, match="is damaged"):
            rows(source, 5000)

    def test_bytes_that_claim_to_be_csv(self, opened: Open, tmp_path: Path) -> None:
        path = written(tmp_path, "a.csv", "a,b\n1,2\n".encode("utf-16"))
        with pytest.raises(SourceInvalid, match="save it as CSV in UTF-8"):
            opened(path, stream())

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("payment_simulator", 'did you mean "payments_simulator"'),
            ("events.xlsx", r"ends in \.parquet.*built in are payments_simulator, shuttle"),
            ("payments_simulator?sed=1", "use seed and events"),
            ("payments_simulator?seed=x", "whole numbers"),
        ],
    )
    def test_a_name_that_means_nothing(self, opened: Open, name: str, message: str) -> None:
        with pytest.raises(SourceInvalid, match=message):
            opened(name, stream())


class TestCsv:
    def test_cells_become_what_the_stream_declares(self, opened: Open, tmp_path: Path) -> None:
        path = written(
            tmp_path,
            "a.csv",
            "n,flag,at,word,other\n"
            "12,true,2026-01-02 03:04:05,7,7\n"
            "-1.5e3,0,2026-01-02,,\n"
            "12 apples,maybe,yesterday,x,y\n"
            "1_000,1,1767322000.5,nan,z\n"
            "nan,,,inf,\n",
        )
        declared = stream(n="number", flag="boolean", at="time", word="string")
        assert objects(opened(path, declared)) == [
            {"n": 12, "flag": True, "at": "2026-01-02T03:04:05", "word": "7", "other": "7"},
            {"n": -1500, "flag": False, "at": "2026-01-02T00:00:00", "word": None, "other": None},
            {"n": "12 apples", "flag": "maybe", "at": "yesterday", "word": "x", "other": "y"},
            {"n": "1_000", "flag": True, "at": 1767322000.5, "word": "nan", "other": "z"},
            {"n": "nan", "flag": None, "at": None, "word": "inf", "other": None},
        ]

    def test_good_rows_around_bad_ones_go_through(self, opened: Open, tmp_path: Path) -> None:
        path = written(
            tmp_path,
            "a.csv",
            b"a,b\n1,one\n2\n3,three,extra\n\n4,\xff\xfe\n5,five\n"
            b'6,"never closed\n7,seven\n8,"two\nlines"\n9,nine\n',
        )
        source = opened(path, stream("a", a="number"))
        good = [json.loads(row.value) for row in rows(source) if row.key is not None]
        assert good == [
            {"a": 1, "b": "one"},
            {"a": 5, "b": "five"},
            {"a": 7, "b": "seven"},
            {"a": 8, "b": "two\nlines"},
            {"a": 9, "b": "nine"},
        ]
        bad = [row.value for row in rows(source) if row.key is None]
        assert bad == [b"2", b"3,three,extra", b"4,\xff\xfe", b'6,"never closed']

    def test_a_huge_cell_is_a_bad_row_and_not_the_end(self, opened: Open, tmp_path: Path) -> None:
        huge = "x" * 200_000
        path = written(tmp_path, "a.csv", f'a,b\n1,"{huge}"\n2,{huge}\n3,three\n')
        source = opened(path, stream("a"))
        found = rows(source)
        assert [row.key for row in found] == [None, None, b"3"]

    def test_other_delimiters_a_mark_and_windows_ends(self, opened: Open, tmp_path: Path) -> None:
        path = written(tmp_path, "a.csv", '\ufeffa;b, c;d\r\n1;"x;y";\r\n'.encode())
        assert objects(opened(path, stream("a"))) == [{"a": "1", "b, c": "x;y", "d": None}]

    def test_blank_lines_have_a_position_and_no_row(self, opened: Open, tmp_path: Path) -> None:
        source = opened(written(tmp_path, "a.csv", "a\n1\n\n2\n"), stream())
        chunk = source.read(0, 2)
        assert (len(chunk.rows), chunk.position) == (1, 2)
        assert [json.loads(row.value) for row in source.read(2, 9).rows] == [{"a": "2"}]
        assert source.total() == 3


class TestJsonLines:
    def test_lines_go_on_byte_by_byte(self, opened: Open, tmp_path: Path) -> None:
        lines = [
            b'{"k": "a",  "x": NaN}',
            b"\xff\xfe",
            b'{"k": 5}',
            b'{"k": 881.0}',
            b'{"k": null}',
        ]
        path = written(tmp_path, "a.jsonl", b"\n".join(lines))
        found = rows(opened(path, stream("k")))
        assert [row.value for row in found] == lines
        assert [row.key for row in found] == [None, None, b"5", b"881", None]

    def test_blank_lines_have_a_position_and_no_row(self, opened: Open, tmp_path: Path) -> None:
        source = opened(written(tmp_path, "a.jsonl", '{"a":1}\r\n\n  \n{"a":2}\n'), stream())
        chunk = source.read(0, 3)
        assert [row.value for row in chunk.rows] == [b'{"a":1}']
        assert (chunk.position, chunk.done) == (3, False)
        assert [row.value for row in source.read(3, 3).rows] == [b'{"a":2}']
        assert source.total() == 4

    def test_an_overlong_line_is_cut_and_the_next_one_is_whole(
        self, opened: Open, tmp_path: Path
    ) -> None:
        long = b'{"a": "' + b"x" * (3 * MAX_ROW_BYTES) + b'"}\n'
        path = written(tmp_path, "a.jsonl", long + b'{"a": "b"}\n')
        first, second = rows(opened(path, stream("a")))
        assert len(first.value) == MAX_ROW_BYTES
        assert first.truncated_from == len(long) - 1
        assert long.startswith(first.value)
        assert second == SourceRow(b"b", b'{"a": "b"}')

    @pytest.mark.parametrize("end", [b"", b"\n"])
    @pytest.mark.parametrize(("more", "had"), [(0, 0), (1, MAX_ROW_BYTES + 1)])
    def test_a_line_is_cut_only_where_it_is_too_long(
        self, opened: Open, tmp_path: Path, end: bytes, more: int, had: int
    ) -> None:
        content = b"x" * (MAX_ROW_BYTES + more) + end
        (row,) = rows(opened(written(tmp_path, "a.jsonl", content), stream()))
        assert row == SourceRow(None, b"x" * MAX_ROW_BYTES, had)

    def test_a_byte_order_mark_is_no_part_of_the_first_line(
        self, opened: Open, tmp_path: Path
    ) -> None:
        content = b'\xef\xbb\xbf{"k": "a"}\n\xef\xbb\xbf{"k": "b"}\n'
        source = opened(written(tmp_path, "a.jsonl", content), stream("k"))
        first, second = source.read(0, 5).rows
        assert first == SourceRow(b"a", b'{"k": "a"}')
        assert second == SourceRow(None, b'\xef\xbb\xbf{"k": "b"}')
        assert list(source.read(0, 1).rows) == [first]

    def test_a_deep_line_has_no_key(self, opened: Open, tmp_path: Path) -> None:
        path = written(tmp_path, "a.jsonl", b'{"k": ' + b"[" * 100_000 + b'\n{"k": 1}\n')
        assert [row.key for row in rows(opened(path, stream("k")))] == [None, b"1"]


class TestParquet:
    def test_types_of_the_file_become_json(self, opened: Open, tmp_path: Path) -> None:
        moment = dt.datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=dt.UTC)
        path = parquet(
            tmp_path,
            utc=pa.array([moment], pa.timestamp("us", "UTC")),
            nanoseconds=pa.array([1_767_322_000_000_000_123], pa.timestamp("ns")),
            day=pa.array([dt.date(2026, 1, 2)]),
            short=pa.array([0.85], pa.float32()),
            price=pa.array([Decimal("12.50")]),
            category=pa.array(["food"]).dictionary_encode(),
            nothing=pa.array([None], pa.string()),
            not_a_number=pa.array([math.nan]),
            infinite=pa.array([math.inf]),
            whole=pa.array([2**60]),
            truth=pa.array([True]),
        )
        assert objects(opened(path, stream())) == [
            {
                "utc": "2026-01-02T03:04:05.000678Z",
                "nanoseconds": "2026-01-02T02:46:40",
                "day": "2026-01-02T00:00:00",
                "short": 0.85,
                "price": 12.5,
                "category": "food",
                "nothing": None,
                "not_a_number": None,
                "infinite": None,
                "whole": 2**60,
                "truth": True,
            }
        ]

    def test_an_overlong_row_is_cut_and_says_so(self, opened: Open, tmp_path: Path) -> None:
        path = parquet(tmp_path, a=["x" * MAX_ROW_BYTES, "y"])
        long, short = rows(opened(path, stream()))
        assert (len(long.value), long.truncated_from) == (MAX_ROW_BYTES, MAX_ROW_BYTES + 8)
        assert short == SourceRow(None, b'{"a":"y"}')

    def test_an_id_keeps_all_its_digits(self, opened: Open, tmp_path: Path) -> None:
        ids = [Decimal(2**64 + 1), Decimal(7)]
        path = parquet(tmp_path, decimal=pa.array(ids, pa.decimal128(30, 0)), whole=[2**53 + 1, 1])
        source = opened(path, stream(decimal="string", whole="string"))
        assert objects(source) == [
            {"decimal": "18446744073709551617", "whole": "9007199254740993"},
            {"decimal": "7", "whole": "1"},
        ]

    def test_values_are_bent_to_the_declared_type_where_that_loses_nothing(
        self, opened: Open, tmp_path: Path
    ) -> None:
        path = parquet(
            tmp_path,
            port=[443, None],
            terminal=[881.0, None],
            amount=["12.5", "many"],
            flag=[1, 2],
            old=[True, None],
        )
        declared = stream(
            "terminal",
            port="string",
            terminal="string",
            amount="number",
            flag="boolean",
            old="number",
        )
        source = opened(path, declared)
        assert objects(source) == [
            {"port": "443", "terminal": "881", "amount": 12.5, "flag": True, "old": 1},
            {"port": None, "terminal": None, "amount": "many", "flag": 2, "old": None},
        ]
        assert [row.key for row in rows(source)] == [b"881", None]


@given(st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False)))
def test_a_number_written_as_text_is_read_as_that_number(value: float) -> None:
    assert number(str(value)) == float(value)
