from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from streaming.errors import SourceInvalid
from streaming.evaluate.features import table_by_config
from streaming.evaluate.pool import PoolSettings, evaluate_pool
from streaming.sources.base import Chunk, SourceRow
from tests.support.streams import event, small_config


class Rows:
    """A source of rows that are there already, handed out a few at a time."""

    name = "rows"
    identities = (name,)
    resumable = True

    def __init__(self, rows: Sequence[bytes], at_a_time: int) -> None:
        self._rows, self._at_a_time = rows, at_a_time

    def read(self, position: int, max_records: int) -> Chunk:
        end = position + min(max_records, self._at_a_time)
        rows = [SourceRow(None, value) for value in self._rows[position:end]]
        return Chunk(rows, position + len(rows), done=end >= len(self._rows))

    def total(self) -> int | None:
        return len(self._rows)

    def close(self) -> None:
        pass


def row(number: int, **more: Any) -> bytes:
    fraud = number % 10 == 0
    fields = event(number, amount=900.0 if fraud else 20.0 + number % 7, speed=float(number % 5))
    return json.dumps({**fields, "label": int(fraud), **more}).encode()


def test_features_are_those_that_the_config_declares_however_the_rows_come() -> None:
    rows = [row(number) for number in range(200)]
    whole = table_by_config(small_config(), Rows(rows, 1_000), "label")
    parts = table_by_config(small_config(), Rows(rows, 7), "label")
    assert whole.names == ("log_amount", "speed", "count_by_card_1h")
    assert whole.X.shape == (200, 3)
    assert whole.X.tobytes() == parts.X.tobytes()
    assert np.flatnonzero(whole.truth).tolist() == list(range(0, 200, 10))
    found = evaluate_pool(whole.X, whole.truth, PoolSettings(budget=20), lambda: 0.0)["found"]
    assert found["20"] >= 18


def test_bad_records_are_left_out_with_their_labels() -> None:
    rows = [row(1), b"{", row(2, amount="much"), row(10), b"[]"]
    table = table_by_config(small_config(), Rows(rows, 2), "label")
    assert len(table.X) == 2
    assert table.truth.tolist() == [0, 1]


def test_a_source_without_the_label_or_without_good_rows_is_refused() -> None:
    with pytest.raises(SourceInvalid, match="no column 'fraud'"):
        table_by_config(small_config(), Rows([row(1)], 5), "fraud")
    for rows in ([b"[]", b"{"], []):
        table = table_by_config(small_config(), Rows(rows, 5), "label")
        with pytest.raises(SourceInvalid, match="no row"):
            evaluate_pool(table.X, table.truth, PoolSettings(), lambda: 0.0)
