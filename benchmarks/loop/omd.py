"""OMD, online mirror descent.

Siddiqui, Fern, Dietterich, Wright, Theriault, Archer: Feedback-Guided Anomaly Discovery via Online
Optimization (KDD 2018).
"""

from __future__ import annotations

import numpy as np

from detectors.base import Matrix, Vector
from streaming.evaluate.pool import whole_forest

TREES = 100  # the paper's forest, of 256 rows each
ETA = 1.0  # learning rate of the authors' recommended run


class OMD:
    """Isolation forest with a weight per edge, moved by online mirror descent.

    The score is ``-sum of w_e`` over the edges of an item's paths; all ``w_e`` are 1 at first (the
    edge into a leaf also carries what its unsplit rows would add), so it is the forest's. The loss
    of an answer is linear, ``y * sum of w_e`` with ``y`` 1 for an anomaly and -1 else; with the
    squared norm as regulariser its mirror descent is ``w_e -= eta * y`` over the item's paths, and
    ``w_e >= 0`` is kept by projection.
    """

    def __init__(self, X: Matrix, seed: int, trees: int = TREES) -> None:
        forest = whole_forest(X, seed, trees)
        self._leaves = forest.leaves(X)
        nodes = np.arange(forest.nodes)
        depth = np.floor(np.log2(nodes + 1))
        is_leaf = forest.path_length > 0
        self._weights = np.where(is_leaf, 1.0 + forest.path_length - depth, 1.0)
        self._weights[:, 0] = 0.0  # no edge leads to the root
        self._levels = forest.depth

    def scores(self) -> Vector:
        """See ``Learner``."""
        sums = self._weights.copy()  # of the weights from the root to each node
        for level in range(1, self._levels + 1):
            nodes = np.arange(2**level - 1, 2 ** (level + 1) - 1)
            sums[:, nodes] += sums[:, (nodes - 1) // 2]
        total: Vector = -sums[np.arange(len(sums)), self._leaves].sum(axis=1)
        return total

    def tell(self, item: int, real: bool) -> None:
        """See ``Learner``."""
        step = -ETA if real else ETA
        trees, node = np.arange(len(self._weights)), self._leaves[item].astype(np.int64)
        while (inside := node > 0).any():
            moved = self._weights[trees[inside], node[inside]] + step
            self._weights[trees[inside], node[inside]] = np.maximum(moved, 0.0)
            node = np.where(inside, (node - 1) // 2, 0)
