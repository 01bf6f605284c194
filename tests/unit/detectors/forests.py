"""Small forests and rows that several tests use."""

from __future__ import annotations

import numpy as np

from detectors.arrays import Matrix
from detectors.trees import Trees, depth_limit


def make_rows(seed: int, rows: int, features: int, missing: float = 0.0) -> Matrix:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, features)).astype(np.float32)
    X[rng.random(X.shape) < missing] = np.nan
    return X


def make_forest(
    X: Matrix, trees: int = 5, size: int = 16, seed: int = 1, depth: int | None = None
) -> Trees:
    forest = Trees(trees, X.shape[1], depth_limit(size) if depth is None else depth)
    forest.grow(X, size, seed, 0, trees)
    return forest
