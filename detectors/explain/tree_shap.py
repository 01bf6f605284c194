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
from detectors.base import Attribution
from detectors.grow import LEAF
from detectors.jit import kernel
from detectors.trees import Trees

METHOD = "TreeSHAP"

_LANES = 4  # integration points handled at once: one register of doubles
_EXACT = 2 * _LANES  # features on a path that so many points integrate exactly

# Tables of an edge: a row that knows the feature keeps knowing it, or ceases to.
_KEEP, _KEEP_GAIN, _LOSE, _LOSE_GAIN = 0, 1, 2, 3

Edges = npt.NDArray[np.float64]
Steps = npt.NDArray[np.int32]


@kernel
def _compile_tree(
    feature: npt.NDArray[np.int16],
    cover: npt.NDArray[np.float32],
    points: Vector,
    weights: Vector,
    node_of: Steps,
    parent: Steps,
    before: Steps,
    ratio: Vector,
    edges: Edges,
) -> int:
    """List the nodes of a tree, parents first, with the tables of the edge into each.

    ``before[k]`` is the nearest edge above k that tests the same feature, 0 if there is none.
    """
    nodes = feature.shape[0]
    place = np.full(nodes, -1, np.int32)
    share = np.ones(nodes)  # z after the edge
    place[0] = 0
    node_of[0] = 0
    count = 1
    for i in range(1, nodes):
        above = (i - 1) // 2
        if place[above] < 0 or feature[above] == LEAF:
            continue
        k = count
        count += 1
        place[i] = k
        node_of[k] = i
        parent[k] = place[above]
        ratio[k] = np.float64(cover[i]) / np.float64(cover[above])
        tested = feature[above]
        j = above
        before[k] = 0
        while j > 0:
            if feature[(j - 1) // 2] == tested:
                before[k] = place[j]
                break
            j = (j - 1) // 2
        known_before = before[k] > 0
        share_before = share[before[k]]
        share[k] = share_before * ratio[k]
        for q in range(_LANES):
            t, w = points[q], weights[q]
            factor = t + share[k] * (1.0 - t)
            lost = share[k] * (1.0 - t)
            undo, gain_before = 1.0, 0.0
            if known_before:
                undo = 1.0 / (t + share_before * (1.0 - t))
                gain_before = (1.0 - share_before) * undo
            edges[k, _KEEP, q] = factor * undo
            edges[k, _KEEP_GAIN, q] = w * ((1.0 - share[k]) / factor - gain_before)
            edges[k, _LOSE, q] = lost * undo
            edges[k, _LOSE_GAIN, q] = w * (-1.0 / (1.0 - t) - gain_before)
    return count


@kernel
def _explain_rows(
    X: Matrix,
    feature: npt.NDArray[np.int16],
    threshold: npt.NDArray[np.float64],
    missing_left: npt.NDArray[np.bool_],
    values: npt.NDArray[np.float64],
    counts: Steps,
    node_of: npt.NDArray[np.int32],
    parent: npt.NDArray[np.int32],
    before: npt.NDArray[np.int32],
    ratio: npt.NDArray[np.float64],
    edges: npt.NDArray[np.float64],
    out: npt.NDArray[np.float64],
) -> None:
    rows, trees, most = X.shape[0], feature.shape[0], node_of.shape[1]
    known = np.empty(most, np.bool_)
    product = np.empty((most, _LANES))
    below = np.empty((most, _LANES))
    for t in range(trees):
        count = counts[t]
        split, cut, left_if_missing = feature[t], threshold[t], missing_left[t]
        table, node, up, same, part, edge = (
            values[t],
            node_of[t],
            parent[t],
            before[t],
            ratio[t],
            edges[t],
        )
        for r in range(rows):
            known[0] = True
            product[0, :] = 1.0
            for k in range(1, count):
                i, p = node[k], up[k]
                above = (i - 1) >> 1
                value = X[r, split[above]]
                goes_left = value <= cut[above] or (value != value and left_if_missing[above])
                known_before = known[same[k]]
                knows = known_before and (goes_left == ((i & 1) == 1))
                known[k] = knows
                if knows:
                    for q in range(_LANES):
                        product[k, q] = product[p, q] * edge[k, _KEEP, q]
                elif known_before:
                    for q in range(_LANES):
                        product[k, q] = product[p, q] * edge[k, _LOSE, q]
                else:
                    for q in range(_LANES):
                        product[k, q] = product[p, q] * part[k]
            for k in range(count):
                i = node[k]
                value_here = table[i] if split[i] == LEAF else 0.0
                for q in range(_LANES):
                    below[k, q] = product[k, q] * value_here
            for k in range(count - 1, 0, -1):
                i, p = node[k], up[k]
                if known[same[k]]:
                    kind = _KEEP_GAIN if known[k] else _LOSE_GAIN
                    gain = 0.0
                    for q in range(_LANES):
                        gain += below[k, q] * edge[k, kind, q]
                    out[r, split[(i - 1) >> 1]] += gain
                for q in range(_LANES):
                    below[p, q] += below[k, q]


@kernel
def _expected(
    feature: npt.NDArray[np.int16],
    cover: npt.NDArray[np.float32],
    values: npt.NDArray[np.float64],
) -> float:
    total = 0.0
    for t in range(feature.shape[0]):
        if cover[t, 0] <= 0:
            total += values[t, 0]
            continue
        mean = 0.0
        for i in range(feature.shape[1]):
            if feature[t, i] == LEAF:
                mean += values[t, i] * np.float64(cover[t, i])
        total += mean / np.float64(cover[t, 0])
    return total


class TreeShap:
    """Explains sums over the leaves of one forest; follows it as its trees are replaced."""

    def __init__(self, trees: Trees) -> None:
        self._trees = trees
        features_on_path = min(trees.depth, trees.features)
        chunks = -(-features_on_path // _EXACT)
        points, weights = np.polynomial.legendre.leggauss(chunks * _LANES)
        self._points = ((points + 1.0) / 2.0).reshape(chunks, _LANES)
        self._weights = (weights / 2.0).reshape(chunks, _LANES)
        shape = (len(trees), trees.nodes)
        self._number = np.full(len(trees), -2, np.int64)  # of the tree that was compiled
        self._count = np.zeros(len(trees), np.int32)
        self._node_of = np.zeros(shape, np.int32)
        self._parent = np.zeros(shape, np.int32)
        self._before = np.zeros(shape, np.int32)
        self._ratio = np.ones(shape)
        self._edges = np.zeros((chunks, *shape, 4, _LANES))

    def values(self, X: Matrix, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return rows x features: what each feature adds to ``trees.sums(X, values)``."""
        trees = self._trees
        if values.shape != trees.values.shape:
            raise ValueError(f"a table is {trees.values.shape}, not {values.shape}")
        if X.ndim != 2 or X.shape[1] != trees.features:
            raise ValueError(f"expected rows of {trees.features} features, got shape {X.shape}")
        self._follow()
        out = np.zeros(X.shape)
        for edges in self._edges:
            _explain_rows(
                np.ascontiguousarray(X, np.float32),
                trees.feature,
                trees.threshold,
                trees.missing_left,
                values,
                self._count,
                self._node_of,
                self._parent,
                self._before,
                self._ratio,
                edges,
                out,
            )
        return out

    def base(self, values: npt.NDArray[np.float64]) -> float:
        """Return the mean of the sum over the training rows."""
        return _expected(self._trees.feature, self._trees.cover, values)

    def explain(self, X: Matrix, values: npt.NDArray[np.float64]) -> Attribution:
        """Attribute ``trees.sums(X, values)`` to the features."""
        base = np.full(len(X), self.base(values))
        return Attribution(self.values(X, values), base, METHOD, additive=True)

    def _follow(self) -> None:
        trees = self._trees
        for t in np.flatnonzero(self._number != trees.number):
            for chunk, edges in enumerate(self._edges):
                self._count[t] = _compile_tree(
                    trees.feature[t],
                    trees.cover[t],
                    self._points[chunk],
                    self._weights[chunk],
                    self._node_of[t],
                    self._parent[t],
                    self._before[t],
                    self._ratio[t],
                    edges[t],
                )
            self._number[t] = trees.number[t]


def tree_shap(trees: Trees, X: Matrix, values: npt.NDArray[np.float64]) -> Attribution:
    """Attribute ``trees.sums(X, values)`` to the features; see ``TreeShap`` for repeated use."""
    return TreeShap(trees).explain(X, values)
