"""Which rows labels take for alike: those in the same cells of a forest.

A cell is a leaf, or the part of a leaf whose rows are about as strange. Where a score comes from
more than the forest, rows of one leaf may be usual or far out; a verdict about what is far out then
says little of what is usual (decision 26).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from detectors.arrays import Matrix, Vector
from detectors.jit import kernel
from detectors.learning.leaf_kernel import Leaves, leaf_sums
from detectors.trees import Trees

Table = npt.NDArray[np.float64]
"""Trees x cells."""

GRADES = np.arange(-3.25, 2.51, 0.25)
"""Margins before any label between which rows count as equally strange; -3.5 is a usual one."""

_STEPS = 4  # grades per standard deviation
_NARROWEST, _WIDEST = 1.0, 20.0  # standard deviations in one cell of a tree
_GOLDEN, _ROOT = 0.6180339887498949, 0.41421356237309515  # their multiples spread evenly


@kernel
def _part(leaves: Leaves, grades: npt.NDArray[np.int64], parts: Leaves, most: int) -> None:
    for i in range(leaves.shape[0]):
        row, part = leaves[i], parts[grades[i]]
        for t in range(len(row)):
            row[t] = row[t] * most + part[t]


class Cells:
    """The cells of a forest, numbered per tree.

    Graded, each tree cuts the scale of strangeness into parts of a width and an offset of its own
    (random binning: Rahimi and Recht, NIPS 2007; here they are spread evenly instead), one to
    twenty standard deviations wide, alike often over the logarithm. The share of cells that two
    rows have in common is a kernel as before; the further apart their scores, the smaller it is.

    Args:
        trees: the forest; read anew at each call.
        graded: whether leaves are divided.
    """

    def __init__(self, trees: Trees, *, graded: bool) -> None:
        self._trees = trees
        self.graded = graded
        number = np.arange(len(trees))
        width = _NARROWEST * (_WIDEST / _NARROWEST) ** (number * _GOLDEN % 1.0) * _STEPS
        places = np.arange(len(GRADES) + 1)[:, np.newaxis] / width + number * _ROOT % 1.0
        self._parts = places.astype(np.int32)  # grades x trees
        self._most = int(self._parts.max()) + 1 if graded else 1

    @property
    def features(self) -> int:
        """How many columns a row has."""
        return self._trees.features

    @property
    def shape(self) -> tuple[int, int]:
        """Of a table: trees x cells."""
        return len(self._trees), self._trees.nodes * self._most

    def of(self, X: Matrix, priors: Vector) -> Leaves:
        """Return each row's cell in each tree, rows x trees; ``priors``: margins before labels."""
        if len(X) != len(priors):
            raise ValueError(f"{len(priors)} margins of {len(X)} rows")
        leaves = self._trees.leaves(X)
        if self.graded:
            _part(leaves, _grades(priors), self._parts, self._most)
        return leaves

    def sums(self, X: Matrix, priors: Vector, table: Table) -> Vector:
        """Return for each row the sum of a table over its cells."""
        if self.graded:
            return leaf_sums(self.of(X, priors), table)
        return self._trees.sums(X, table)

    def per_grade(
        self, priors: Vector, table: Table
    ) -> Iterator[tuple[npt.NDArray[np.intp], Table]]:
        """Yield rows that are equally strange, and the table per leaf (trees x nodes) for these."""
        if not self.graded:
            yield np.arange(len(priors)), table
            return
        by_part = table.reshape(len(self._trees), self._trees.nodes, self._most)
        grades = _grades(priors)
        for grade in np.unique(grades).tolist():
            parts = self._parts[grade][:, np.newaxis, np.newaxis]
            per_leaf = np.take_along_axis(by_part, parts.astype(np.int64), axis=2)[:, :, 0]
            yield np.flatnonzero(grades == grade), np.ascontiguousarray(per_leaf)


def _grades(priors: Vector) -> npt.NDArray[np.int64]:
    return np.searchsorted(GRADES, priors, "right").astype(np.int64)
