"""AAD, active anomaly discovery.

Das, Wong, Dietterich, Fern, Emmott: Incorporating Expert Feedback into Active Anomaly Discovery
(ICDM 2016); with an isolation forest: Das, Islam, Jayakodi, Doppa (JAIR 2024).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from detectors.base import Matrix, Vector
from streaming.evaluate.pool import whole_forest

TREES = 100  # the paper's forest, of 256 rows each
TAU = 0.03  # share of the items that are taken for anomalous
SIGMA2 = 0.5  # of the prior on the weights
RATE, EPOCHS = 1e-3, 1000  # RMSProp
DECAY, TINY = 0.9, 1e-8
ENOUGH = 1e-6  # change of the loss at which the descent ends

Ints = npt.NDArray[np.int64]


class AAD:
    """Isolation forest with a weight per leaf, fitted to all answers by a hinge loss.

    ``z(x)`` holds minus the path length at each of x's leaves, scaled to length 1; the score is
    ``w z(x)`` with ``|w| = 1``, uniform at first. With q the (1 - tau) quantile of the scores and
    x' the item there, after each answer ::

        L(w) = mean over anomalies of (q - w z)+ + (w z' - w z)+
             + mean over the others of (w z - q)+ + (w z - w z')+
             + 1 / (2 sigma^2 |H|) |w - w_uniform|^2

    is brought down by RMSProp and w scaled back to length 1.
    """

    def __init__(self, X: Matrix, seed: int, trees: int = TREES) -> None:
        forest = whole_forest(X, seed, trees)
        leaves = forest.leaves(X).astype(np.int64)
        depth = forest.path_length[np.arange(trees), leaves]
        _, places = np.unique(leaves + forest.nodes * np.arange(trees), return_inverse=True)
        self._leaves: Ints = places.reshape(leaves.shape)
        self._z = -depth / np.linalg.norm(depth, axis=1, keepdims=True)
        count = int(self._leaves.max()) + 1
        self._uniform = 1.0 / np.sqrt(count)
        self._w = np.full(count, self._uniform)
        self._told: list[int] = []
        self._real: list[bool] = []

    def scores(self) -> Vector:
        """See ``Learner``."""
        total: Vector = (self._w[self._leaves] * self._z).sum(axis=1)
        return total

    def tell(self, item: int, real: bool) -> None:
        """See ``Learner``."""
        self._told.append(item)
        self._real.append(real)
        scores = self.scores()
        rank = max(1, round(TAU * len(scores)))
        border = int(np.argsort(-scores, kind="stable")[min(rank, len(scores) - 1)])
        self._descend(float(np.quantile(scores, 1 - rank / len(scores))), border)

    def _descend(self, q: float, border: int) -> None:
        rows = np.array([*self._told, border])
        used, place = np.unique(self._leaves[rows], return_inverse=True)
        place, z = place.reshape(len(rows), -1), self._z[rows]
        real = np.array(self._real)
        share = np.where(real, 1 / max(1, real.sum()), 1 / max(1, (~real).sum()))
        sign = np.where(real, -1.0, 1.0)  # of the score's part in the loss
        w, speed, before = self._w[used], np.zeros(len(used)), np.inf
        for _ in range(EPOCHS):
            s = (w[place] * z).sum(axis=1)
            over_q, over_border = sign * (s[:-1] - q), sign * (s[:-1] - s[-1])
            off = w - self._uniform
            loss = share @ (np.maximum(over_q, 0) + np.maximum(over_border, 0))
            loss += off @ off / (2 * SIGMA2 * len(real))
            if abs(before - loss) < ENOUGH:
                break
            before = loss
            pull = share * sign * ((over_q > 0).astype(float) + (over_border > 0))
            pull_border = -(share * sign * (over_border > 0)).sum()
            amount = np.append(pull, pull_border)[:, None] * z
            gradient = np.bincount(place.ravel(), amount.ravel(), len(used))
            gradient += off / (SIGMA2 * len(real))
            speed = DECAY * speed + (1 - DECAY) * gradient**2
            w = w - RATE * gradient / (np.sqrt(speed) + TINY)
        self._w[used] = w
        self._w /= np.linalg.norm(self._w)
