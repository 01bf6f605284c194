"""The forest alone: speed and average precision beside two peers, memory, snapshots, refits.

``make bench-forest``. Prequential: a block of 1,024 is scored, then learned; 100 trees, a window of
2,048 rows, ten trees replaced per block. scikit-learn's forest of the same size is fitted anew on
the same window at every block; river's HalfSpaceTrees with its defaults behind a min-max scaler
takes events one by one. One core, processor time, interleaved rounds on ten generated numbers,
medians. Average precision leaves out the first 2,048 events. ``refit_ms`` is what a verdict costs:
1,000 labels fitted, then 20,000 open items scored and put in order. The last line is one line of
JSON.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import threadpoolctl
from river import anomaly, compose, preprocessing
from sklearn.ensemble import IsolationForest as Peer
from sklearn.metrics import average_precision_score

from benchmarks.pipeline import FEATURES, generated_rows
from detectors.base import Matrix, Vector
from detectors.learning.label_model import Labels
from detectors.learning_settings import LearningSettings
from detectors.model import StreamModel
from detectors.online.isolation_forest import IsolationForest
from detectors.state import pack, unpack
from streaming.evaluate.table import read_labelled

BLOCK = 1024
WINDOW = 2048
WARM_UP = 2048
ROUNDS = 5
EVENTS = {"forest": 200_000, "river": 20_000, "sklearn": 20_480}  # per round, by speed
SETS = ("adb_cover", "adb_http", "adb_smtp", "kdd99_stream")
SET_EVENTS = 50_000
SEEDS = range(3)
MANY = 5_000_000
LABELS = 1_000
OPEN = 20_000
DATA = Path(os.environ.get("TRIAGE_DATA") or Path(__file__).parents[1] / "../shared/data").resolve()

Precisions = dict[str, dict[str, float]]
"""Set -> who -> average precision."""

Run = Callable[[Matrix, int], Vector]
"""Takes rows and a seed; returns a score per row, given before it was learned."""


def forest(X: Matrix, seed: int) -> Vector:
    """Run ours."""
    return feed(IsolationForest([f"x{i}" for i in range(X.shape[1])], seed=seed), X)


def feed(detector: IsolationForest, X: Matrix) -> Vector:
    """Score and learn the rows block by block."""
    scores = []
    for start in range(0, len(X), BLOCK):
        block = X[start : start + BLOCK]
        scores.append(detector.score_many(block))
        detector.learn_many(block)
    return np.concatenate(scores)


def sklearn(X: Matrix, seed: int) -> Vector:
    """Run scikit-learn's forest, fitted anew at every block."""
    scores, model = [], None
    for start in range(0, len(X), BLOCK):
        block = X[start : start + BLOCK]
        scores.append(-model.score_samples(block) if model else np.zeros(len(block)))
        window = X[max(0, start + len(block) - WINDOW) : start + len(block)]
        size = min(256, len(window))
        model = Peer(n_estimators=100, max_samples=size, random_state=seed + start).fit(window)
    return np.concatenate(scores)


def river(X: Matrix, seed: int) -> Vector:
    """Run river's half-space trees; making the dicts it takes is part of its price."""
    model = compose.Pipeline(preprocessing.MinMaxScaler(), anomaly.HalfSpaceTrees(seed=seed))
    scores = []
    for row in X.tolist():
        event = dict(enumerate(row))
        scores.append(model.score_one(event))
        model.learn_one(event)
    return np.array(scores, np.float64)


RUNS: dict[str, Run] = {"forest": forest, "river": river, "sklearn": sklearn}


def speed() -> dict[str, float]:
    """Return events per second of each, and how many times a peer's ours is."""
    found: dict[str, list[float]] = {name: [] for name in RUNS}
    for round_ in range(ROUNDS + 1):
        X = generated_rows(max(EVENTS.values()), round_)[0].astype(np.float32)
        for name, run in RUNS.items():
            rows = X[: EVENTS[name] if round_ else 2 * BLOCK]  # the first round compiles
            started = time.process_time()
            run(rows, round_)
            found[name].append(len(rows) / (time.process_time() - started))
    result = {f"{name}_eps": float(round(statistics.median(v[1:]))) for name, v in found.items()}
    for name in ("river", "sklearn"):
        pairs = zip(found["forest"][1:], found[name][1:], strict=True)
        result[f"times_{name}"] = round(statistics.median(a / b for a, b in pairs), 1)
    return result


def precisions() -> Precisions:
    """Return average precision on public streams, means over seeds (``adb_*`` are shuffled)."""
    result: Precisions = {}
    for name in SETS:
        path = DATA / f"{name}.parquet"
        if not path.is_file():
            print(f"  {name}: not in the data folder (TRIAGE_DATA), skipped")
            continue
        table = read_labelled(path, "label")
        found: dict[str, list[float]] = {each: [] for each in RUNS}
        for seed in SEEDS:
            rows = np.arange(len(table.X))
            if name.startswith("adb_"):
                rows = np.random.default_rng(seed).permutation(rows)
            rows = rows[:SET_EVENTS]
            X = np.nan_to_num(table.X[rows])
            truth: npt.NDArray[np.bool_] = table.truth[rows] == 1
            for each, run in RUNS.items():
                scores = run(X, seed)
                found[each].append(average_precision_score(truth[WARM_UP:], scores[WARM_UP:]))
        result[name] = {each: round(float(np.mean(values)), 4) for each, values in found.items()}
        print(f"  {name:14} {result[name]}", flush=True)
    return result


def memory_growth() -> float:
    """Return by how many megabytes the process grows over 5 million events."""
    X = generated_rows(100 * BLOCK, 0)[0].astype(np.float32)
    detector = IsolationForest([f"x{i}" for i in range(FEATURES)], seed=0)
    feed(detector, X)
    before = _resident()
    for _ in range(MANY // len(X)):
        feed(detector, X)
    return round((_resident() - before) / 1e6, 1)


def states() -> dict[str, float]:
    """Return what a snapshot, its restoring and a refit cost, in milliseconds; medians."""
    X, truth = generated_rows(60 * BLOCK, 1)
    rows = X.astype(np.float32)
    names = [f"x{i}" for i in range(FEATURES)]
    model = StreamModel(IsolationForest(names, seed=1), LearningSettings(max_labels=LABELS), 1)
    margins = []
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        scored = model.score(block)
        model.learn(block, scored.z, scored.margin)
        margins.append(scored.margin)
    strangest = np.argsort(-np.concatenate(margins))
    asked = strangest[:LABELS]
    labels = Labels(
        [str(i) for i in asked.tolist()],
        rows[asked],
        truth[asked].astype(np.float64),
        np.ones(LABELS),
    )
    items = rows[strangest[:OPEN]]
    detector = model.detector
    found: dict[str, list[float]] = {"snapshot_ms": [], "restore_ms": [], "refit_ms": []}
    for _ in range(ROUNDS + 1):
        started = time.process_time()
        blob = pack(detector.snapshot())
        found["snapshot_ms"].append(time.process_time() - started)
        fresh = IsolationForest(names, seed=1)
        started = time.process_time()
        fresh.restore(unpack(blob))
        found["restore_ms"].append(time.process_time() - started)
        model.set_labels(Labels.none(FEATURES), 1)  # equal labels would not be fitted again
        started = time.process_time()
        model.set_labels(labels, 1)
        np.argsort(-model.margins(items))
        found["refit_ms"].append(time.process_time() - started)
    return {name: round(1000 * statistics.median(values[1:]), 1) for name, values in found.items()}


def aims(result: Mapping[str, object], ap: Precisions) -> Mapping[str, object]:
    """Return the figures that the project wants to be judged by, under plain names."""
    return {
        "forest, events per second": result["forest_eps"],
        "forest, times scikit-learn's window refit": result["times_sklearn"],
        "forest, times river HalfSpaceTrees": result["times_river"],
        **{f"forest, average precision, {name}": of["forest"] for name, of in ap.items()},
        "forest, sets where a peer's average precision is higher": [
            name for name, of in ap.items() if of["forest"] < max(of.values())
        ],
        "1,000 labels fitted, 20,000 open items in new order, ms": result["refit_ms"],
        "growth of memory over 5 million events, MB": result["growth_mb"],
    }


def _resident() -> int:
    """Return the process's resident memory in bytes."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def main() -> int:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with threadpoolctl.threadpool_limits(1):
        result: dict[str, object] = {**speed()}
        print(f"  {result}", flush=True)
        result |= {"growth_mb": memory_growth(), **states()}
        print(f"  {result}", flush=True)
        print(f"average precision, {SET_EVENTS:,} events, {len(SEEDS)} seeds; scikit-learn is slow")
        ap = precisions()
        result["ap"] = ap
    print(json.dumps({"aims": aims(result, ap), **result}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
