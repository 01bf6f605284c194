"""A forest as plain arrays: what every tree detector is turned into.

Scoring, learning from labels and SHAP all work on this form, whoever grew the trees.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from detectors.arrays import Matrix, Vector
from detectors.grow import LEAF, average_path, grow_tree
from detectors.jit import kernel

Tables = npt.NDArray[np.float64]
"""Tables x trees x nodes."""

_ROWS = 64  # rows walked together: enough to hide the latency of a step, few enough for the cache
_ONE = np.uint64(1)


def depth_limit(rows: int) -> int:
    """Return the depth at which a tree of ``rows`` rows stops: the height of a balanced one."""
    return max(1, math.ceil(math.log2(max(rows, 2))))


def row_norm(rows: int) -> float:
    """Return c(rows), by which path lengths are divided; 1 where the formula gives 0."""
    return average_path(float(rows)) or 1.0


@kernel
def _bottoms(
    spread: Matrix,
    first: int,
    count: int,
    column: npt.NDArray[np.uint16],
    cut: npt.NDArray[np.float32],
    depth: int,
    position: npt.NDArray[np.uint64],
    offset: npt.NDArray[np.uint64],
) -> None:
    """Walk ``count`` rows from ``first`` down one tree, level by level, to the bottom row."""
    flat = spread.ravel()
    width = np.uint64(spread.shape[1])
    for k in range(count):
        position[k] = np.uint64(0)
        offset[k] = np.uint64(first + k) * width
    for _ in range(depth):
        for k in range(count):
            i = position[k]
            right = flat[offset[k] + np.uint64(column[i])] > cut[i]
            position[k] = i + i + _ONE + np.uint64(right)


@kernel
def _spread(X: Matrix) -> Matrix:
    """Double the columns: NaN = minus infinity in the first half, infinity in the second.

    A node then reads the half that sends a missing value to its own default side, and the walk
    needs no test for NaN.
    """
    rows, columns = X.shape
    out = np.empty((rows, 2 * columns), np.float32)
    for r in range(rows):
        for c in range(columns):
            value = X[r, c]
            missing = value != value
            out[r, c] = np.float32(-np.inf) if missing else value
            out[r, columns + c] = np.float32(np.inf) if missing else value
    return out


@kernel
def _leaves(
    X: Matrix,
    column: npt.NDArray[np.uint16],
    cut: npt.NDArray[np.float32],
    leaf: npt.NDArray[np.int32],
    depth: int,
) -> npt.NDArray[np.int32]:
    rows, trees = X.shape[0], column.shape[0]
    out = np.empty((rows, trees), np.int32)
    spread = _spread(X)
    position, offset = np.empty(_ROWS, np.uint64), np.empty(_ROWS, np.uint64)
    inner = np.uint64(column.shape[1])
    for first in range(0, rows, _ROWS):
        count = min(rows - first, _ROWS)
        for t in range(trees):
            _bottoms(spread, first, count, column[t], cut[t], depth, position, offset)
            for k in range(count):
                out[first + k, t] = leaf[t, position[k] - inner]
    return out


@kernel
def _sums(
    X: Matrix,
    column: npt.NDArray[np.uint16],
    cut: npt.NDArray[np.float32],
    leaf: npt.NDArray[np.int32],
    depth: int,
    tables: Tables,
) -> npt.NDArray[np.float64]:
    rows, trees, n_tables = X.shape[0], column.shape[0], tables.shape[0]
    out = np.zeros((n_tables, rows), np.float64)
    spread = _spread(X)
    position, offset = np.empty(_ROWS, np.uint64), np.empty(_ROWS, np.uint64)
    inner = np.uint64(column.shape[1])
    for first in range(0, rows, _ROWS):
        count = min(rows - first, _ROWS)
        for t in range(trees):
            _bottoms(spread, first, count, column[t], cut[t], depth, position, offset)
            nodes = leaf[t]
            for j in range(n_tables):
                values, sums = tables[j, t], out[j]
                for k in range(count):
                    sums[np.uint64(first + k)] += values[np.uint64(nodes[position[k] - inner])]
    return out


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
            cut[i] = np.float32(threshold[i])
            if np.float64(cut[i]) > threshold[i]:
                cut[i] = np.nextafter(cut[i], np.float32(-np.inf))
    leaf[:] = owner[inner:]


class Trees:
    """``trees`` binary trees over ``features`` columns in heap layout.

    The children of node i are 2i+1 if x[feature[i]] <= threshold[i], else 2i+2; NaN goes left
    where ``missing_left[i]``. Arrays are trees x nodes with nodes = 2**(depth+1) - 1; nodes that
    do not exist have cover 0 and look like leaves.

    The owner changes rows in place when it replaces a tree: who keeps anything derived from tree t
    compares ``number[t]``. Everybody else reads only.

    Attributes:
        features: how many columns a row has.
        depth: no leaf is deeper.
        feature: int16, the column that a node splits on; -1 = leaf.
        threshold: float64.
        missing_left: bool.
        cover: float32, the training rows (their weight) that came through a node.
        path_length: float64; at a leaf its depth + c(cover), elsewhere 0.
        values: float64; the share of a leaf in the forest's score, -path_length / c(size) / trees;
            the score of a row is the sum over its leaves.
        size: int64 per tree, the rows it was grown on; 0 = not grown yet.
        number: int64 per tree, changes whenever the tree is replaced; -1 = not grown yet.
    """

    def __init__(self, trees: int, features: int, depth: int) -> None:
        if not 0 < 2 * features < 2**15:
            raise ValueError(f"a forest takes 1 to 16383 features, not {features}")
        nodes, inner = 2 ** (depth + 1) - 1, 2**depth - 1
        self.features = features
        self.depth = depth
        self.feature = np.full((trees, nodes), LEAF, np.int16)
        self.threshold = np.zeros((trees, nodes))
        self.missing_left = np.zeros((trees, nodes), np.bool_)
        self.cover = np.zeros((trees, nodes), np.float32)
        self.path_length = np.zeros((trees, nodes))
        self.values = np.zeros((trees, nodes))
        self.size = np.zeros(trees, np.int64)
        self.number = np.full(trees, -1, np.int64)
        self._column = np.zeros((trees, inner), np.uint16)
        self._cut = np.full((trees, inner), np.inf, np.float32)
        self._leaf = np.zeros((trees, inner + 1), np.int32)

    def __len__(self) -> int:
        return len(self.size)

    def __repr__(self) -> str:
        return f"Trees({len(self)} x depth {self.depth}, {self.features} features)"

    @property
    def nodes(self) -> int:
        """Nodes per tree, those that do not exist included."""
        return int(self.feature.shape[1])

    def leaves(self, X: Matrix) -> npt.NDArray[np.int32]:
        """Return the node number of each row's leaf in each tree, rows x trees."""
        return _leaves(self._checked(X), self._column, self._cut, self._leaf, self.depth)

    def sums(self, X: Matrix, values: npt.NDArray[np.float64]) -> Vector:
        """Return for each row the sum of ``values`` (trees x nodes) over its leaves."""
        sums: Vector = self.sums_of(X, values[np.newaxis])[0]
        return sums

    def sums_of(self, X: Matrix, tables: Tables) -> npt.NDArray[np.float64]:
        """Return tables x rows: the sums of several tables for the price of about one walk."""
        if tables.shape[1:] != self.values.shape:
            raise ValueError(f"a table is {self.values.shape}, not {tables.shape[1:]}")
        return _sums(self._checked(X), self._column, self._cut, self._leaf, self.depth, tables)

    def scores(self, X: Matrix) -> Vector:
        """Return minus the mean path length over c(size); the classical score is 2**score."""
        return self.sums(X, self.values)

    def grow(self, t: int, window: Matrix, size: int, seed: int, number: int) -> None:
        """Replace tree ``t`` by one grown on ``size`` rows drawn from ``window``.

        The tree depends on the window, the seed and ``number`` only.
        """
        grow_tree(
            window,
            size,
            min(self.depth, depth_limit(size)),
            np.uint64(seed),
            np.uint64(number),
            self.feature[t],
            self.threshold[t],
            self.missing_left[t],
            self.cover[t],
            self.path_length[t],
        )
        self.finish(t, size, number)

    def finish(self, t: int, size: int, number: int) -> None:
        """Call after the arrays of tree ``t`` were written, before the next walk."""
        norm = row_norm(size)
        if self.feature[t, 0] == LEAF:  # it can't tell rows apart: an average path
            self.path_length[t, 0] = norm
        self.values[t] = -self.path_length[t] / (norm * len(self))
        self.size[t], self.number[t] = size, number
        self._refresh(t)

    def _refresh(self, t: int) -> None:
        _index(
            self.feature[t],
            self.threshold[t],
            self.missing_left[t],
            self.features,
            self._column[t],
            self._cut[t],
            self._leaf[t],
        )

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return copies of all that ``load`` needs, as small as exactness allows."""
        exact = np.array_equal(self.threshold.astype(np.float32), self.threshold)
        return {
            "feature": self.feature.copy(),
            "threshold": self.threshold.astype(np.float32 if exact else np.float64),
            "missing_left": np.packbits(self.missing_left),
            "cover": self.cover.copy(),
            "size": self.size.copy(),
            "number": self.number.copy(),
        }

    def load(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take over the arrays of a forest of the same shape; raises ValueError if it isn't one."""
        own = self.arrays()
        for name, mine in own.items():
            theirs = arrays.get(name)
            if theirs is None or theirs.shape != mine.shape or theirs.dtype.kind != mine.dtype.kind:
                raise ValueError(f"the array {name!r} does not fit a forest like this one")
        feature = arrays["feature"]
        if feature.size and not LEAF <= feature.min() <= feature.max() < self.features:
            raise ValueError("a tree splits on a feature that is not there")
        self.feature[:] = feature
        self.threshold[:] = arrays["threshold"]
        bits = np.unpackbits(arrays["missing_left"], count=self.missing_left.size)
        self.missing_left[:] = bits.reshape(self.missing_left.shape)
        self.cover[:] = arrays["cover"]
        self.path_length[:] = leaf_paths(self.feature, self.cover)
        for t in range(len(self)):
            size, number = int(arrays["size"][t]), int(arrays["number"][t])
            if number >= 0:
                self.finish(t, size, number)

    def _checked(self, X: Matrix) -> Matrix:
        if X.ndim != 2 or X.shape[1] != self.features:
            raise ValueError(f"expected rows of {self.features} features, got shape {X.shape}")
        return np.ascontiguousarray(X, np.float32)


@kernel
def leaf_paths(
    feature: npt.NDArray[np.int16], cover: npt.NDArray[np.float32]
) -> npt.NDArray[np.float64]:
    """Return depth + c(cover) at every leaf, 0 elsewhere."""
    trees, nodes = feature.shape
    out = np.zeros((trees, nodes))
    for t in range(trees):
        depth, last = 0, 0
        for i in range(nodes):
            if i > last:
                depth += 1
                last = 2 * last + 2
            if feature[t, i] == LEAF and cover[t, i] > 0:
                out[t, i] = depth + average_path(np.float64(cover[t, i]))
    return out
