"""How fast a learner finds the real anomalies of a pool when it is told what it looks at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans

from benchmarks.loop.learners import Learner
from detectors.base import Matrix

RECALLS = (0.5, 0.8, 0.95)
ITEMS_PER_CLUSTER = 30  # of the errors that go together

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pool:
    """Items whose truth is known."""

    name: str
    X: Matrix
    real: Flags


@dataclass(frozen=True, slots=True)
class Errors:
    """How often an analyst answers wrongly; ``together``: alike items get the same wrong answer.

    With the same rate, errors that go together teach the wrong thing about a whole region. Looks go
    round ``readers``, each of whom is wrong about other items.
    """

    rate: float = 0.0
    together: bool = False
    readers: int = 1

    def draw(self, X: Matrix, seed: int) -> Sequence[Flags]:
        """Return for each reader which items would be answered wrongly."""
        group = _alike(X, seed) if self.together and self.rate else np.arange(len(X))
        draws = [[seed, 7], *([seed, 7, reader] for reader in range(1, self.readers))]
        chances = [np.random.default_rng(one).random(int(group.max()) + 1) for one in draws]
        return [(chance < self.rate)[group] for chance in chances]


def _alike(X: Matrix, seed: int) -> npt.NDArray[np.int32]:
    """Return for each item the number of its group of alike ones."""
    scaled = (X - np.nanmean(X, axis=0)) / (np.nanstd(X, axis=0) + 1e-9)
    groups = max(2, len(X) // ITEMS_PER_CLUSTER)
    model = KMeans(min(groups, 200), n_init=1, max_iter=20, random_state=seed)
    found: npt.NDArray[np.int32] = model.fit_predict(np.nan_to_num(scaled))
    return found


def discover(
    make: Callable[[Matrix, int], Learner],
    pool: Pool,
    budget: int,
    seed: int,
    errors: Errors = Errors(),
) -> Flags:
    """Return of each look, in order, whether the item was a real anomaly, whatever was answered.

    A learner that has nothing left to show ends early; the rest of its looks find nothing.
    """
    order = np.random.default_rng(seed).permutation(len(pool.X))
    X, real = pool.X[order], pool.real[order]
    wrong = errors.draw(X, seed)
    learner = make(X, seed)
    told, hits = np.zeros(len(X), bool), np.zeros(budget, bool)
    for look in range(min(budget, len(X))):
        scores = np.where(told, -np.inf, learner.scores())
        item = int(np.argmax(scores))
        if np.isneginf(scores[item]):
            break
        told[item], hits[look] = True, real[item]
        learner.tell(item, bool(real[item] != wrong[look % errors.readers][item]))
    return hits


def area(hits: Flags, anomalies: int) -> float:
    """Return the area under the discovery curve, 1 = every look finds one while there are any."""
    found = np.cumsum(hits)
    best = np.minimum(np.arange(1, len(hits) + 1), anomalies)
    return float(found.mean() / best.mean())


def labels_per_anomaly(hits: Flags, anomalies: int) -> Mapping[str, float | None]:
    """Return looks per real anomaly found when a share of all was found; None if it wasn't."""
    found = np.cumsum(hits)
    out: dict[str, float | None] = {}
    for recall in RECALLS:
        wanted = int(np.ceil(recall * anomalies))
        reached = np.flatnonzero(found >= wanted)
        out[f"{recall:.0%}"] = round((int(reached[0]) + 1) / wanted, 2) if len(reached) else None
    return out


def mean_labels_per_anomaly(hits: Sequence[Flags], anomalies: int) -> Mapping[str, float | None]:
    """Return the mean over seeds of looks per real anomaly; None where any seed falls short."""
    each = [labels_per_anomaly(one, anomalies) for one in hits]
    out: dict[str, float | None] = {}
    for name in each[0]:
        reached = [one[name] for one in each]
        known = [value for value in reached if value is not None]
        out[name] = round(float(np.mean(known)), 2) if len(known) == len(reached) else None
    return out
