from __future__ import annotations

import csv
import io

import pyarrow.parquet as pq
import pytest

from tests.support.cases import AT
from tests.unit.triage_ui.conftest import Board
from triage.model import VerdictKind
from triage_ui.export import QUEUE, to_csv

SIGNS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
HIDDEN = ("\0", "\ufeff", "\u200b", "\u00ad", "\u202e", "\x1b")  # what a spreadsheet may drop
SPACE = (" ", "\u00a0", "\t", "\r\n", " \u200b \0")
BEGINNINGS = (*SIGNS, "\t", "\r", "\n", *(before + "=" for before in (*HIDDEN, *SPACE)))
BODIES = (
    "cmd|' /C calc'!A0",
    'HYPERLINK("http://x","y")',
    "1+1",
    '"quoted", and, commas',
    "line\nbreak",
    "<script>alert(1)</script>",
    "\u202eturned",
    "",
)


def read(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8"), newline="")))


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_no_cell_of_a_csv_begins_like_a_formula(beginning: str) -> None:
    rows = [dict.fromkeys(QUEUE, beginning + body) for body in BODIES]
    for row in read(to_csv(rows, QUEUE)):
        for value in row.values():
            assert value.startswith("'")


def test_the_queue_as_a_file_is_filtered_and_hides_nothing(board: Board) -> None:
    board.sign_in()
    members = board.desk.add(2, margin=1.0)
    evil = board.desk.group(members, "evil", title='=HYPERLINK("http://x")', subtitle="a, b\nc")
    decided = board.desk.cluster(1, "decided")
    board.desk.decide(decided, VerdictKind.REAL)
    answer = board.client.get("/api/v1/export/queue")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="queue.csv"'
    (row,) = read(answer.content)
    assert (row["cluster_id"], row["members"]) == (evil, "2")
    assert row["title"] == """'=HYPERLINK("http://x")"""
    assert row["subtitle"] == "a, b\nc"
    everything = board.client.get("/api/v1/export/queue?status=all&format=parquet").content
    table = pq.read_table(io.BytesIO(everything)).to_pylist()
    assert {one["cluster_id"]: one["verdict"] for one in table} == {evil: None, decided: "real"}
    assert table[0].keys() == QUEUE.keys()
    assert board.client.get("/api/v1/export/queue?format=xls").status_code == 422


def test_looks_as_a_file(board: Board) -> None:
    board.sign_in()
    empty = board.client.get("/api/v1/export/looks?format=parquet").content
    assert pq.read_table(io.BytesIO(empty)).num_rows == 0
    board.desk.decide(board.desk.cluster(1, "one"), VerdictKind.SPURIOUS)
    (row,) = read(board.client.get("/api/v1/export/looks?stream=payments").content)
    assert (row["kind"], row["actor"], float(row["at"])) == ("spurious", "anna", AT)
