"""Anomalies found per label, with and without feedback, beside published and reference figures.

``make bench-feedback``. The seven sets of Das et al. (JAIR 2024), given order, one top item at a
time, the truth as oracle, mean of five seeds; the same settings for all sets, those of
``triage evaluate --mode pool --features all``. The last line is one line of JSON.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from streaming.evaluate.pool import SUBSAMPLE, TREES, PoolSettings, evaluate_pool
from streaming.evaluate.table import LabelledTable, read_labelled

SEEDS = range(5)
POINTS = (20, 50, 100)
DATA = Path(os.environ.get("TRIAGE_DATA") or Path(__file__).parents[1] / "../shared/data").resolve()

Found = tuple[float, ...]

REFERENCE: Mapping[str, tuple[Found, Found]] = {
    "abalone": ((13, 16, 17), (15, 20, 23)),
    "ann_thyroid_1v3": ((3, 7, 16), (16, 44, 67)),
    "cardiotocography_1": ((12, 20, 29), (19, 38, 43)),
    "yeast": ((10, 17, 21), (12, 19, 28)),
    "kddcup_sub": ((20, 48, 69), (20, 48, 74)),
    "covtype_sub": ((5, 12, 17), (15, 19, 19)),
    "mammography": ((14, 23, 33), (20, 49, 92)),
}
"""Found at 20, 50, 100 labels without and with feedback: a plain logistic learner on the leaves of
scikit-learn's forest, mean of five seeds (README of the data sets)."""

PUBLISHED: Mapping[str, tuple[int, int, int, int, int]] = {
    "ann_thyroid_1v3": (150, 25, 69, 72, 5),
    "mammography": (600, 98, 180, 195, 1),
}
"""Labels; found without feedback, by AAD (Das et al.), by OMD (Siddiqui et al., KDD 2018); seeds
that we run."""


def main() -> int:
    missing = [name for name in REFERENCE if not _path(name).is_file()]
    if missing:
        print(
            f"bench-feedback: no data folder with {_path(missing[0]).name} (TRIAGE_DATA): skipped"
        )
        print(json.dumps({"skipped": missing}))
        return 0
    print(f"forest of {TREES} x {SUBSAMPLE} on the whole set, kappa 40; mean of {len(SEEDS)} seeds")
    print(f"{'found at ' + '/'.join(map(str, POINTS)) + ' labels':32}", end="")
    print(f"{'no feedback':>20}{'reference':>16}{'feedback':>20}{'reference':>16}{'worst':>8}")
    result = {}
    started = time.perf_counter()
    for name, (without_reference, with_reference) in REFERENCE.items():
        table = read_labelled(_path(name), "label")
        without, learned = _found(table, feedback=False), _found(table, feedback=True)
        worst = min(ours / theirs for ours, theirs in zip(learned, with_reference, strict=True))
        shape = f"{name} ({len(table.X)}, {int((table.truth == 1).sum())})"
        print(f"{shape:32}{_text(without):>20}{_text(without_reference):>16}", end="")
        print(f"{_text(learned):>20}{_text(with_reference):>16}{worst - 1:>+8.1%}", flush=True)
        result[name] = {"without": _by_point(without), "with": _by_point(learned)}
    for name, (labels, without_published, aad, omd, seeds) in PUBLISHED.items():
        table = read_labelled(_path(name), "label")
        learned = _found(table, feedback=True, points=(labels,), seeds=range(seeds))
        print(
            f"{name} at {labels} labels: ours {_text(learned)} (seeds: {seeds}); published, means "
            f"of ten runs: no feedback {without_published}, AAD {aad}, OMD {omd}",
            flush=True,
        )
    print(f"{time.perf_counter() - started:.0f} s")
    print(json.dumps(result))
    return 0


def _path(name: str) -> Path:
    return DATA / f"adx_{name}.parquet"


def _found(
    table: LabelledTable,
    *,
    feedback: bool,
    points: Sequence[int] = POINTS,
    seeds: Sequence[int] = SEEDS,
) -> Found:
    results = [
        evaluate_pool(
            table.X,
            table.truth,
            PoolSettings(budget=max(points), seed=seed, feedback=feedback),
            time.perf_counter,
        )["found"]
        for seed in seeds
    ]
    return tuple(statistics.mean(found[str(point)] for found in results) for point in points)


def _by_point(found: Found) -> dict[str, float]:
    return {str(point): round(value, 2) for point, value in zip(POINTS, found, strict=True)}


def _text(found: Found) -> str:
    return " / ".join(f"{value:g}" for value in found)


if __name__ == "__main__":
    sys.exit(main())
