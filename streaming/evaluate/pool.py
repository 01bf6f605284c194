"""``triage evaluate --mode pool``: one ranking of a whole file, one item at a time.

The setting of the published figures on learning from feedback: all items are there from the start,
the analyst is shown the top one not yet seen, answers, and the ranking changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from detectors.base import Matrix, Vector
from detectors.learning.label_model import bounds, cell_table
from detectors.learning.laplace import Answers, find_mode
from detectors.learning.leaf_kernel import leaf_sums, shared_leaves
from detectors.online.isolation_forest import IsolationForest
from detectors.trees import Trees
from streaming.errors import SourceInvalid
from streaming.evaluate.measures import average_precision, found_at, roc_auc, rounded

TREES = 300  # three times a stream's: all is there at once, and chance moves the figures less
SUBSAMPLE = 256
PRIOR_SHIFT = 2.5
"""Less than a stream's: in a pool of the public sets 1 to 5 % are anomalies."""


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """How the pool is asked.

    Attributes:
        budget: labels in all. ``error``: probability of a wrong answer.
        feedback: learn from the answers; else the ranking stays as it is.
        kappa: as in a stream's config.
        config: what the features come from, for the result (``all`` or a config's version).
    """

    budget: int = 100
    error: float = 0.0
    seed: int = 0
    feedback: bool = True
    kappa: float = 40.0
    config: str = "all"

    def __post_init__(self) -> None:
        if self.budget < 1:
            raise ValueError(f"budget must be at least 1, not {self.budget}")
        if not 0.0 <= self.error <= 1.0:
            raise ValueError(f"error is a probability, not {self.error}")


def evaluate_pool(
    X: Matrix,
    truth: npt.NDArray[np.int8],
    settings: PoolSettings,
    clock: Callable[[], float],
    progress: Callable[[int], None] = lambda asked: None,
) -> dict[str, Any]:
    """Ask for the top item's label until the budget is spent; return the result as JSON-able dict.

    Args:
        X: items x features.
        truth: 1 anomaly, 0 normal; items with -1 (not known) are left out.
        settings: how to ask.
        clock: seconds, for ``events_per_second`` only.
        progress: told the number of labels given, after each.

    Raises:
        SourceInvalid: there is no item whose truth is known.
    """
    started = clock()
    known = truth >= 0
    if not known.any():
        raise SourceInvalid("no row of the source is good and has a label of 0 or 1")
    rng = np.random.default_rng(settings.seed)
    order = rng.permutation(np.flatnonzero(known))  # equal scores are asked in no file's order
    pool = Pool(X[order], settings)
    is_anomaly = truth[order] == 1
    wrong = rng.random(len(order)) < settings.error
    budget = min(settings.budget, len(order))
    hits: list[bool] = []
    for asked in range(budget):
        item = pool.top()
        hits.append(bool(is_anomaly[item]))
        pool.tell(item, float(is_anomaly[item] != wrong[item]))
        progress(asked + 1)
    seconds = max(clock() - started, 1e-9)
    unseen = ~pool.asked
    return {
        "found": found_at(hits, settings.budget),
        "found_by_propagation": 0,
        "looks": budget,
        "labels": budget,
        "items": len(order),
        "anomalies": int(is_anomaly.sum()),
        "precision": rounded(sum(hits) / max(budget, 1)),
        "auc": rounded(roc_auc(pool.before, is_anomaly)),
        "ap": rounded(average_precision(pool.before, is_anomaly)),
        "ap_unseen": rounded(average_precision(pool.before[unseen], is_anomaly[unseen])),
        "events_per_second": round(len(order) / seconds, 1),
        "seed": settings.seed,
        "config": settings.config,
    }


class Pool:
    """Items ranked by a forest of their own and the labels given so far.

    Attributes:
        asked: which items were asked about.
        before: each item's margin before anything was learned from the item itself.
    """

    def __init__(self, X: Matrix, settings: PoolSettings) -> None:
        rows = np.ascontiguousarray(X, np.float32)
        self._settings = settings
        trees = whole_forest(rows, settings.seed)
        self._shape = trees.values.shape
        self._leaves = trees.leaves(rows)  # of all items: the trees stay as they are
        scores = leaf_sums(self._leaves, trees.values)
        self._prior: Vector = (scores - scores.mean()) / (scores.std() or 1.0) - PRIOR_SHIFT
        self._items: list[int] = []
        self._answers: list[float] = []
        self._alpha = np.empty(0)
        self._gram = np.empty((0, 0))
        self.asked = np.zeros(len(X), bool)
        self.before = self._prior.copy()

    def top(self) -> int:
        """Return the item with the largest margin among those not asked about."""
        return int(np.argmax(np.where(self.asked, -np.inf, self.before)))

    def tell(self, item: int, y: float) -> None:
        """Take an answer in and rank anew."""
        self.asked[item] = True
        if not self._settings.feedback:
            return
        self._items.append(item)
        self._answers.append(y)
        asked = self._leaves[self._items]
        self._gram = _bordered(self._gram, shared_leaves(asked[-1:], asked)[0])
        told, prior = np.array(self._answers), self._prior[self._items]
        weight, kappa = np.ones(len(told)), self._settings.kappa
        bound = bounds(told, weight, prior, self._gram, kappa)
        mode = find_mode(
            self._gram,
            prior,
            Answers(told, weight, bound),
            kappa,
            np.append(self._alpha, 0.0),
        )
        self._alpha = mode.alpha
        table = cell_table(asked, mode.alpha, kappa, self._shape)
        margins = self._prior + leaf_sums(self._leaves, table)
        self.before = np.where(self.asked, self.before, margins)


def whole_forest(X: Matrix, seed: int, trees: int = TREES) -> Trees:
    """Return the trees of the product's forest, its window the whole file."""
    names = [str(column) for column in range(X.shape[1])]
    rows = max(len(X), SUBSAMPLE)
    whole = {"window": rows, "subsample": SUBSAMPLE, "trees": trees, "replace": trees}
    forest = IsolationForest(names, IsolationForest.Params.model_validate(whole), seed)
    forest.learn_many(X)
    return forest.trees


def _bordered(gram: npt.NDArray[np.float64], last: Vector) -> npt.NDArray[np.float64]:
    """Return the matrix with one more row and column."""
    out = np.empty((len(last), len(last)))
    out[:-1, :-1] = gram
    out[-1, :] = out[:, -1] = last
    return out
