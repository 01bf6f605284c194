"""How sure a mean over a few seeds is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import stats  # type: ignore[import-untyped]  # it brings no types


def half_interval(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return half the width of the means' 95 % intervals, seeds along the first axis.

    Student's: of three seeds the deviation is known so badly that 1.96 standard errors hold the
    true mean in four cases of five only. Of one seed NaN, which nothing is larger than.
    """
    array = np.asarray(values, np.float64)
    seeds = len(array)
    if seeds < 2:
        return np.full(array.shape[1:], np.nan)
    factor = stats.t.ppf(0.975, seeds - 1)
    half: npt.NDArray[np.float64] = factor * array.std(axis=0, ddof=1) / np.sqrt(seeds)
    return half


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean and half the width of its 95 % interval, to four digits; of one seed 0."""
    half = float(half_interval(values)) if len(values) > 1 else 0.0
    return round(float(np.mean(values)), 4), round(half, 4)
