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
from detectors.grow import LEAF, finish_tree, grow_trees
from detectors.jit import kernel

Tables = npt.NDArray[np.float64]
"""Tables x trees x nodes."""

_ROWS = 64  # rows walked together: enough to hide the latency of a step, few enough for the cache
_ONE = np.uint64(1)


def depth_limit(rows: int) -> int:
    """Return the depth at which a tree of ``rows`` rows stops: the height of a balanced one."""
    return max(1, math.ceil(math.log2(max(rows, 2))))


@kernel
def _walk(
    flat: Matrix,
    start: np.uint64,
    width: np.uint64,
    count: int,
    column: npt.NDArray[np.uint16],
    cut: npt.NDArray[np.float32],
    depth: int,
    position: npt.NDArray[np.uint64],
) -> None:
    """Walk ``count`` rows of ``width`` values down one tree, level by level, to the bottom row.

    Unsigned numbers throughout: signed ones would cost a test for negative indices per access.
    """
    for k in range(count):
        position[k] = np.uint64(0)
    for _ in range(depth):
        row = start
        for k in range(count):
            i = position[k]
            right = flat[row + np.uint64(column[i])] > cut[i]
            position[k] = i + i + _ONE + np.uint64(right)
            row += width


@kernel
def _add(
    values: Vector,
    leaf: npt.NDArray[np.int32],
    inner: np.uint64,
    position: npt.NDArray[np.uint64],
    sums: Vector,
) -> None:
    for k in range(len(sums)):
        sums[k] += values[np.uint64(leaf[position[k] - inner])]


@kernel
def spread_missing(X: Matrix) -> Matrix:
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
    spread = spread_missing(X)
    flat, width, inner = spread.ravel(), np.uint64(spread.shape[1]), np.uint64(column.shape[1])
    position = np.empty(_ROWS, np.uint64)
    for first in range(0, rows, _ROWS):
        count = min(rows - first, _ROWS)
        start = np.uint64(first) * width
        for t in range(trees):
            _walk(flat, start, width, count, column[t], cut[t], depth, position)
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
    rows, trees = X.shape[0], column.shape[0]
    out = np.zeros((tables.shape[0], rows))
    spread = spread_missing(X)
    flat, width, inner = spread.ravel(), np.uint64(spread.shape[1]), np.uint64(column.shape[1])
    position = np.empty(_ROWS, np.uint64)
    for first in range(0, rows, _ROWS):
        count = min(rows - first, _ROWS)
        start = np.uint64(first) * width
        for t in range(trees):
            _walk(flat, start, width, count, column[t], cut[t], depth, position)
            for j in range(tables.shape[0]):
                _add(tables[j, t], leaf[t], inner, position, out[j, first : first + count])
    return out


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
        self._arrays = (
            self.feature,
            self.threshold,
            self.missing_left,
            self.cover,
            self.path_length,
            self.values,
            self.size,
            self._column,
            self._cut,
            self._leaf,
        )

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

    def grow(self, window: Matrix, rows: int, seed: int, first: int, count: int = 1) -> None:
        """Grow the trees of the running numbers ``first`` to ``first + count - 1``.

        Each on ``rows`` rows drawn from ``window``; tree number n replaces the one in place
        n modulo the number of trees. A tree depends on the window, the seed and its place only.
        """
        grow_trees(
            window,
            rows,
            min(self.depth, depth_limit(rows)),
            np.uint64(seed),
            first,
            count,
            self.number,
            *self._arrays,
        )

    def put(
        self,
        t: int,
        number: int,
        size: int,
        feature: npt.NDArray[Any],
        threshold: npt.NDArray[Any],
        missing_left: npt.NDArray[Any],
        cover: npt.NDArray[Any],
    ) -> None:
        """Replace tree ``t`` by one that was grown elsewhere, given in heap layout."""
        self.feature[t], self.threshold[t] = feature, threshold
        self.missing_left[t], self.cover[t] = missing_left, cover
        self.size[t], self.number[t] = size, number
        finish_tree(t, self.features, *self._arrays)

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
        bits = np.unpackbits(arrays["missing_left"], count=self.missing_left.size)
        missing_left = bits.reshape(self.missing_left.shape)
        for t in range(len(self)):
            self.put(
                t,
                int(arrays["number"][t]),
                int(arrays["size"][t]),
                feature[t],
                arrays["threshold"][t],
                missing_left[t],
                arrays["cover"][t],
            )

    def _checked(self, X: Matrix) -> Matrix:
        if X.ndim != 2 or X.shape[1] != self.features:
            raise ValueError(f"expected rows of {self.features} features, got shape {X.shape}")
        return np.ascontiguousarray(X, np.float32)
