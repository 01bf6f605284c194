"""Between which values a feature usually lies."""

from __future__ import annotations

import numpy as np

from detectors.arrays import Matrix, Vector

_USUAL = (0.05, 0.95)  # quantiles between which a value is usual


def usual_range(rows: Matrix) -> tuple[Vector, Vector]:
    """Return the 5 % and 95 % quantile of each column; NaN where no row has a value."""
    ordered = np.sort(rows, axis=0)
    low, high = (_quantile(ordered, share) for share in _USUAL)
    return low, high


def _quantile(ordered: Matrix, share: float) -> Vector:
    """Return a quantile of each column, NaN where no row has a value.

    ``ordered``: each column by size, missing values last.
    """
    if not len(ordered):
        return np.full(ordered.shape[1], np.nan)
    columns = np.arange(ordered.shape[1])
    place = share * np.maximum(np.count_nonzero(~np.isnan(ordered), axis=0) - 1, 0)
    below = place.astype(np.intp)
    low = ordered[below, columns].astype(np.float64)
    high = ordered[np.ceil(place).astype(np.intp), columns].astype(np.float64)
    quantile: Vector = low + (place - below) * (high - low)
    return quantile
