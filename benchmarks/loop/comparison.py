"""Who finds more: all learners on all pools, over seeds; and what wrong answers cost."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.intervals import interval
from benchmarks.loop.discovery import (
    RECALLS,
    Errors,
    Flags,
    Pool,
    area,
    discover,
    mean_labels_per_anomaly,
)
from benchmarks.loop.learners import LEARNERS, Learner
from benchmarks.loop.report import table
from benchmarks.side_by_side import side_by_side
from detectors.base import Matrix

POINTS = (20, 50, 100)
RIVALS = ("AAD", "OMD")
COMPARED = ("ours", *RIVALS)  # always run
OTHERS = tuple(name for name in LEARNERS if name not in COMPARED)
RATES = (0.05, 0.17, 0.25)
QUICK_RATES = (0.17,)
TEAM = 4  # readers
BUDGETS = (100, 300)  # labels, of the part about errors


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is run, and who beside ours and its rivals."""

    seeds: Sequence[int]
    budget: int = 100
    others: Sequence[str] = OTHERS


@dataclass(frozen=True, slots=True)
class Found:
    """Figures for JSON, a table in Markdown, mean curves by pool and learner."""

    figures: Mapping[str, Any]
    text: str
    curves: Mapping[str, Mapping[str, Sequence[float]]]


def compare(pools: Sequence[Pool], plan: Plan) -> Found:
    """Run the plan's learners on every pool with the same seeds."""
    learners = {name: LEARNERS[name] for name in (*COMPARED, *plan.others)}
    areas: dict[str, dict[str, list[float]]] = {}
    curves: dict[str, dict[str, Sequence[float]]] = {}
    rows = []
    for pool in pools:
        areas[pool.name], curves[pool.name] = {}, {}
        for name, make in learners.items():
            hits = [discover(make, pool, plan.budget, seed) for seed in plan.seeds]
            real = int(pool.real.sum())
            areas[pool.name][name] = [area(one, real) for one in hits]
            curve = np.cumsum(hits, axis=1).mean(axis=0)
            curves[pool.name][name] = [round(value, 2) for value in curve.tolist()]
            at = " / ".join(f"{curve[point - 1]:.1f}" for point in POINTS if point <= len(curve))
            looks = mean_labels_per_anomaly(hits, real)
            rows.append([pool.name, name, at, *interval(areas[pool.name][name]), *looks.values()])
            line = f"{pool.name:20} {name:14} {at:22} {rows[-1][3]:.3f} ± {rows[-1][4]:.3f}"
            print(line, flush=True)
    points = "/".join(map(str, POINTS))
    recalls = [f"labels per real at {recall:.0%}" for recall in RECALLS]
    head = ["set", "learner", f"found at {points}", "area", "±", *recalls]
    return Found(_figures(areas), table(head, rows), curves)


def _figures(areas: Mapping[str, Mapping[str, Sequence[float]]]) -> Mapping[str, Any]:
    """Return mean areas, and ours against the rivals', paired by seed."""
    learners = next(iter(areas.values()))
    by_learner = {
        name: np.mean([of[name] for of in areas.values()], axis=0).tolist() for name in learners
    }
    against = {
        rival: interval((np.array(by_learner["ours"]) - by_learner[rival]).tolist())
        for rival in RIVALS
    }
    least: dict[str, tuple[float, float]] = {}
    for pool, of in areas.items():
        better = max(RIVALS, key=lambda rival: float(np.mean(of[rival])))
        least[pool] = interval((np.array(of["ours"]) - np.array(of[better])).tolist())
    return {
        "area": {name: interval(values) for name, values in by_learner.items()},
        "area by set": {
            pool: {name: interval(values)[0] for name, values in of.items()}
            for pool, of in areas.items()
        },
        "ours minus": against,
        "ours minus the better of AAD and OMD": least,
        "sets where ours is below by more than the interval": [
            pool for pool, (mean, half) in least.items() if 0 < half < -mean
        ],
    }


def errors(pools: Sequence[Pool], plan: Plan, *, full: bool) -> Found:
    """Run ours with wrong answers; real anomalies read count, whatever was answered."""
    cases = [Errors()] + [
        Errors(rate, together, readers)
        for rate in (RATES if full else QUICK_RATES)
        for together in (False, True)
        for readers in (1, TEAM)
    ]
    names = COMPARED if full else ("ours",)
    rows, figures = [], {}
    with side_by_side() as processes:
        runs_of = {
            name: {case: _runs(pools, plan, name, case, processes) for case in cases}
            for name in names
        }
    for name, runs in runs_of.items():
        for budget in BUDGETS:
            read = {case: _read(runs[case], budget) for case in cases}
            for case in cases[1:]:
                change = [b / a - 1 for a, b in zip(read[cases[0]], read[case], strict=True)]
                kind = "together" if case.together else "alone"
                team = f", {case.readers} readers" if case.readers > 1 else ""
                row = [name, budget, f"{case.rate:.0%} {kind}{team}", *interval(change)]
                rows.append(row)
                figures[f"{name}, {budget} labels, {row[2]}"] = row[3:]
                print(f"{name}, {budget} labels, wrong {row[2]}: {row[3]:+.1%} ± {row[4]:.1%} read")
    return Found(figures, table(["learner", "labels", "wrong", "change", "±"], rows), {})


def _runs(
    pools: Sequence[Pool], plan: Plan, name: str, case: Errors, processes: Executor
) -> Sequence[Sequence[Flags]]:
    """Return seeds x pools: what each look found, for the largest budget."""
    one = functools.partial(_run, LEARNERS[name], case)
    seeds = [seed for seed in plan.seeds for _ in pools]
    hits = list(processes.map(one, list(pools) * len(plan.seeds), seeds))
    return [hits[start : start + len(pools)] for start in range(0, len(hits), len(pools))]


def _run(make: Callable[[Matrix, int], Learner], case: Errors, pool: Pool, seed: int) -> Flags:
    return discover(make, pool, max(BUDGETS), seed, case)


def _read(runs: Sequence[Sequence[Flags]], budget: int) -> Sequence[int]:
    """Return the real anomalies read over all pools, per seed."""
    return [sum(int(one[:budget].sum()) for one in of) for of in runs]
