from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from streaming.errors import SourceInvalid
from streaming.evaluate.table import read_labelled

COLUMNS = {
    "row": [1, 2, 3, 4],
    "amount": [1.5, None, float("inf"), 3.0],
    "count": [1, 2, 3, 4],
    "flag": [True, False, None, True],
    "service": ["http", "http", "ftp", None],
    "tactic": ["x", "y", "z", "w"],
    "LEAK_case": ["1", "2", "3", "4"],
    "label_kind": ["", "", "a", ""],
    "label": [0, 0, 1, -1],
}


def written(folder: Path, suffix: str) -> Path:
    path = folder / f"events{suffix}"
    table = pa.table(COLUMNS)
    if suffix == ".parquet":
        pyarrow.parquet.write_table(table, path)
    elif suffix == ".csv":
        pyarrow.csv.write_csv(table, path)
    else:
        rows = [
            dict(zip(COLUMNS, values, strict=True))
            for values in zip(*COLUMNS.values(), strict=True)
        ]
        for row in rows:
            row["amount"] = row["amount"] if row["amount"] != float("inf") else None
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_every_column_that_gives_nothing_away_is_a_feature(tmp_path: Path, suffix: str) -> None:
    table = read_labelled(written(tmp_path, suffix), "label")
    assert table.names == ("amount", "count", "flag", "service")
    assert table.X.dtype == np.float32
    np.testing.assert_array_equal(table.X[:, 0], np.array([1.5, np.nan, np.nan, 3.0], np.float32))
    np.testing.assert_array_equal(table.X[:, 2], np.array([1, 0, np.nan, 1], np.float32))
    rarity = -np.log(np.array([0.5, 0.5, 0.25, 0.25], np.float32))
    np.testing.assert_allclose(table.X[:, 3], rarity, rtol=1e-6)
    assert table.truth.tolist() == [0, 0, 1, -1]


def test_tabs_separate_as_well(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("v\tlabel\n1.5\t0\n2.5\t1\n")
    assert read_labelled(tmp_path / "a.tsv", "label").X.tolist() == [[1.5], [2.5]]


def test_times_and_nested_values_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "events.parquet"
    time = pa.array([0, 1], pa.timestamp("us"))
    table = pa.table({"time": time, "nested": [[1], [2]], "v": [1, 2], "label": [0, 1]})
    pyarrow.parquet.write_table(table, path)
    assert read_labelled(path, "label").names == ("v",)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "v,y\n1,0\n", "has no column 'label'"),
        ("a.csv", "v,label\n1,7\n", "holds 7; a label is 1"),
        ("a.csv", "v,label\n1,fraud\n", "holds 'fraud'; a label is 1"),
        ("a.csv", "row,label\n1,0\n", "no column that can be a feature"),
        ("a.csv", "", "can't be read"),
        ("a.parquet", "no parquet", "can't be read"),
        ("a.jsonl", "{", "can't be read"),
        ("a.xlsx", "", "ends in none of"),
    ],
)
def test_a_file_that_is_no_use_is_refused_with_the_remedy(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(SourceInvalid, match=message):
        read_labelled(tmp_path / name, "label")


@pytest.mark.parametrize("name", ["shuttle", "payments_simulator?seed=7&events=100", "-"])
def test_a_source_that_is_no_file_needs_a_config(name: str) -> None:
    with pytest.raises(SourceInvalid, match="--stream"):
        read_labelled(Path(name), "label")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceInvalid, match=r"none\.csv"):
        read_labelled(tmp_path / "none.csv", "label")
