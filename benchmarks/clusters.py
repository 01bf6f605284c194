"""Leader clustering beside river's DBSTREAM, on 10,000 candidates of a labelled network stream.

``python -m benchmarks.clusters``. The 10,000 most anomalous of the KDD Cup 1999 connections in file
order, as unit-length SHAP vectors; entity and time are left out (the set has none), so directions
alone are compared. DBSTREAM is asked for all clusters after it has learned all rows, the leader
clusterer decides at once. Homogeneity: do clusters hold one kind of connection each (21 attacks and
normal)? F1: of attack or not, if every cluster got the verdict of its majority. The last line is
one line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet
from river.cluster import DBSTREAM
from sklearn.metrics import homogeneity_score

from detectors.clustering.leader import ClusteringSettings, Item, LeaderClusterer, exact_key
from detectors.explain.tree_shap import TreeShap
from detectors.online.isolation_forest import IsolationForest
from streaming.evaluate.table import read_labelled

CANDIDATES = 10_000
SLOW_FADING = {"fading_factor": 1e-4, "cleanup_interval": 100}  # forgets over 10,000 rows, not 100
DATA = Path(os.environ.get("TRIAGE_DATA") or Path(__file__).parents[1] / "../shared/data").resolve()
FILE = DATA / "kdd99_stream.parquet"

Directions = npt.NDArray[np.float64]
Clusters = Sequence[Any]


def candidates() -> tuple[Directions, npt.NDArray[Any], npt.NDArray[np.bool_], tuple[str, ...]]:
    """Return contributions, kind, whether it is an attack, and the features' names."""
    table = read_labelled(FILE, "label")
    kinds = np.array(pyarrow.parquet.read_table(FILE)["label_kind"].to_pylist()).astype(str)
    params = IsolationForest.Params(window=len(table.X))
    forest = IsolationForest(table.names, params, seed=1)
    forest.learn_many(table.X)
    scores = forest.score_many(table.X)
    top = np.sort(np.argsort(-scores, kind="stable")[:CANDIDATES])
    values = TreeShap(forest.trees).values(table.X[top], forest.trees.values)
    return values, kinds[top], table.truth[top] == 1, table.names


def leader(similarity: float) -> Callable[[Directions], Clusters]:
    """Cluster by our leader clusterer, any pause and size allowed."""
    settings = ClusteringSettings(similarity=similarity, gap="52w", max_size=100_000)

    def run(directions: Directions) -> Clusters:
        clusterer = LeaderClusterer(settings)
        return [
            clusterer.assign(Item(str(i), row, {}, str(i), float(i)), str(i)).cluster_id
            for i, row in enumerate(directions)
        ]

    return run


def by_key(names: tuple[str, ...]) -> Callable[[Directions], Clusters]:
    """Cluster by the exact key alone: the three strongest features with their signs."""
    settings = ClusteringSettings(gap="52w")

    def run(directions: Directions) -> Clusters:
        return [
            exact_key("", "forest", dict(zip(names, row, strict=True)), 0.0, settings)
            for row in directions.tolist()
        ]

    return run


def dbstream(threshold: float, **params: float) -> Callable[[Directions], Clusters]:
    """Cluster by river's DBSTREAM on unit vectors: learn all, then ask for the cluster of each."""

    def run(directions: Directions) -> Clusters:
        model: Any = DBSTREAM(clustering_threshold=threshold, **params)
        units = directions / np.linalg.norm(directions, axis=1, keepdims=True)
        rows = [dict(enumerate(row)) for row in units.tolist()]
        for row in rows:
            model.learn_one(row)
        return [model.predict_one(row) for row in rows]

    return run


def f1_of_majorities(place: npt.NDArray[np.intp], attack: npt.NDArray[np.bool_]) -> float:
    share = np.bincount(place, weights=attack) / np.bincount(place)
    called = share[place] > 0.5
    return float(2 * (called & attack).sum() / (called.sum() + attack.sum()))


def main() -> int:
    if not FILE.is_file():
        print(f"clusters: no data folder with {FILE.name} (TRIAGE_DATA): skipped")
        print(json.dumps({"skipped": FILE.name}))
        return 0
    directions, kinds, attack, names = candidates()
    methods = {
        "leader, cosine 0.9": leader(0.9),
        "leader, cosine 0.95": leader(0.95),
        "leader, cosine 0.8": leader(0.8),
        "three strongest features": by_key(names),
        "DBSTREAM 0.447 (cosine 0.9), defaults": dbstream(0.447),
        "DBSTREAM 0.447, fading 1e-4": dbstream(0.447, **SLOW_FADING),
        "DBSTREAM 0.3, fading 1e-4": dbstream(0.3, **SLOW_FADING),
        "DBSTREAM 0.2, fading 1e-4": dbstream(0.2, **SLOW_FADING),
    }
    leader(0.9)(directions[:100])  # compiles the kernels
    print(f"{len(attack)} candidates, {attack.sum()} attacks, {len(set(kinds))} kinds")
    print(f"{'method':40}{'clusters':>10}{'homogeneity':>13}{'F1':>7}{'us/row':>9}")
    result = {}
    for name, method in methods.items():
        started = time.perf_counter()
        clusters = method(directions)
        micros = (time.perf_counter() - started) / len(directions) * 1e6
        place = np.unique(np.array([str(c) for c in clusters]), return_inverse=True)[1]
        homogeneity, f1 = float(homogeneity_score(kinds, place)), f1_of_majorities(place, attack)
        count = int(place.max()) + 1
        print(f"{name:40}{count:>10}{homogeneity:>13.3f}{f1:>7.3f}{micros:>9.1f}", flush=True)
        result[name] = {
            "clusters": count,
            "homogeneity": round(homogeneity, 4),
            "f1": round(f1, 4),
            "us_per_row": round(micros, 1),
        }
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
