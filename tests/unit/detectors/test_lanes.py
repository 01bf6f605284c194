from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from detectors.jit import kernel
from detectors.lanes import LANES, add, dot, multiply, scale

Flat = npt.NDArray[np.float64]


@kernel
def _all(x: Flat, y: Flat, out: Flat) -> float:
    multiply(x, np.uint64(1), y, np.uint64(3), out, np.uint64(0))
    scale(x, np.uint64(2), y[0], out, np.uint64(5))
    out[10:18] = x[:8]
    add(out, np.uint64(10), np.uint64(11), np.uint64(12))
    return dot(x, np.uint64(1), y, np.uint64(2))


def test_four_neighbours_at_any_place_are_handled_as_one_by_one() -> None:
    rng = np.random.default_rng(1)
    x, y, out = rng.normal(size=9), rng.normal(size=9), np.zeros(20)
    found = _all(x, y, out)
    assert LANES == 4
    assert out[:4].tolist() == (x[1:5] * y[3:7]).tolist()
    assert out[5:9].tolist() == (x[2:6] * y[0]).tolist()
    assert (out[4], out[9], out[18]) == (0, 0, 0)
    assert out[12:16].tolist() == (x[0:4] + x[1:5]).tolist()
    assert found == pytest.approx(float(x[1:5] @ y[2:6]), rel=1e-15)
