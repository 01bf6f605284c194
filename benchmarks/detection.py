"""Detection without labels: an ensemble beside its members and two peers.

``make bench-detection``. The public streams * of which the data folder holds the labels, and
Shuttle, which river bundles: the first 100,000 events (``adb_*`` and ``adx_*`` shuffled with seed
0), prequential: each block of 1,024 is scored, then learned. AUC and average precision without the
first block. ``both`` is the ensemble of isolation forest and deviation with equal weights;
``sklearn`` is scikit-learn's IsolationForest, fitted anew on 2,048 events every 1,024; ``river`` is
HalfSpaceTrees with its defaults behind a min-max scaler. The last line is one line of JSON.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import threadpoolctl
from river import anomaly, compose, datasets, preprocessing
from sklearn.ensemble import IsolationForest as SklearnForest

from detectors.base import Detector, Matrix, Vector
from detectors.online.deviation import Deviation
from detectors.online.isolation_forest import IsolationForest
from detectors.registry import DetectorSpec, build
from streaming.evaluate.measures import average_precision, roc_auc
from streaming.evaluate.table import read_labelled

BLOCK, WINDOW = 1024, 2048
EVENTS = 100_000
DATA = Path(os.environ.get("TRIAGE_DATA") or Path(__file__).parents[1] / "../shared/data").resolve()
SETS = ("adx_mammography", "adb_cover", "adb_http", "adb_smtp", "kdd99_stream")

Truth = npt.NDArray[np.bool_]
FOREST = DetectorSpec("isolation_forest", IsolationForest.Params())
DEVIATION = DetectorSpec("deviation", Deviation.Params())
OURS: Mapping[str, Sequence[DetectorSpec]] = {
    "forest": [FOREST],
    "deviation": [DEVIATION],
    "both": [FOREST, DEVIATION],
}


def ours(detector: Detector, X: Matrix) -> Vector:
    """Score and learn block by block."""
    scores = np.zeros(len(X))
    for start in range(0, len(X), BLOCK):
        rows = X[start : start + BLOCK]
        scores[start : start + BLOCK] = detector.score_many(rows)
        detector.learn_many(rows)
    return scores


def sklearn(X: Matrix) -> Vector:
    """Fit anew on a window after every block."""
    scores = np.zeros(len(X))
    for start in range(BLOCK, len(X), BLOCK):
        window = X[max(0, start - WINDOW) : start]
        forest = SklearnForest(n_estimators=100, max_samples=256, random_state=start).fit(window)
        scores[start : start + BLOCK] = -forest.score_samples(X[start : start + BLOCK])
    return scores


def river(X: Matrix) -> Vector:
    """Score and learn event by event."""
    model = compose.Pipeline(preprocessing.MinMaxScaler(), anomaly.HalfSpaceTrees(seed=0))
    scores = []
    for row in X.tolist():
        event = dict(enumerate(row))
        scores.append(model.score_one(event))
        model.learn_one(event)
    return np.array(scores)


def sets(events: int) -> Iterator[tuple[str, Matrix, Truth]]:
    """Yield name, rows and truth; what the data folder lacks is left out with a line."""
    rows = list(datasets.Shuttle())
    X = np.array([list(event.values()) for event, _ in rows], np.float32)
    yield "shuttle", X[:events], np.array([bool(truth) for _, truth in rows])[:events]
    for name in SETS:
        path = DATA / f"{name}.parquet"
        if not path.is_file():
            print(f"  {name}: not in the data folder (TRIAGE_DATA), skipped")
            continue
        table = read_labelled(path, "label")
        order = np.arange(len(table.X))
        if name.startswith("ad"):
            order = np.random.default_rng(0).permutation(order)
        yield name, np.nan_to_num(table.X[order[:events]]), table.truth[order[:events]] == 1


def compare(events: int) -> Mapping[str, Any]:
    """Run everybody on the first events of each set; print a line each, return figures."""
    found: dict[str, dict[str, tuple[float, float]]] = {}
    with threadpoolctl.threadpool_limits(1):
        for name, X, truth in sets(events):
            names = [f"x{column}" for column in range(X.shape[1])]
            runs: dict[str, Callable[[], Vector]] = {
                kind: functools.partial(ours, build(specs, names, 0), X)
                for kind, specs in OURS.items()
            }
            runs |= {"sklearn": functools.partial(sklearn, X), "river": functools.partial(river, X)}
            for kind, run in runs.items():
                scores = run()[BLOCK:]
                auc, ap = roc_auc(scores, truth[BLOCK:]), average_precision(scores, truth[BLOCK:])
                found.setdefault(kind, {})[name] = (round(auc or 0.5, 4), round(ap or 0.0, 4))
            line = "   ".join(
                f"{kind} {per[name][0]:.3f}/{per[name][1]:.3f}" for kind, per in found.items()
            )
            print(f"  {name:16} {line}", flush=True)
    means = {
        kind: [round(float(np.mean([pair[i] for pair in per.values()])), 4) for i in (0, 1)]
        for kind, per in found.items()
    }
    print(f"  {'mean':16} {'   '.join(f'{k} {a:.3f}/{p:.3f}' for k, (a, p) in means.items())}")
    return {"auc_ap": found, "mean_auc_ap": means}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS)
    print(json.dumps(compare(parser.parse_args(arguments).events)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
