"""The same SHAP values by the shap library: the reference that ours are compared with."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import shap

from detectors.arrays import Matrix
from detectors.base import Attribution, as_rows
from detectors.grow import LEAF
from detectors.trees import Trees

METHOD = "TreeSHAP (shap library)"


class ShapLibrary:
    """Explains sums over the leaves of one forest by ``shap.TreeExplainer``.

    Takes any table of leaf values by the library's dict form of tree ensembles. About ten times
    slower than ``TreeShap``, to which it is otherwise equal.
    """

    def __init__(self, trees: Trees) -> None:
        self._trees = trees

    def explain(self, X: Matrix, values: npt.NDArray[np.float64]) -> Attribution:
        """Attribute ``trees.sums(X, values)`` to the features."""
        X = as_rows(X, self._trees.features)
        explainer = shap.TreeExplainer(tree_dicts(self._trees, values))
        base = np.full(len(X), float(np.ravel(explainer.expected_value)[0]))
        if len(X) == 0:
            return Attribution(np.zeros(X.shape), base, METHOD, additive=True)
        found = np.asarray(explainer.shap_values(X, check_additivity=False), np.float64)
        return Attribution(found.reshape(X.shape), base, METHOD, additive=True)


def tree_dicts(trees: Trees, values: npt.NDArray[np.float64]) -> dict[str, Any]:
    """Return the forest with leaf values ``values`` as the shap library takes it."""
    return {
        "trees": [_tree_dict(trees, t, values[t]) for t in range(len(trees))],
        "internal_dtype": np.float64,
        "input_dtype": np.float32,
    }


def _tree_dict(trees: Trees, t: int, values: npt.NDArray[np.float64]) -> dict[str, Any]:
    there = np.flatnonzero(trees.cover[t] > 0)
    if len(there) == 0:  # not grown yet
        there = np.zeros(1, np.int64)
    place = np.full(trees.nodes, -1)
    place[there] = np.arange(len(there))
    leaf = trees.feature[t, there] == LEAF
    left = np.where(leaf, -1, place[np.where(leaf, 0, 2 * there + 1)])
    right = np.where(leaf, -1, place[np.where(leaf, 0, 2 * there + 2)])
    return {
        "children_left": left,
        "children_right": right,
        "children_default": np.where(trees.missing_left[t, there], left, right),
        "features": np.where(leaf, 0, trees.feature[t, there]),
        "thresholds": trees.threshold[t, there],
        "values": np.where(leaf, values[there], 0.0)[:, np.newaxis],
        "node_sample_weight": np.maximum(trees.cover[t, there].astype(np.float64), 1e-9),
    }
