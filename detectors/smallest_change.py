"""The smallest change of a few features that brings a row below a line."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from detectors.arrays import Matrix, Vector
from detectors.grow import LEAF
from detectors.trees import Trees

Row = npt.NDArray[np.float32]
Values = npt.NDArray[np.float32]

_GRIDS = {1: 2_000, 2: 40, 3: 12}
"""Values tried per feature, by how many features change: up to 35,000 rows of three of six."""
_REFINEMENTS = 3


def split_values(trees: Trees, column: int, around: float) -> Values:
    """Return the values of a column at which the forest's answer changes, sorted.

    The nearest ones: below ``around`` those that just fail a test, above it those that just pass.
    """
    cuts = np.unique(trees.threshold[trees.feature == column].astype(np.float32))
    above = cuts >= np.float32(around)
    return np.where(above, np.nextafter(cuts, np.float32(np.inf)), cuts)


def columns_of(trees: Trees) -> npt.NDArray[np.int64]:
    """Return the columns that the forest asks about."""
    asked = np.unique(trees.feature)
    return np.asarray(asked[asked != LEAF], np.int64)


def thinned(values: Values, most: int) -> Values:
    """Return at most so many of them, evenly by rank, both ends included."""
    if len(values) <= most:
        return values
    return values[np.linspace(0, len(values) - 1, most).round().astype(np.int64)]


def smallest_change(
    row: Row,
    margins: Callable[[Matrix], Vector],
    line: float,
    values: Mapping[int, Values],
    unit: Vector,
    most: int = 3,
) -> Row | None:
    """Return the row after the smallest change that brings it below ``line``; None if none does.

    Fewer features count first, then the sum of distances in units. One feature is searched in full;
    of two and three a grid, and from its best place back towards the row as far as possible. What
    is returned has been scored by ``margins`` itself.

    Args:
        row: it must lie at the line or above.
        margins: the real model.
        values: column -> what may stand there instead. Only these change, ``most`` at a time.
        unit: per column, how far apart two values are that differ by one.
    """
    for count in range(1, min(most, len(values)) + 1):
        best: tuple[float, Row] | None = None
        for columns in itertools.combinations(values, count):
            grids = [thinned(values[column], _GRIDS[count]) for column in columns]
            found = _cheapest(row, margins, line, columns, grids, unit)
            if found is not None and (best is None or found[0] < best[0]):
                best = found
        if best is not None:
            return _refined(row, best[1], margins, line, values, unit)
    return None


def _cheapest(
    row: Row,
    margins: Callable[[Matrix], Vector],
    line: float,
    columns: Sequence[int],
    grids: Sequence[Values],
    unit: Vector,
) -> tuple[float, Row] | None:
    """Return the cheapest row below the line of all combinations of the grids' values."""
    if not all(len(grid) for grid in grids):
        return None
    meshes = np.meshgrid(*grids, indexing="ij")
    rows = np.repeat(row[np.newaxis], meshes[0].size, axis=0)
    for column, mesh in zip(columns, meshes, strict=True):
        rows[:, column] = mesh.ravel()
    below = margins(rows) < line
    if not below.any():
        return None
    costs = np.where(below, _costs(row, rows, columns, unit), np.inf)
    cheapest = int(costs.argmin())
    return float(costs[cheapest]), rows[cheapest]


def _costs(row: Row, rows: Matrix, columns: Sequence[int], unit: Vector) -> Vector:
    at = list(columns)
    distance = np.abs(rows[:, at].astype(np.float64) - row[at]) / unit[at]
    total: Vector = distance.sum(axis=1)
    return total


def _refined(
    row: Row,
    found: Row,
    margins: Callable[[Matrix], Vector],
    line: float,
    values: Mapping[int, Values],
    unit: Vector,
) -> Row:
    """Move one feature at a time back towards the row, as far as it stays below the line."""
    for _ in range(_REFINEMENTS):
        before = found
        for column in np.flatnonzero(found != row).tolist():
            if column not in values:  # a missing value, unequal to itself
                continue
            low, high = sorted((float(row[column]), float(found[column])))
            between = values[column][(values[column] >= low) & (values[column] <= high)]
            rows = np.repeat(found[np.newaxis], len(between), axis=0)
            rows[:, column] = between
            below = margins(rows) < line
            if not below.any():
                continue
            costs = np.where(below, _costs(row, rows, (column,), unit), np.inf)
            found = rows[int(costs.argmin())]
        if np.array_equal(before, found, equal_nan=True):
            break
    return found
