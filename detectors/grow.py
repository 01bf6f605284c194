"""Growing isolation trees into arrays in heap layout.

Kernels that call one another stand in one file: numba looks at the file of a kernel alone to see
whether what it keeps on disk is stale.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from detectors.arrays import Matrix, Vector
from detectors.jit import kernel

LEAF = -1

Table = npt.NDArray[np.float64]
"""Trees x nodes."""

_LARGEST = np.float32(np.finfo(np.float32).max)
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
    place: np.uint64,
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
    state[0] = _mix(seed ^ _mix(place))
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


@kernel
def _index(
    feature: npt.NDArray[np.int16],
    threshold: Vector,
    missing_left: npt.NDArray[np.bool_],
    features: int,
    column: npt.NDArray[np.uint16],
    cut: npt.NDArray[np.float32],
    leaf: npt.NDArray[np.int32],
) -> None:
    """Fill the arrays that the walk uses for one tree.

    A leaf above the bottom row sends everybody left (its cut is infinite), so that every walk has
    ``depth`` steps; ``leaf`` gives back the node from the place in the bottom row.
    """
    inner = column.shape[0]
    owner = np.empty(2 * inner + 1, np.int32)
    owner[0] = 0
    for i in range(inner):
        here = owner[i]
        split = here == i and feature[i] != LEAF
        owner[2 * i + 1] = 2 * i + 1 if split else here
        owner[2 * i + 2] = 2 * i + 2 if split else here
        column[i] = 0
        cut[i] = np.float32(np.inf)
        if split:
            column[i] = feature[i] if missing_left[i] else features + feature[i]
            # The largest float32 not above the threshold decides the same for every float32.
            # Kept finite, so that the infinity of a missing value still lies above it.
            cut[i] = min(np.float32(threshold[i]), _LARGEST)
            if np.float64(cut[i]) > threshold[i]:
                cut[i] = np.nextafter(cut[i], np.float32(-np.inf))
    leaf[:] = owner[inner:]


@kernel
def _measure(
    feature: npt.NDArray[np.int16],
    cover: npt.NDArray[np.float32],
    size: int,
    trees: int,
    path_length: Vector,
    values: Vector,
) -> None:
    """Fill the path lengths and the shares in the score of one tree."""
    norm = row_norm(size)
    depth, last = 0, 0
    for i in range(len(feature)):
        if i > last:
            depth += 1
            last = 2 * last + 2
        path_length[i] = 0.0
        if feature[i] == LEAF and cover[i] > 0:
            path_length[i] = depth + average_path(np.float64(cover[i]))
    if feature[0] == LEAF:  # it can't tell rows apart: an average path for all
        path_length[0] = norm
    values[:] = -path_length / (norm * trees)


@kernel
def finish_tree(
    t: int,
    features: int,
    feature: npt.NDArray[np.int16],
    threshold: Table,
    missing_left: npt.NDArray[np.bool_],
    cover: npt.NDArray[np.float32],
    path_length: Table,
    values: Table,
    size: npt.NDArray[np.int64],
    column: npt.NDArray[np.uint16],
    cut: npt.NDArray[np.float32],
    leaf: npt.NDArray[np.int32],
) -> None:
    """Work out what follows from the arrays of tree ``t``: lengths, values and the walk's."""
    _measure(feature[t], cover[t], size[t], len(size), path_length[t], values[t])
    _index(feature[t], threshold[t], missing_left[t], features, column[t], cut[t], leaf[t])


@kernel
def grow_trees(
    window: Matrix,
    rows: int,
    depth: int,
    seed: np.uint64,
    first: int,
    count: int,
    number: npt.NDArray[np.int64],
    feature: npt.NDArray[np.int16],
    threshold: Table,
    missing_left: npt.NDArray[np.bool_],
    cover: npt.NDArray[np.float32],
    path_length: Table,
    values: Table,
    size: npt.NDArray[np.int64],
    column: npt.NDArray[np.uint16],
    cut: npt.NDArray[np.float32],
    leaf: npt.NDArray[np.int32],
) -> None:
    """Grow the trees of the running numbers from ``first``; n replaces that in place n mod all."""
    features = window.shape[1]
    for n in range(first, first + count):
        t = n % len(size)
        grow_tree(
            window, rows, depth, seed, np.uint64(t),
            feature[t], threshold[t], missing_left[t], cover[t],
        )  # fmt: skip
        size[t], number[t] = rows, n
        finish_tree(
            t, features, feature, threshold, missing_left, cover, path_length, values,
            size, column, cut, leaf,
        )  # fmt: skip
