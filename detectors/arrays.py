"""The two array types that all numbers travel in."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]
"""Rows x features, C-contiguous; NaN = missing. Never infinite."""

Vector = npt.NDArray[np.float64]
"""One number per row."""
