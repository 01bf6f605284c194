"""Growing one isolation tree into arrays in heap layout."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from detectors.arrays import Matrix, Vector
from detectors.jit import kernel

LEAF = -1

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S27 = np.uint64(27)
_S30 = np.uint64(30)
_S31 = np.uint64(31)
_S11 = np.uint64(11)
_S32 = np.uint64(32)
_EULER = 0.5772156649015329


@kernel
def _mix(x: np.uint64) -> np.uint64:
    """Scramble 64 bits (the finaliser of SplitMix64, Steele et al. 2014)."""
    z = (x ^ (x >> _S30)) * _MIX_1
    z = (z ^ (z >> _S27)) * _MIX_2
    return z ^ (z >> _S31)


@kernel
def _next(state: npt.NDArray[np.uint64]) -> np.uint64:
    state[0] += _GOLDEN
    return _mix(state[0])


@kernel
def _below(state: npt.NDArray[np.uint64], n: int) -> int:
    # By multiplication, as a division costs more than the rest; the bias is below n / 2**32.
    return int(((_next(state) >> _S32) * np.uint64(n)) >> _S32)


@kernel
def _uniform(state: npt.NDArray[np.uint64]) -> float:
    return float(_next(state) >> _S11) / 9007199254740992.0  # 2**53


@kernel
def average_path(n: float) -> float:
    """Return c(n), the mean path length of a failed search in a binary tree of ``n`` points."""
    if n <= 1:
        return 0.0
    if n <= 2:
        return 1.0
    return 2.0 * (math.log(n - 1.0) + _EULER) - 2.0 * (n - 1.0) / n


@kernel
def row_norm(rows: int) -> float:
    """Return c(rows), by which path lengths are divided; 1 where the formula gives 0."""
    return max(average_path(rows), 1.0)


@kernel
def _draw_rows(window: Matrix, size: int, state: npt.NDArray[np.uint64]) -> npt.NDArray[np.float32]:
    """Draw ``size`` rows without replacement; returned by column, for the scans that follow."""
    rows, columns = window.shape
    numbers = np.arange(rows)
    sample = np.empty((columns, size), np.float32)
    for k in range(size):
        j = k + _below(state, rows - k)
        row = numbers[j]
        numbers[j] = numbers[k]
        for c in range(columns):
            sample[c, k] = window[row, c]
    return sample


@kernel
def _range(
    values: npt.NDArray[np.float32], rows: npt.NDArray[np.uint64]
) -> tuple[np.float32, np.float32, int]:
    """Return the smallest and the largest of the values of ``rows`` and how many are missing."""
    low, high, missing = np.float32(np.inf), np.float32(-np.inf), 0
    for row in rows:
        value = values[row]
        low = value if value < low else low
        high = value if value > high else high
        missing += value != value
    return low, high, missing


@kernel
def _choose(
    sample: npt.NDArray[np.float32],
    rows: npt.NDArray[np.uint64],
    pool: npt.NDArray[np.int64],
    state: npt.NDArray[np.uint64],
) -> tuple[int, np.float32, np.float32, int]:
    """Draw one of the features that vary in ``rows``; LEAF if there is none."""
    for left in range(len(pool), 0, -1):
        j = _below(state, left)
        candidate = pool[j]
        low, high, missing = _range(sample[candidate], rows)
        if low < high:
            return candidate, low, high, missing
        pool[j] = pool[left - 1]
        pool[left - 1] = candidate
    return LEAF, np.float32(0), np.float32(0), 0


@kernel
def _divide(
    values: npt.NDArray[np.float32],
    rows: npt.NDArray[np.uint64],
    cut: np.float32,
    missing: int,
    spare: npt.NDArray[np.uint64],
) -> tuple[int, bool]:
    """Reorder ``rows`` so that the ones that go left come first; return their number.

    Also returns whether missing values go left: where most of the present ones go.
    """
    missing_left = False
    if missing > 0:
        below = 0
        for row in rows:
            below += values[row] <= cut
        missing_left = 2 * below >= len(rows) - missing
    left, right = 0, 0
    for row in rows:  # without branches, which would be mispredicted half of the time
        value = values[row]
        goes_left = (value <= cut) | ((value != value) & missing_left)
        rows[left] = row
        spare[right] = row
        left += goes_left
        right += not goes_left
    rows[left:] = spare[:right]
    if missing == 0:
        missing_left = left >= right
    return left, missing_left


@kernel
def grow_tree(
    window: Matrix,
    size: int,
    depth_limit: int,
    seed: np.uint64,
    number: np.uint64,
    feature: npt.NDArray[np.int16],
    threshold: Vector,
    missing_left: npt.NDArray[np.bool_],
    cover: npt.NDArray[np.float32],
) -> None:
    """Grow a tree on ``size`` rows drawn from ``window`` into one row of a forest's arrays.

    A node is split on a feature drawn among those that vary in it, at a value drawn uniformly
    between its smallest and largest. Rows that lack the value go to the side that has more of the
    rows that have it. Where nothing varies, or at the depth limit, the node is a leaf. The
    outcome depends on the arguments only.
    """
    feature[:] = LEAF
    threshold[:] = 0.0
    missing_left[:] = False
    cover[:] = 0.0

    state = np.empty(1, np.uint64)
    state[0] = _mix(seed ^ _mix(number))
    sample = _draw_rows(window, size, state)
    pool = np.arange(sample.shape[0])
    order, spare = np.arange(size).astype(np.uint64), np.empty(size, np.uint64)
    nodes = len(feature)
    start, end = np.zeros(nodes, np.int64), np.zeros(nodes, np.int64)
    end[0] = size
    may_split = (1 << depth_limit) - 1  # nodes above the depth limit

    for node in range(nodes):
        first, last = start[node], end[node]
        cover[node] = last - first
        if last - first < 2 or node >= may_split:
            continue
        rows = order[first:last]
        chosen, low, high, missing = _choose(sample, rows, pool, state)
        if chosen == LEAF:
            continue
        # Rounded to float32, so that a snapshot can hold it in four bytes.
        cut = np.float32(low + _uniform(state) * (np.float64(high) - low))
        cut = cut if cut < high else low
        left, to_left = _divide(sample[chosen], rows, cut, missing, spare)
        feature[node], threshold[node], missing_left[node] = chosen, cut, to_left
        start[2 * node + 1], end[2 * node + 1] = first, first + left
        start[2 * node + 2], end[2 * node + 2] = first + left, last
