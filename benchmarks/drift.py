"""Does it help to replace the trees that drifted, rather than the oldest?

``python -m benchmarks.drift``. Prequential, blocks of 1,024, 100 trees, a window of 2,048 rows. Per
tree the leaves that its window's rows fell into when it was grown are compared with those of the
block (Kullback-Leibler divergence), as in streaming active anomaly detection (Das et al., 2024): a
tree has drifted if it lies above the 95 % quantile of divergences between halves of one window;
drift counts once twice as many trees as chance allows have. ``age``: the ten oldest per block,
as the product does. ``drift``: those that drifted, nobody by age. ``both``: five by age, and those
that drifted. ``most``: the ten per block that drifted most. ``rise 30`` and ``rise 100``: the ten
oldest, and so many where the mean score has risen (the product's ``replace_on_drift``). Average
precision and AUC without the first 2,048 events, means over seeds, and the differences to ``age``
with their standard errors. The last line is one line of JSON.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, roc_auc_score

from benchmarks.forest import BLOCK, DATA, WARM_UP, WINDOW
from benchmarks.learning import drifting
from benchmarks.pipeline import generated_rows
from detectors.base import Matrix, Vector
from detectors.online.isolation_forest import IsolationForest
from detectors.ring import Ring
from detectors.trees import Trees
from streaming.evaluate.table import read_labelled

TREES, SUBSAMPLE, PER_BLOCK = 100, 256, 10
SHARE = 0.05  # of the trees that chance lets drift
SPLITS = 5  # of a window into halves
EVENTS = 50_000
WANDERING = 20_000  # events of each stream that wanders and leaps
SEEDS = 3
SETS = ("adb_cover", "adb_http", "adb_smtp", "kdd99_stream", "adx_mammography")

Truth = npt.NDArray[np.bool_]
Choice = Callable[["Forest", Matrix], npt.NDArray[np.intp]]
"""Which trees to replace after a block."""


class Forest:
    """A forest whose trees are replaced as ``choose`` says."""

    def __init__(self, features: int, seed: int, choose: Choice) -> None:
        self.trees = Trees(TREES, features, 8)
        self.ring = Ring(WINDOW, features)
        self.rng = np.random.default_rng(seed)
        self.replaced = 0
        self._seed, self._choose = seed, choose
        self._round = 0
        self._reference = np.zeros((TREES, self.trees.nodes))
        self._bound: float | None = None  # worked out when it is asked for

    def run(self, X: Matrix) -> Vector:
        """Score and learn the rows block by block."""
        scores = []
        for start in range(0, len(X), BLOCK):
            block = X[start : start + BLOCK]
            scores.append(self.trees.scores(block) if start else np.full(len(block), -1.0))
            self.ring.add(block)
            full = self._round >= WINDOW // BLOCK
            self._replace(self._choose(self, block) if full else np.arange(TREES))
        return np.concatenate(scores)

    def drift(self, block: Matrix) -> Vector:
        """Return each tree's divergence between then and now."""
        return divergence(self._reference, self._counts(block))

    def drifted(self, block: Matrix) -> npt.NDArray[np.intp]:
        """Return the trees that drifted; none where no more did than chance allows."""
        if self._bound is None:
            self._bound = self._chance(self.ring.rows)
        above = np.flatnonzero(self.drift(block) > self._bound)
        return above if len(above) >= 2 * SHARE * TREES else above[:0]

    def oldest(self, count: int) -> npt.NDArray[np.intp]:
        """Return the trees that were grown longest ago."""
        return np.argsort(self.trees.number // TREES, kind="stable")[:count]

    def _replace(self, which: npt.NDArray[np.intp]) -> None:
        self._round += 1
        rows = self.ring.rows
        for t in which.tolist():
            number = t + TREES * self._round
            self.trees.grow(rows, min(SUBSAMPLE, len(rows)), self._seed, number)
        self.replaced += len(which)
        if len(which):
            self._reference[which] = self._counts(rows)[which]
            self._bound = None

    def _chance(self, rows: Matrix) -> float:
        """Return the divergence that few trees exceed between halves of one window."""
        found = []
        for _ in range(SPLITS):
            order = self.rng.permutation(len(rows))
            halves = np.array_split(order, 2)
            found.append(divergence(*(self._counts(rows[half]) for half in halves)))
        return float(np.quantile(found, 1 - SHARE))

    def _counts(self, rows: Matrix) -> npt.NDArray[np.float64]:
        leaves = self.trees.leaves(rows) + self.trees.nodes * np.arange(TREES)
        counts = np.bincount(leaves.ravel(), minlength=TREES * self.trees.nodes)
        return counts.reshape(TREES, -1).astype(np.float64)


def divergence(before: npt.NDArray[np.float64], now: npt.NDArray[np.float64]) -> Vector:
    """Return KL(before || now) per tree, one row added to every leaf that was seen."""
    seen = (before + now) > 0
    p, q = (np.where(seen, counts + 1.0, 0.0) for counts in (before, now))
    p, q = p / p.sum(axis=1, keepdims=True), q / q.sum(axis=1, keepdims=True)
    ratio = np.divide(p, q, out=np.ones_like(p), where=seen)
    result: Vector = (p * np.log(ratio)).sum(axis=1)
    return result


def chosen(choose: Choice, X: Matrix, seed: int) -> tuple[Vector, int]:
    """Return scores and how many trees were replaced."""
    forest = Forest(X.shape[1], seed, choose)
    return forest.run(X), forest.replaced


def on_rise(most: int, X: Matrix, seed: int) -> tuple[Vector, int]:
    """The same of the product's forest, which replaces so many where the mean score has risen."""
    names = [str(column) for column in range(X.shape[1])]
    forest = IsolationForest(names, IsolationForest.Params(replace_on_drift=most), seed)
    scores, replaced, before = [], 0, forest.trees.number.copy()
    for start in range(0, len(X), BLOCK):
        block = X[start : start + BLOCK]
        scores.append(forest.score_many(block))
        forest.learn_many(block)
        replaced += int(np.count_nonzero(forest.trees.number != before))
        before = forest.trees.number.copy()
    return np.concatenate(scores), replaced


CHOICES: dict[str, Choice] = {
    "age": lambda forest, _: forest.oldest(PER_BLOCK),
    "drift": lambda forest, block: forest.drifted(block),
    "both": lambda forest, block: np.union1d(forest.oldest(PER_BLOCK // 2), forest.drifted(block)),
    "most": lambda forest, block: np.argsort(-forest.drift(block), kind="stable")[:PER_BLOCK],
}

ARMS: Mapping[str, Callable[[Matrix, int], tuple[Vector, int]]] = {
    **{name: functools.partial(chosen, choose) for name, choose in CHOICES.items()},
    "rise 30": functools.partial(on_rise, 30),
    "rise 100": functools.partial(on_rise, 100),
}


def streams(seed: int) -> Iterator[tuple[str, Matrix, Truth]]:
    """Return the streams of a seed: five generated ones, and public ones where they are there."""
    X, truth = generated_rows(EVENTS, seed)
    yield "slow_drift", X.astype(np.float32), truth
    parts = [generated_rows(EVENTS // 5, 10 * seed + part) for part in range(5)]
    X, truth = (np.concatenate(each) for each in zip(*parts, strict=True))
    yield "sudden_drift", X.astype(np.float32), truth
    for number in range(3):
        yield f"wandering_{number}", *drifting(number, WANDERING, seed)
    for name in SETS:
        if (path := DATA / f"{name}.parquet").is_file():
            table = read_labelled(path, "label")
            rows = np.arange(len(table.X))
            if name.startswith("adb_"):
                rows = np.random.default_rng(seed).permutation(rows)
            rows = rows[:EVENTS]
            yield name, np.nan_to_num(table.X[rows]), table.truth[rows] == 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print everything."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drift", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS), help="beside age")
    asked = parser.parse_args(arguments)
    arms = ["age", *(name for name in asked.arms if name != "age")]
    found: dict[str, dict[str, list[tuple[float, float, float]]]] = {}
    for seed in range(asked.seeds):
        for name, X, truth in streams(seed):
            for arm in arms:
                scores, replaced = ARMS[arm](X, seed)
                scores, real = scores[WARM_UP:], truth[WARM_UP:]
                found.setdefault(name, {}).setdefault(arm, []).append(
                    (
                        average_precision_score(real, scores),
                        roc_auc_score(real, scores),
                        replaced * BLOCK / len(X),
                    )
                )
    result: dict[str, dict[str, dict[str, float]]] = {}
    for name, by_arm in found.items():
        result[name] = {}
        for arm, values in by_arm.items():
            result[name][arm] = summary(values, by_arm["age"])
            print(f"  {name:16} {arm:8} {result[name][arm]}", flush=True)
    print(json.dumps(result))
    return 0


def summary(
    values: Sequence[tuple[float, float, float]], age: Sequence[tuple[float, float, float]]
) -> dict[str, float]:
    """Return means over seeds, and by how much they are above those of ``age``."""
    ap, auc, replaced = np.mean(values, axis=0).tolist()
    over = np.subtract(values, age)
    above = over.mean(axis=0)
    error = over.std(axis=0, ddof=1) / np.sqrt(len(over)) if len(over) > 1 else np.zeros(3)
    return {
        "ap": round(ap, 4),
        "ap_over_age": round(float(above[0]), 4),
        "ap_over_age_se": round(float(error[0]), 4),
        "auc": round(auc, 4),
        "auc_over_age": round(float(above[1]), 4),
        "auc_over_age_se": round(float(error[1]), 4),
        "replaced_per_block": round(replaced, 1),
    }


if __name__ == "__main__":
    sys.exit(main())
