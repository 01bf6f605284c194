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
    # The bias of the remainder is below n / 2**64: n is at most the size of a window.
    return int(_next(state) % np.uint64(n))


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
    path_length: Vector,
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
    path_length[:] = 0.0

    state = np.empty(1, np.uint64)
    state[0] = _mix(seed ^ _mix(number))
    sample = _draw_rows(window, size, state)
    columns = sample.shape[0]
    order = np.arange(size)
    pool = np.arange(columns)
    nodes = feature.shape[0]
    start = np.zeros(nodes, np.int64)
    end = np.zeros(nodes, np.int64)
    end[0] = size

    for node in range(nodes):
        first, last = start[node], end[node]
        count = last - first
        if count == 0:
            continue
        cover[node] = count
        depth = 0
        while (2 << depth) - 1 <= node:
            depth += 1
        chosen = LEAF
        low, high = np.float32(0), np.float32(0)
        if count > 1 and depth < depth_limit:
            for left in range(columns, 0, -1):
                j = _below(state, left)
                candidate = pool[j]
                values = sample[candidate]
                low, high = np.float32(np.inf), np.float32(-np.inf)
                for k in range(first, last):
                    value = values[order[k]]
                    low = value if value < low else low
                    high = value if value > high else high
                if low < high:
                    chosen = candidate
                    break
                pool[j] = pool[left - 1]
                pool[left - 1] = candidate
        if chosen == LEAF:
            path_length[node] = depth + average_path(count)
            continue

        # Rounded to float32, so that a snapshot can hold it in four bytes.
        cut = np.float32(np.float64(low) + _uniform(state) * (np.float64(high) - np.float64(low)))
        if cut >= high:
            cut = low
        values = sample[chosen]
        below, above = 0, 0
        for k in range(first, last):
            below += values[order[k]] <= cut
            above += values[order[k]] > cut
        default_left = below >= above
        middle = first
        for k in range(first, last):
            row = order[k]
            value = values[row]
            if (value <= cut) or (default_left and value != value):
                order[k] = order[middle]
                order[middle] = row
                middle += 1
        feature[node] = chosen
        threshold[node] = cut
        missing_left[node] = default_left
        start[2 * node + 1], end[2 * node + 1] = first, middle
        start[2 * node + 2], end[2 * node + 2] = middle, last
