"""The ways to explain a forest, by the name that a stream's config uses."""

from __future__ import annotations

import importlib
from typing import Protocol

import numpy as np
import numpy.typing as npt

from detectors.arrays import Matrix
from detectors.base import Attribution, ConfigError
from detectors.trees import Trees

METHODS = {
    "tree_shap": "TreeShap",
    "shap_library": "ShapLibrary",
}
"""Name of the module in this folder = name in the config, and its class."""


class TreeExplainer(Protocol):
    """Explains sums over the leaves of one forest; follows it as its trees are replaced."""

    def explain(self, X: Matrix, values: npt.NDArray[np.float64]) -> Attribution:
        """Attribute ``trees.sums(X, values)`` to the features."""
        ...


def explainer(method: str, trees: Trees) -> TreeExplainer:
    """Return the explainer called ``method`` for ``trees``; imports only that one."""
    if method not in METHODS:
        known = ", ".join(METHODS)
        raise ConfigError(f"explanations: {method!r} is unknown; there are {known}")
    module = importlib.import_module(f"detectors.explain.{method}")
    made: TreeExplainer = getattr(module, METHODS[method])(trees)
    return made
