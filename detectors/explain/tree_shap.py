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
from detectors.trees import Trees, spread_missing

METHOD = "TreeSHAP"

Table = npt.NDArray[np.float64]

_POINTS = 4  # integration points handled at once: one register of doubles
_EXACT = 2 * _POINTS  # features on a path that so many points integrate exactly

# Four columns each in the table of an edge. A row that passed every test on the feature so far
# either passes this one too (the feature stays known) or fails it (the feature is lost):
_KEEP, _KEEP_GAIN, _LOSE, _LOSE_GAIN = 0, 4, 8, 12


@kernel
def _list_nodes(
    feature: npt.NDArray[np.int16],
    threshold: Vector,
    missing_left: npt.NDArray[np.bool_],
    cover: npt.NDArray[np.float32],
    leaf: npt.NDArray[np.int32],
    weight: Vector,
    parent: npt.NDArray[np.uint32],
    before: npt.NDArray[np.uint32],
    column: npt.NDArray[np.uint32],
    tested: npt.NDArray[np.uint32],
    cut: Vector,
    is_left: npt.NDArray[np.bool_],
    ratio: Vector,
    features: int,
) -> int:
    """List the nodes of a tree, parents first; return their number.

    ``leaf[k]`` is the node's number in the heap if it is a leaf, else -1, ``weight[k]`` the share
    of the training rows in it; ``before[k]`` is the nearest edge above k that tests the same
    feature, 0 if there is none.
    """
    nodes = feature.shape[0]
    place = np.full(nodes, -1, np.int32)
    place[0] = 0
    leaf[0], weight[0] = (0 if feature[0] == LEAF else -1), 1.0
    count = 1
    for i in range(1, nodes):
        above = (i - 1) // 2
        if place[above] < 0 or feature[above] == LEAF:
            continue
        k = count
        count += 1
        place[i] = k
        leaf[k] = i if feature[i] == LEAF else -1
        weight[k] = np.float64(cover[i]) / np.float64(cover[0])
        parent[k], is_left[k] = place[above], i % 2 == 1
        ratio[k] = np.float64(cover[i]) / np.float64(cover[above])
        tested[k], cut[k] = feature[above], threshold[above]
        column[k] = feature[above] + (0 if missing_left[above] else features)
        before[k] = 0
        j = above
        while j > 0 and before[k] == 0:
            if feature[(j - 1) // 2] == feature[above]:
                before[k] = place[j]
            j = (j - 1) // 2
    return count


@kernel
def _fill_edges(
    count: int,
    before: npt.NDArray[np.uint32],
    ratio: Vector,
    points: Vector,
    weights: Vector,
    edges: Table,
) -> None:
    """Work out what an edge does to the product, and to the value of its feature."""
    share = np.ones(count)  # z of the edge's feature after the edge
    for k in range(1, count):
        share_before = share[before[k]]
        share[k] = share_before * ratio[k]
        for q in range(_POINTS):
            t, w = points[q], weights[q]
            known = t + share[k] * (1.0 - t)
            undo, gain_before = 1.0, 0.0
            if before[k] > 0:
                undo = 1.0 / (t + share_before * (1.0 - t))
                gain_before = (1.0 - share_before) * undo
            edges[k, _KEEP + q] = known * undo
            edges[k, _KEEP_GAIN + q] = w * ((1.0 - share[k]) / known - gain_before)
            edges[k, _LOSE + q] = share[k] * (1.0 - t) * undo
            edges[k, _LOSE_GAIN + q] = w * (-1.0 / (1.0 - t) - gain_before)


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
    counts: npt.NDArray[np.int64],
    leaf: npt.NDArray[np.int32],
    weight: Table,
    parent: npt.NDArray[np.uint32],
    before: npt.NDArray[np.uint32],
    column: npt.NDArray[np.uint32],
    tested: npt.NDArray[np.uint32],
    cut: Table,
    is_left: npt.NDArray[np.bool_],
    ratio: Table,
    edges: npt.NDArray[np.float64],
) -> None:
    for t in stale:
        n = _list_nodes(
            feature[t], threshold[t], missing_left[t], cover[t], leaf[t], weight[t], parent[t],
            before[t], column[t], tested[t], cut[t], is_left[t], ratio[t], features,
        )  # fmt: skip
        counts[t] = n
        for chunk in range(len(points)):
            _fill_edges(n, before[t], ratio[t], points[chunk], weights[chunk], edges[chunk, t])


@kernel
def _down(
    x: Matrix,
    count: int,
    parent: npt.NDArray[np.uint32],
    before: npt.NDArray[np.uint32],
    column: npt.NDArray[np.uint32],
    cut: Vector,
    is_left: npt.NDArray[np.bool_],
    ratio: Vector,
    edges: Table,
    known: npt.NDArray[np.bool_],
    product: Table,
) -> None:
    """Keep up the product from the root to every node; mark the features that stay known."""
    known[0] = True
    product[0, :] = 1.0
    for k in range(1, count):
        p = parent[k]
        known_before = known[before[k]]
        knows = known_before and ((x[column[k]] <= cut[k]) == is_left[k])
        known[k] = knows
        # All four are read before one is written: else they couldn't share a register.
        p0, p1, p2, p3 = product[p, 0], product[p, 1], product[p, 2], product[p, 3]
        if known_before:
            c = np.uint32(_KEEP) if knows else np.uint32(_LOSE)
            e0, e1, e2, e3 = edges[k, c], edges[k, c + 1], edges[k, c + 2], edges[k, c + 3]
        else:
            e0 = e1 = e2 = e3 = ratio[k]
        p0, p1, p2, p3 = p0 * e0, p1 * e1, p2 * e2, p3 * e3
        product[k, 0], product[k, 1], product[k, 2], product[k, 3] = p0, p1, p2, p3


@kernel
def _up(
    count: int,
    parent: npt.NDArray[np.uint32],
    before: npt.NDArray[np.uint32],
    tested: npt.NDArray[np.uint32],
    edges: Table,
    known: npt.NDArray[np.bool_],
    value: Vector,
    product: Table,
    out: Vector,
) -> None:
    """Sum leaf values times products towards the root; each edge credits its feature."""
    for k in range(count):
        v = value[k]
        b0, b1, b2, b3 = product[k, 0], product[k, 1], product[k, 2], product[k, 3]
        b0, b1, b2, b3 = b0 * v, b1 * v, b2 * v, b3 * v
        product[k, 0], product[k, 1], product[k, 2], product[k, 3] = b0, b1, b2, b3
    for k in range(count - 1, 0, -1):
        p = parent[k]
        b0, b1, b2, b3 = product[k, 0], product[k, 1], product[k, 2], product[k, 3]
        if known[before[k]]:
            c = np.uint32(_KEEP_GAIN) if known[k] else np.uint32(_LOSE_GAIN)
            e0, e1, e2, e3 = edges[k, c], edges[k, c + 1], edges[k, c + 2], edges[k, c + 3]
            out[tested[k]] += (b0 * e0 + b1 * e1) + (b2 * e2 + b3 * e3)
        a0, a1, a2, a3 = product[p, 0], product[p, 1], product[p, 2], product[p, 3]
        b0, b1, b2, b3 = a0 + b0, a1 + b1, a2 + b2, a3 + b3
        product[p, 0], product[p, 1], product[p, 2], product[p, 3] = b0, b1, b2, b3


@kernel
def _explain(
    spread: Matrix,
    values: Table,
    counts: npt.NDArray[np.int64],
    leaf: npt.NDArray[np.int32],
    parent: npt.NDArray[np.uint32],
    before: npt.NDArray[np.uint32],
    column: npt.NDArray[np.uint32],
    tested: npt.NDArray[np.uint32],
    cut: Table,
    is_left: npt.NDArray[np.bool_],
    ratio: Table,
    edges: npt.NDArray[np.float64],
    out: Table,
) -> None:
    most = leaf.shape[1]
    known, value, product = np.empty(most, np.bool_), np.empty(most), np.empty((most, _POINTS))
    for t in range(len(counts)):
        n = counts[t]
        for k in range(n):
            value[k] = values[t, leaf[t, k]] if leaf[t, k] >= 0 else 0.0
        for r in range(len(spread)):
            _down(
                spread[r], n, parent[t], before[t], column[t], cut[t], is_left[t], ratio[t],
                edges[t], known, product,
            )  # fmt: skip
            _up(n, parent[t], before[t], tested[t], edges[t], known, value, product, out[r])


@kernel
def _expected(
    values: Table, counts: npt.NDArray[np.int64], leaf: npt.NDArray[np.int32], weight: Table
) -> float:
    total = 0.0
    for t in range(len(counts)):
        for k in range(counts[t]):
            if leaf[t, k] >= 0:
                total += values[t, leaf[t, k]] * weight[t, k]
    return total


class TreeShap:
    """Explains sums over the leaves of one forest; follows it as its trees are replaced."""

    def __init__(self, trees: Trees) -> None:
        self._trees = trees
        chunks = -(-min(trees.depth, trees.features) // _EXACT)
        points, weights = np.polynomial.legendre.leggauss(chunks * _POINTS)
        self._points = ((points + 1.0) / 2.0).reshape(chunks, _POINTS)
        self._weights = (weights / 2.0).reshape(chunks, _POINTS)
        self._chunks = chunks
        self._allocate(0)

    def _allocate(self, nodes: int) -> None:
        shape = (len(self._trees), nodes)
        self._number = np.full(len(self._trees), -2, np.int64)  # of the tree that is listed
        self._count = np.zeros(len(self._trees), np.int64)
        self._leaf = np.zeros(shape, np.int32)
        self._weight = np.zeros(shape)
        self._parent = np.zeros(shape, np.uint32)
        self._before = np.zeros(shape, np.uint32)
        self._column = np.zeros(shape, np.uint32)
        self._tested = np.zeros(shape, np.uint32)
        self._cut = np.zeros(shape)
        self._is_left = np.zeros(shape, np.bool_)
        self._ratio = np.zeros(shape)
        self._edges = np.zeros((self._chunks, *shape, 4 * _POINTS))

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
                self._count,
                self._leaf,
                self._parent,
                self._before,
                self._column,
                self._tested,
                self._cut,
                self._is_left,
                self._ratio,
                edges,
                out,
            )
        return out

    def base(self, values: Table) -> float:
        """Return the mean of the sum over the training rows."""
        self._check(values)
        self._follow()
        return _expected(values, self._count, self._leaf, self._weight)

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
            self._count,
            self._leaf,
            self._weight,
            self._parent,
            self._before,
            self._column,
            self._tested,
            self._cut,
            self._is_left,
            self._ratio,
            self._edges,
        )
        self._number[stale] = trees.number[stale]


def tree_shap(trees: Trees, X: Matrix, values: Table) -> Attribution:
    """Attribute ``trees.sums(X, values)`` to the features.

    For repeated use on a forest keep a ``TreeShap`` of it: it saves the work per tree.
    """
    return TreeShap(trees).explain(X, values)
