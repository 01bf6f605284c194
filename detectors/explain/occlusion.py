"""An honest fallback for models that SHAP can't open."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

from detectors.arrays import Matrix, Vector
from detectors.base import Attribution

METHOD = "occlusion"


def occlusion(score: Callable[[Matrix], Vector], X: Matrix, window: Matrix) -> Attribution:
    """Tell how far the score falls when a feature takes its median in ``window``.

    The differences do not add up to the score: features that only matter together get nothing,
    features that tell the same get it twice. Costs one scoring of ``X`` per feature.
    """
    features = X.shape[1]
    usual = medians(window, features)
    scores = score(X)
    values = np.zeros(X.shape)
    for feature in range(features):
        changed = X.copy()
        changed[:, feature] = usual[feature]
        values[:, feature] = scores - score(changed)
    base = np.full(len(X), score(usual[np.newaxis])[0])
    return Attribution(values, base, METHOD, additive=False)


def medians(window: Matrix, features: int) -> Matrix:
    """Return the median of each feature, NaN where no row has a value."""
    if len(window) == 0:
        return np.full(features, np.nan, np.float32)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)
        return np.nanmedian(window, axis=0).astype(np.float32)
