"""How alike two rows are in the eyes of a forest."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from detectors.arrays import Vector
from detectors.jit import kernel

Leaves = npt.NDArray[np.int32]
"""Rows x trees, the leaf of each row in each tree."""

Gram = npt.NDArray[np.float64]


@kernel
def _shares(a: Leaves, b: Leaves, out: Gram) -> None:
    trees = a.shape[1]
    for i in range(a.shape[0]):
        left = a[i]
        for j in range(b.shape[0]):
            right = b[j]
            same = np.int32(0)
            for t in range(trees):
                same += np.int32(left[t] == right[t])
            out[i, j] = same / trees


def shared_leaves(a: Leaves, b: Leaves) -> Gram:
    """Return rows of ``a`` x rows of ``b``: the share of the trees in which they share the leaf.

    It is a kernel in the sense of kernel methods (a mean of inner products of leaf indicators), 1
    for equal rows.
    """
    if a.shape[1] != b.shape[1] or not a.shape[1]:
        raise ValueError(f"leaves of {a.shape[1]} and {b.shape[1]} trees can't be compared")
    out = np.empty((len(a), len(b)))
    _shares(np.ascontiguousarray(a, np.int32), np.ascontiguousarray(b, np.int32), out)
    return out


@kernel
def _sums(leaves: Leaves, table: Gram, out: Vector) -> None:
    for i in range(len(out)):
        row = leaves[i]
        total = 0.0
        for t in range(len(row)):
            total += table[t, row[t]]
        out[i] = total


def leaf_sums(leaves: Leaves, table: Gram) -> Vector:
    """Return for each row the sum of ``table`` (trees x nodes) over its leaves.

    What ``Trees.sums`` returns, bit by bit, where the leaves are known: no walk is needed.
    """
    if leaves.shape[1] != len(table):
        raise ValueError(f"leaves of {leaves.shape[1]} trees, a table of {len(table)}")
    out = np.empty(len(leaves))
    _sums(leaves, table, out)
    return out
