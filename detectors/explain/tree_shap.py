"""Exact SHAP values of any sum over the leaves of a forest.

The path-dependent SHAP values of Lundberg et al. (2020): what a feature is worth when rows whose
value is unknown are spread over both children as the training rows were. The result equals that of
``shap.TreeExplainer`` on the same trees.

A leaf's share in the value of feature i is an average over the orders in which the features on its
path become known. Written as an integral over the share t of known features (the Beta integral of
the Shapley weights) it is

    v * (o_i - z_i) * integral of prod over j != i of (o_j t + z_j (1 - t)) dt

with o_j = whether the row passes all tests on feature j along the path, z_j = the share of training
rows that do. The integrand is a polynomial of a degree below the number of features on the path, so
Gauss-Legendre points give it exactly: 4 points for up to 8 features. At fixed t the product is
kept up on the way down and leaf values are summed up on the way up, one visit per node and no
recursion over subsets (cf. Linear TreeSHAP, Yu et al. 2022).

What doesn't depend on the row is worked out once per tree and kept until the tree is replaced.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from detectors.arrays import Matrix, Vector
from detectors.base import Attribution, as_rows
from detectors.grow import LEAF
from detectors.jit import kernel
from detectors.lanes import LANES, add, dot, multiply, scale
from detectors.trees import Trees, spread_missing

METHOD = "TreeSHAP"

Table = npt.NDArray[np.float64]

_EXACT = 2 * LANES  # features on a path that so many integration points integrate exactly

# Four columns each in the table of an edge. A row that passed every test on the feature so far
# either passes this one too (the feature stays known) or fails it (the feature is lost):
_KEEP, _KEEP_GAIN, _LOSE, _LOSE_GAIN = (np.uint64(LANES * i) for i in range(4))
_TABLE = np.uint64(4 * LANES)

_LANES, _ONE = np.uint64(LANES), np.uint64(1)


@kernel
def _list_nodes(
    feature: npt.NDArray[np.int16],
    threshold: Vector,
    missing_left: npt.NDArray[np.bool_],
    cover: npt.NDArray[np.float32],
    features: int,
    leaf: npt.NDArray[np.int32],
    weight: Vector,
    at: npt.NDArray[np.uint32],
    before: npt.NDArray[np.uint32],
    column: npt.NDArray[np.uint32],
    tested: npt.NDArray[np.uint32],
    cut: Vector,
    ratio: Vector,
) -> int:
    """List the nodes of a tree and its splits, both by level; return the number of splits.

    The children of split s are the nodes 2s+1 and 2s+2 of the list; it is node ``at[s]`` itself.
    ``before[s]`` is the node below the nearest split above that tests the same feature, 0 if there
    is none. Of node k, ``leaf[k]`` is its number in the heap if it is a leaf, else -1;
    ``weight[k]`` the share of the training rows in it; ``ratio[k]`` its share of its parent's.
    """
    place = np.full(len(feature), -1, np.int32)
    place[0] = 0
    leaf[0], weight[0] = (0 if feature[0] == LEAF else -1), 1.0
    splits = 0
    for i in range(len(feature)):
        if place[i] < 0 or feature[i] == LEAF:
            continue
        s = splits
        splits += 1
        at[s], tested[s], cut[s] = place[i], feature[i], threshold[i]
        column[s] = feature[i] + (0 if missing_left[i] else features)
        before[s] = 0
        j = i
        while j > 0 and before[s] == 0:
            if feature[(j - 1) // 2] == feature[i]:
                before[s] = place[j]
            j = (j - 1) // 2
        for side in range(1, 3):
            child, k = 2 * i + side, 2 * s + side
            place[child] = k
            leaf[k] = child if feature[child] == LEAF else -1
            weight[k] = np.float64(cover[child]) / np.float64(cover[0])
            ratio[k] = np.float64(cover[child]) / np.float64(cover[i])
    return splits


@kernel
def _fill_edges(
    splits: int,
    before: npt.NDArray[np.uint32],
    ratio: Vector,
    points: Vector,
    weights: Vector,
    edges: Vector,
) -> None:
    """Work out what the edge into a node does to the product, and to the value of its feature."""
    share = np.ones(2 * splits + 1)  # z of the edge's feature after the edge
    for k in range(1, 2 * splits + 1):
        above = before[(k - 1) // 2]
        share[k] = share[above] * ratio[k]
        table = np.uint64(k) * _TABLE
        for q in range(LANES):
            t, w = points[q], weights[q]
            known = t + share[k] * (1.0 - t)
            undo, gain_before = 1.0, 0.0
            if above > 0:
                undo = 1.0 / (t + share[above] * (1.0 - t))
                gain_before = (1.0 - share[above]) * undo
            edges[table + _KEEP + np.uint64(q)] = known * undo
            edges[table + _KEEP_GAIN + np.uint64(q)] = w * ((1.0 - share[k]) / known - gain_before)
            edges[table + _LOSE + np.uint64(q)] = share[k] * (1.0 - t) * undo
            edges[table + _LOSE_GAIN + np.uint64(q)] = w * (-1.0 / (1.0 - t) - gain_before)


@kernel
def _list_trees(
    stale: npt.NDArray[np.int64],
    feature: npt.NDArray[np.int16],
    threshold: Table,
    missing_left: npt.NDArray[np.bool_],
    cover: npt.NDArray[np.float32],
    features: int,
    points: Table,
    weights: Table,
    splits: npt.NDArray[np.int64],
    leaf: npt.NDArray[np.int32],
    weight: Table,
    at: npt.NDArray[np.uint32],
    before: npt.NDArray[np.uint32],
    column: npt.NDArray[np.uint32],
    tested: npt.NDArray[np.uint32],
    cut: Table,
    ratio: Table,
    edges: npt.NDArray[np.float64],
) -> None:
    for t in stale:
        splits[t] = _list_nodes(
            feature[t], threshold[t], missing_left[t], cover[t], features, leaf[t], weight[t],
            at[t], before[t], column[t], tested[t], cut[t], ratio[t],
        )  # fmt: skip
        for chunk in range(len(points)):
            _fill_edges(
                splits[t], before[t], ratio[t], points[chunk], weights[chunk], edges[chunk, t]
            )


@kernel
def _down(
    x: Matrix,
    splits: int,
    at: npt.NDArray[np.uint32],
    before: npt.NDArray[np.uint32],
    column: npt.NDArray[np.uint32],
    cut: Vector,
    ratio: Vector,
    edges: Vector,
    known: npt.NDArray[np.uint8],
    product: Vector,
) -> None:
    """Keep up the product from the root to every node; mark the features that stay known."""
    known[0] = 1
    product[:LANES] = 1.0
    for s in range(splits):
        p, left = np.uint64(at[s]) * _LANES, np.uint64(2 * s + 1)
        right = left + _ONE
        if known[before[s]]:
            goes_left = np.uint64(x[column[s]] <= cut[s])
            known[left], known[right] = goes_left, _ONE - goes_left
            keeps, loses = right - goes_left, left + goes_left  # a branch would be mispredicted
            multiply(product, p, edges, keeps * _TABLE + _KEEP, product, keeps * _LANES)
            multiply(product, p, edges, loses * _TABLE + _LOSE, product, loses * _LANES)
        else:
            known[left], known[right] = 0, 0
            scale(product, p, ratio[left], product, left * _LANES)
            scale(product, p, ratio[right], product, right * _LANES)


@kernel
def _up(
    splits: int,
    at: npt.NDArray[np.uint32],
    before: npt.NDArray[np.uint32],
    tested: npt.NDArray[np.uint32],
    edges: Vector,
    known: npt.NDArray[np.uint8],
    value: Vector,
    product: Vector,
    out: Vector,
) -> None:
    """Sum leaf values times products towards the root; each edge credits its feature.

    ``value`` is 1 at splits, whose place in ``product`` has taken the sum of their children.
    """
    for s in range(splits - 1, -1, -1):
        left = np.uint64(2 * s + 1)
        right = left + _ONE
        scale(product, left * _LANES, value[left], product, left * _LANES)
        scale(product, right * _LANES, value[right], product, right * _LANES)
        if known[before[s]]:
            goes_left = np.uint64(known[left])
            keeps, loses = right - goes_left, left + goes_left
            kept = dot(product, keeps * _LANES, edges, keeps * _TABLE + _KEEP_GAIN)
            lost = dot(product, loses * _LANES, edges, loses * _TABLE + _LOSE_GAIN)
            out[tested[s]] += kept + lost
        add(product, left * _LANES, right * _LANES, np.uint64(at[s]) * _LANES)


@kernel
def _explain(
    spread: Matrix,
    values: Table,
    splits: npt.NDArray[np.int64],
    leaf: npt.NDArray[np.int32],
    at: npt.NDArray[np.uint32],
    before: npt.NDArray[np.uint32],
    column: npt.NDArray[np.uint32],
    tested: npt.NDArray[np.uint32],
    cut: Table,
    ratio: Table,
    edges: npt.NDArray[np.float64],
    out: Table,
) -> None:
    most = leaf.shape[1]
    known, value, product = np.empty(most, np.uint8), np.empty(most), np.empty(most * LANES)
    for t in range(len(splits)):
        n = splits[t]
        for k in range(2 * n + 1):
            value[k] = values[t, leaf[t, k]] if leaf[t, k] >= 0 else 1.0
        for r in range(len(spread)):
            _down(
                spread[r], n, at[t], before[t], column[t], cut[t], ratio[t], edges[t], known,
                product,
            )  # fmt: skip
            _up(n, at[t], before[t], tested[t], edges[t], known, value, product, out[r])


@kernel
def _expected(
    values: Table, splits: npt.NDArray[np.int64], leaf: npt.NDArray[np.int32], weight: Table
) -> float:
    total = 0.0
    for t in range(len(splits)):
        for k in range(2 * splits[t] + 1):
            if leaf[t, k] >= 0:
                total += values[t, leaf[t, k]] * weight[t, k]
    return total


class TreeShap:
    """Explains sums over the leaves of one forest; follows it as its trees are replaced."""

    def __init__(self, trees: Trees) -> None:
        self._trees = trees
        chunks = -(-min(trees.depth, trees.features) // _EXACT)
        points, weights = np.polynomial.legendre.leggauss(chunks * LANES)
        self._points = ((points + 1.0) / 2.0).reshape(chunks, LANES)
        self._weights = (weights / 2.0).reshape(chunks, LANES)
        self._chunks = chunks
        self._allocate(0)

    def _allocate(self, nodes: int) -> None:
        shape = (len(self._trees), nodes)
        self._number = np.full(len(self._trees), -2, np.int64)  # of the tree that is listed
        self._splits = np.zeros(len(self._trees), np.int64)
        self._leaf = np.zeros(shape, np.int32)
        self._weight = np.zeros(shape)
        self._at = np.zeros(shape, np.uint32)
        self._before = np.zeros(shape, np.uint32)
        self._column = np.zeros(shape, np.uint32)
        self._tested = np.zeros(shape, np.uint32)
        self._cut = np.zeros(shape)
        self._ratio = np.zeros(shape)
        self._edges = np.zeros((self._chunks, len(self._trees), nodes * 4 * LANES))

    def __repr__(self) -> str:
        return f"TreeShap({self._trees!r})"

    def values(self, X: Matrix, values: Table) -> Table:
        """Return rows x features: what each feature adds to ``trees.sums(X, values)``."""
        self._check(values)
        spread = spread_missing(as_rows(X, self._trees.features))
        self._follow()
        out = np.zeros(X.shape)
        for edges in self._edges:
            _explain(
                spread,
                values,
                self._splits,
                self._leaf,
                self._at,
                self._before,
                self._column,
                self._tested,
                self._cut,
                self._ratio,
                edges,
                out,
            )
        return out

    def base(self, values: Table) -> float:
        """Return the mean of the sum over the training rows."""
        self._check(values)
        self._follow()
        return _expected(values, self._splits, self._leaf, self._weight)

    def explain(self, X: Matrix, values: Table) -> Attribution:
        """Attribute ``trees.sums(X, values)`` to the features."""
        base = np.full(len(X), self.base(values))
        return Attribution(self.values(X, values), base, METHOD, additive=True)

    def _check(self, values: Table) -> None:
        if values.shape != self._trees.values.shape:
            raise ValueError(f"a table is {self._trees.values.shape}, not {values.shape}")

    def _follow(self) -> None:
        trees = self._trees
        stale = np.flatnonzero(self._number != trees.number)
        if len(stale) == 0:
            return
        needed = int((trees.cover[stale] > 0).sum(axis=1).max(initial=1))
        if needed > self._leaf.shape[1]:
            self._allocate(min(needed + needed // 4, trees.nodes))
            stale = np.arange(len(trees))
        _list_trees(
            stale,
            trees.feature,
            trees.threshold,
            trees.missing_left,
            trees.cover,
            trees.features,
            self._points,
            self._weights,
            self._splits,
            self._leaf,
            self._weight,
            self._at,
            self._before,
            self._column,
            self._tested,
            self._cut,
            self._ratio,
            self._edges,
        )
        self._number[stale] = trees.number[stale]


def tree_shap(trees: Trees, X: Matrix, values: Table) -> Attribution:
    """Attribute ``trees.sums(X, values)`` to the features.

    For repeated use on a forest keep a ``TreeShap`` of it: it saves the work per tree.
    """
    return TreeShap(trees).explain(X, values)
