"""Quality of a ranking, from scores and truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]
Truth = npt.NDArray[np.bool_]

LOOKED_AT = (10, 20, 50, 100, 200, 300, 600, 1000, 1500)
"""Numbers of labels at which found anomalies are counted."""


def roc_auc(scores: Scores, truth: Truth) -> float | None:
    """Return the probability that an anomaly scores above a normal item; None without both."""
    positives = int(truth.sum())
    negatives = len(truth) - positives
    if not positives or not negatives:
        return None
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[place]  # equal scores share their mean rank
    above = float(ranks[truth].sum()) - positives * (positives + 1) / 2.0
    return above / (positives * negatives)


def average_precision(scores: Scores, truth: Truth) -> float | None:
    """Return the mean precision at each anomaly found, equal scores at once; None without any."""
    positives = int(truth.sum())
    if not positives:
        return None
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(truth[order])
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)  # of equal scores
    found = hits[last]
    precision = found / (last + 1)
    return float(np.sum(np.diff(np.append(0, found)) * precision) / positives)


def found_at(hits: Sequence[bool], budget: int) -> Mapping[str, int]:
    """Return labels given -> anomalies among them, at ``LOOKED_AT`` and at the budget.

    ``hits``: of each label given, in order, whether the item was an anomaly.
    """
    total = np.append(0, np.cumsum(np.array(hits, dtype=np.int64)))
    points = sorted({point for point in LOOKED_AT if point < budget} | {budget})
    return {str(point): int(total[min(point, len(hits))]) for point in points}


def rounded(value: float | None) -> float | None:
    """Return the value with five decimals, as results are printed."""
    return None if value is None else round(value, 5)
