"""Events per second of the whole pipeline, and its average precision, beside two peers.

``make bench-pipeline``. One process pinned to one core; JSON bytes in, scored, explained and
clustered candidates out. Ours is the product's own pipeline with its defaults: decoding and
checking of every field, features, 100 trees, labels, alert budget, SHAP, reasons with the usual
range, history of the entity, clusters with titles. The peers are in ``benchmarks/peers.py``. On all
sides 0.2 % of the events may become candidates. Runs are interleaved, each round on a stream and
with a seed of its own. Events per second are of processor time, so that other work on the machine
counts as little as possible; they and the ratios are medians over the rounds. The garbage
collector is asked what the product's own processes ask of it (``cli/memory.py``), on all sides; all
its work is counted. Average precision is of scores given before learning from the event, its mean
over the rounds; ``ap_over_NAME`` is the mean by which ours is higher, ``se`` its standard error.
Then follows what each stage of ours takes. The last line is one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson
import threadpoolctl
from sklearn.metrics import average_precision_score

from benchmarks.peers import BUDGET, Scores, river, sklearn
from benchmarks.stages import PIPELINE, Stages
from cli import memory
from streaming.config.load import parse
from streaming.evaluate.table import read_labelled
from streaming.grouper import Groups
from streaming.pipeline import PartitionPipeline
from streaming.records import Record

EVENTS = 50_000
ROUNDS = 5
FEATURES = 10
POLL = 1024  # records that a poll brings
SKIPPED = 2048  # first events, the warm-up, that average precision leaves out
REAL_EVENTS = 20_000
DATA = Path(os.environ.get("TRIAGE_DATA") or Path(__file__).parents[1] / "../shared/data").resolve()
REAL = ("adx_mammography", "adb_cover", "adb_http", "kdd99_stream")

Lines = Sequence[bytes]
Truth = npt.NDArray[np.bool_]
Pipeline = Callable[[Lines, int], tuple[Scores, int]]
"""Takes events and a seed; returns a score per event and the number of candidates."""


def ours(lines: Lines, seed: int) -> tuple[Scores, int]:
    """Run the product's pipeline for one partition, and its clustering."""
    config = parse(stream_config(list(orjson.loads(lines[0])), seed), "bench.yaml")
    pipeline, groups = PartitionPipeline(config, 0, "bench"), Groups(config)
    scores, candidates = [], 0
    for start in range(0, len(lines), POLL):
        values = lines[start : start + POLL]
        records = [Record("bench", 0, i, None, value) for i, value in enumerate(values, start)]
        outcome = pipeline.process(records)
        groups.add(outcome.candidates)
        scores.append(outcome.margins)
        candidates += len(outcome.candidates)
    return np.concatenate(scores), candidates


def stream_config(names: Sequence[str], seed: int) -> str:
    """Return the config of a stream of numbers."""
    columns = ", ".join(names)
    fields = ", ".join(f"{name}: number" for name in names)
    return (
        f"stream: bench\nseed: {seed}\nfields: {{{fields}}}\n"
        f"features: [{{kind: number, fields: [{columns}]}}]\n"
        f"detectors: [{{kind: isolation_forest, trees: 100}}]\n"
        f"learning: {{block: {POLL}, warm_up: {SKIPPED}}}\nalert_budget: {100 * BUDGET:g}%\n"
    )


def generated(events: int, seed: int) -> tuple[Lines, Truth]:
    """Return ``generated_rows`` as JSON."""
    X, truth = generated_rows(events, seed)
    return as_json([f"x{i}" for i in range(FEATURES)], X), truth


def generated_rows(events: int, seed: int) -> tuple[npt.NDArray[np.float64], Truth]:
    """Return a drifting stream of three behaviours with 0.5 % anomalies of three kinds.

    Two features have heavy tails. Anomalies: two to four features far out; values of two behaviours
    mixed; small bursts of rows that are all alike.
    """
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(3, FEATURES, FEATURES)) / np.sqrt(FEATURES)
    centres = rng.normal(scale=3, size=(3, FEATURES))
    drift = rng.normal(size=(3, FEATURES))
    which = rng.choice(3, size=events, p=[0.6, 0.3, 0.1])
    age = np.linspace(0, 1, events)[:, np.newaxis]
    noise = rng.normal(size=(events, FEATURES))
    X = centres[which] + age * drift[which] + np.einsum("ij,ijk->ik", noise, mixing[which])
    X[:, :2] = np.exp(X[:, :2] / 3)
    truth = rng.random(events) < 0.004
    usual = X.std(axis=0)
    for row in np.flatnonzero(truth):
        far = rng.choice(FEATURES, size=rng.integers(2, 5), replace=False)
        if rng.random() < 0.5:
            X[row, far] += rng.choice([-1, 1], size=len(far)) * rng.uniform(2, 4) * usual[far]
        else:
            X[row, far] = X[rng.integers(events), far]
    for start in rng.integers(0, events - 20, size=events // 10_000):
        X[start : start + 10] = X[start] + 2.5 * usual * rng.choice([-1, 0, 1], size=FEATURES)
        truth[start : start + 10] = True
    return X, truth


def as_json(names: Sequence[str], X: npt.NDArray[np.float64]) -> Lines:
    """Return each row as a JSON object of numbers; missing ones are left out."""
    return [
        orjson.dumps({name: v for name, v in zip(names, row, strict=True) if v == v})
        for row in np.round(X.astype(np.float64), 6).tolist()
    ]


def precision(scores: Scores, truth: Truth) -> float:
    """Return average precision without the warm-up."""
    return float(average_precision_score(truth[SKIPPED:], scores[SKIPPED:]))


def compare(pipelines: dict[str, Pipeline]) -> dict[str, float]:
    """Run all in turn on each round's stream, and print a line each."""
    speeds: dict[str, list[float]] = {name: [] for name in pipelines}
    precisions: dict[str, list[float]] = {name: [] for name in pipelines}
    candidates = dict.fromkeys(pipelines, 0)
    for run in pipelines.values():  # compiles, imports, fills caches
        run(generated(4 * POLL, seed=0)[0], 0)
    memory.settle()
    for round_ in range(ROUNDS):
        lines, truth = generated(EVENTS, seed=round_)
        for name, run in pipelines.items():
            started = time.process_time()
            scores, found = run(lines, round_)
            speeds[name].append(len(lines) / (time.process_time() - started))
            precisions[name].append(precision(scores, truth))
            candidates[name] += found
    result: dict[str, float] = {}
    for name in pipelines:
        result[f"{name}_eps"] = round(statistics.median(speeds[name]))
        result[f"{name}_ap"] = round(statistics.mean(precisions[name]), 4)
        result[f"{name}_candidates"] = candidates[name]
        ratio = statistics.median(
            mine / theirs for mine, theirs in zip(speeds["ours"], speeds[name], strict=True)
        )
        print(
            f"  {name:8} {result[f'{name}_eps']:>9,.0f} events/s, ours {ratio:5.1f} x   "
            f"average precision {result[f'{name}_ap']:.3f}",
            end="",
        )
        if name != "ours":
            result[f"times_{name}"] = round(ratio, 1)
            over = np.subtract(precisions["ours"], precisions[name])
            error = over.std(ddof=1) / np.sqrt(len(over))
            result[f"ap_over_{name}"] = round(float(over.mean()), 4)
            result[f"ap_over_{name}_se"] = round(float(error), 4)
            print(f", ours {over.mean():+.3f} (se {error:.3f})", end="")
        print(f"   {candidates[name]} candidates")
    return result


def by_stage() -> dict[str, float]:
    """Print and return what of ours takes how many microseconds per event: medians over rounds."""
    rounds: list[dict[str, float]] = []
    for round_ in range(ROUNDS):
        lines, _ = generated(EVENTS, seed=round_)
        stages = Stages()
        run = stages.timed("making the records", ours)
        with stages.watching(PIPELINE):
            run(lines, round_)
        rounds.append({name: 1e6 * spent / len(lines) for name, spent in stages.spent.items()})
    found = {
        name: round(statistics.median(each.get(name, 0.0) for each in rounds), 3)
        for name in [*PIPELINE, "making the records"]
    }
    for name, us in found.items():
        print(f"  {name:32} {us:6.2f} us per event")
    return found


def on_real_sets(pipelines: dict[str, Pipeline]) -> dict[str, dict[str, float]]:
    """Print and return the average precision on public labelled streams, where they are there."""
    found: dict[str, dict[str, float]] = {}
    for name in REAL:
        path = DATA / f"{name}.parquet"
        if not path.is_file():
            print(f"  {name}: not in the data folder (TRIAGE_DATA), skipped")
            continue
        table = read_labelled(path, "label")
        rows = np.random.default_rng(1).permutation(len(table.X)) if "adb" in name else slice(None)
        X, truth = table.X[rows][:REAL_EVENTS], table.truth[rows][:REAL_EVENTS] == 1
        lines = as_json([f"x{i}" for i in range(X.shape[1])], np.nan_to_num(X))
        found[name] = {
            each: round(precision(run(lines, 1)[0], truth), 4) for each, run in pipelines.items()
        }
        print(f"  {name:18} {found[name]}", flush=True)
    return found


def main() -> int:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="Ours and river only, made-up events.")
    quick = parser.parse_args().quick
    pipelines: dict[str, Pipeline] = {"ours": ours, "river": river}
    if not quick:
        pipelines["sklearn"] = sklearn
    print(f"load at the start: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(
        f"{ROUNDS} rounds of {EVENTS:,} generated events of {FEATURES} numbers, 0.5 % anomalies; "
        f"one process on one core; scikit-learn takes most of the time"
    )
    with threadpoolctl.threadpool_limits(1):
        result = compare(pipelines)
        stages = by_stage()
        print(f"load: {os.getloadavg()[0]:.1f}")
        if quick:
            print(json.dumps({**result, "us_by_stage": stages}))
            return 0
        print(
            f"average precision on public sets, the first {REAL_EVENTS:,} events (adb_* shuffled)"
        )
        real = on_real_sets(pipelines)
    print(json.dumps({**result, "us_by_stage": stages, "real_ap": real}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
