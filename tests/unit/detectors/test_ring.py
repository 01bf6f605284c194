from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.ring import Ring


@given(st.integers(1, 7), st.lists(st.integers(0, 20), max_size=6))
def test_keeps_the_latest_rows_however_they_come(capacity: int, lengths: list[int]) -> None:
    ring, alone = Ring(capacity, 1), Ring(capacity, 1)
    numbers = np.arange(sum(lengths), dtype=np.float32)[:, np.newaxis]
    for block in np.split(numbers, np.cumsum(lengths)):
        ring.add(block)
    for row in numbers:
        alone.add(row[np.newaxis])
    kept = numbers[-capacity:].ravel().tolist() if len(numbers) else []
    assert sorted(ring.rows.ravel().tolist()) == kept
    assert ring.rows.tolist() == alone.rows.tolist()
    assert (len(ring), ring.seen) == (len(kept), len(numbers))


def test_load_carries_it_over() -> None:
    ring, again = Ring(3, 2), Ring(3, 2)
    ring.add(np.arange(8, dtype=np.float32).reshape(4, 2))
    again.load(ring.rows.copy(), ring.seen)
    more = np.ones((1, 2), np.float32)
    ring.add(more)
    again.add(more)
    assert again.rows.tolist() == ring.rows.tolist()
    with pytest.raises(ValueError, match="no window"):
        again.load(np.zeros((2, 2), np.float32), 4)
