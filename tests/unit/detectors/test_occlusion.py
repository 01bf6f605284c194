from __future__ import annotations

import numpy as np
import pytest

from detectors.arrays import Matrix, Vector
from detectors.explain.occlusion import medians, occlusion


def distance(X: Matrix) -> Vector:
    return np.abs(np.nan_to_num(X[:, 0].astype(np.float64)))  # the second feature plays no part


def test_a_feature_gets_what_its_median_takes_away() -> None:
    X = np.array([[9, 5], [2, 7]], np.float32)
    before = X.copy()
    found = occlusion(distance, X, window=np.array([[1, 1], [3, 2], [2, 9]], np.float32))
    assert found.values.tolist() == [[7, 0], [0, 0]]
    assert found.base.tolist() == [2, 2]
    assert (found.method, found.additive) == ("occlusion", False)
    assert X.tolist() == before.tolist()


def test_columns_without_values_stay_missing() -> None:
    window = np.array([[np.nan, 1], [np.nan, np.nan]], np.float32)
    assert medians(window, 2) == pytest.approx(np.array([np.nan, 1]), nan_ok=True)
    assert np.isnan(medians(np.empty((0, 2), np.float32), 2)).all()
