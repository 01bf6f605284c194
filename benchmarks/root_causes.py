"""How often an explanation names the true causes, on server metrics that experts have explained.

``asd_12servers`` of the data folder: 12 servers, 77 anomalous segments with the metrics that caused
them. Each segment's rows are explained by models of the server's 2,048 ticks before the segment,
the absolute contributions are averaged over the segment and ranked. HitRate@P % (Su et al., 2019):
of a segment with n causes, the share of them among the first P % of n metrics of the ranking.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import shap
from sklearn.ensemble import IsolationForest as Peer

from detectors.base import Matrix, Vector
from detectors.explain.tree_shap import TreeShap
from detectors.trees import Trees
from streaming.evaluate.table import read_table

WINDOW = 2048
SUBSAMPLE = 256
TREES = 100

Ranker = Callable[[Matrix, Matrix, int], Vector]
"""Takes a window, the rows to explain and a seed; returns how much each column contributed."""


@dataclass(frozen=True, slots=True)
class Segment:
    """An anomaly: the rows before it, its rows, the columns that caused it."""

    before: Matrix
    rows: Matrix
    causes: frozenset[int]


def segments(folder: Path) -> Sequence[Segment]:
    """Read the explained segments."""
    table = read_table(folder / "asd_12servers.parquet")
    metrics = [name for name in table.column_names if name.startswith("f")]
    X = np.column_stack([table[name].to_numpy() for name in metrics]).astype(np.float32)
    series = np.array(table["series"].to_pylist())
    tick = table["t"].to_numpy()
    found = []
    with (folder / "asd_12servers_explanations.csv").open(newline="") as file:
        for line in csv.DictReader(file):
            own = series == line["series"]
            time, rows = tick[own], X[own]
            first = int(np.searchsorted(time, int(line["t_start"])))
            last = int(np.searchsorted(time, int(line["t_end"]), side="right"))
            causes = frozenset(metrics.index(n) for n in line["root_cause_features"].split())
            found.append(Segment(rows[max(0, first - WINDOW) : first], rows[first:last], causes))
    return found


def ours(window: Matrix, rows: Matrix, seed: int) -> Vector:
    """Rank by the exact SHAP values of our trees."""
    trees = _trees(window, seed)
    return _strength(TreeShap(trees).values(rows, trees.values))


def peer(window: Matrix, rows: Matrix, seed: int) -> Vector:
    """Rank by the shap library's values of scikit-learn's forest."""
    model = Peer(n_estimators=TREES, max_samples=SUBSAMPLE, random_state=seed).fit(window)
    return _strength(shap.TreeExplainer(model).shap_values(rows, check_additivity=False))


def path_weights(window: Matrix, rows: Matrix, seed: int) -> Vector:
    """Rank as local DIFFI does (Carletti et al., 2023): short paths credit what they tested."""
    trees = _trees(window, seed)
    credit = np.zeros((len(rows), rows.shape[1]))
    tests = np.zeros((len(rows), rows.shape[1]))
    each = np.arange(len(rows))
    for t, leaf in enumerate(trees.leaves(rows).T):
        depth = np.floor(np.log2(leaf + 1.0))
        weight = 1.0 / np.maximum(depth, 1.0) - 1.0 / trees.depth
        node = leaf
        while (inner := node > 0).any():
            node = np.where(inner, (node - 1) // 2, 0)
            np.add.at(credit, (each[inner], trees.feature[t, node[inner]]), weight[inner])
            np.add.at(tests, (each[inner], trees.feature[t, node[inner]]), 1.0)
    return _strength(credit / np.maximum(tests, 1.0))


def deviation(window: Matrix, rows: Matrix, _seed: int) -> Vector:
    """Rank by how many standard deviations of the window a value is away from its mean."""
    spread = window.std(axis=0, dtype=np.float64)
    return _strength((rows - window.mean(axis=0, dtype=np.float64)) / np.maximum(spread, 1e-9))


def outside(window: Matrix, rows: Matrix, _seed: int) -> Vector:
    """Rank by how far a value lies outside of its usual range, in widths of the range.

    The board shows this beside the contributions: 5 % and 95 % quantile of the window.
    """
    low, high = np.quantile(window, [0.05, 0.95], axis=0)
    beyond = np.maximum(np.maximum(low - rows, rows - high), 0.0)
    return _strength(beyond / np.maximum(high - low, 1e-3))


def chance(_window: Matrix, rows: Matrix, seed: int) -> Vector:
    """Rank by chance."""
    return np.random.default_rng(seed).random(rows.shape[1:])


RANKERS: dict[str, Ranker] = {
    "ours": ours,
    "sklearn_shap": peer,
    "diffi": path_weights,
    "z_score": deviation,
    "usual_range": outside,
    "random": chance,
}


def hit_rates(found: Sequence[Segment], rank: Ranker, seeds: Sequence[int]) -> dict[str, float]:
    """Return top-1 hits and HitRate@100 % and @150 %, means over segments and seeds."""
    hits: dict[str, list[float]] = {"top_1": [], "hit_100": [], "hit_150": []}
    for seed in seeds:
        for segment in found:
            order = np.argsort(-rank(segment.before, segment.rows, seed), kind="stable").tolist()
            count = len(segment.causes)
            hits["top_1"].append(float(order[0] in segment.causes))
            for name, share in (("hit_100", 1.0), ("hit_150", 1.5)):
                named = segment.causes.intersection(order[: int(share * count)])
                hits[name].append(len(named) / count)
    return {name: round(float(np.mean(values)), 3) for name, values in hits.items()}


def _trees(window: Matrix, seed: int) -> Trees:
    trees = Trees(TREES, window.shape[1], 8)
    trees.grow(np.ascontiguousarray(window), min(SUBSAMPLE, len(window)), seed, 0, TREES)
    return trees


def _strength(values: npt.NDArray[np.floating]) -> Vector:
    strength: Vector = np.abs(values).mean(axis=0, dtype=np.float64)
    return strength
