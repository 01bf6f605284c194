"""The loop benchmark: ``make bench-loop`` (quick), ``python -m benchmarks.loop --full``."""

from __future__ import annotations

import argparse
import functools
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import detection, learning
from benchmarks.intervals import interval
from benchmarks.loop import headline
from benchmarks.loop.aims import aims
from benchmarks.loop.audits import audits
from benchmarks.loop.closing import ERRORS, closing
from benchmarks.loop.comparison import OTHERS, Plan, compare, errors
from benchmarks.loop.discovery import Pool
from benchmarks.loop.never_asked import never_asked
from benchmarks.loop.outside_peers import installed
from benchmarks.loop.peers import BLOCK, PEERS, Scores
from benchmarks.loop.report import curves_svg, page, table
from benchmarks.loop.streams import ablations
from benchmarks.side_by_side import side_by_side
from streaming.evaluate.measures import average_precision, roc_auc
from streaming.evaluate.table import read_labelled

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("TRIAGE_DATA") or ROOT / "../shared/data").resolve()
SETS = (
    "abalone",
    "ann_thyroid_1v3",
    "cardiotocography_1",
    "covtype_sub",
    "kddcup_sub",
    "mammography",
    "yeast",
)
STREAMS = ("adx_mammography", "adb_cover", "adb_http", "kdd99_stream")
ROWS = 20_000  # of each stream, in its order
PARTS = (
    *("cards", "discovery", "errors", "ablations", "audits", "closing", "detectors"),
    *("never-asked", "feedback", "no-labels"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts asked for; write tables and plots; print one line of JSON last."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loop", description=__doc__)
    parser.add_argument("--full", action="store_true", help="ten seeds, whole streams: hours")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--seeds", type=int, help="instead of 3 (pools) and 1 (cards); full: 10, 3")
    parser.add_argument("--peers", nargs="+", help="of the detectors; all that are installed")
    parser.add_argument("--others", nargs="*", choices=OTHERS, help="beside AAD and OMD")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench-loop")
    chosen = parser.parse_args(arguments)
    peers = {**PEERS, **installed()}
    if unknown := set(chosen.peers or ()).difference(peers):
        parser.error(f"--peers: no {', '.join(sorted(unknown))}; there are {', '.join(peers)}")
    chosen.out.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = {"full": chosen.full}
    started = time.perf_counter()
    if "cards" in chosen.parts:
        seeds = range(1, 1 + (chosen.seeds or (3 if chosen.full else 1)))
        result["cards"] = cards(seeds, whole=chosen.full)
    if "ablations" in chosen.parts:
        seeds = range(chosen.seeds or (10 if chosen.full else 1))
        worth = ablations(seeds)
        result["ablations"] = worth.figures
        (chosen.out / "ablations.md").write_text(worth.text)
        svg = curves_svg({"simulated payments": worth.curves}, along="of the stream")
        (chosen.out / "ablations.svg").write_text(svg)
    if "audits" in chosen.parts:
        result["audits"], text = audits(range(chosen.seeds or 3), ERRORS)
        (chosen.out / "audits.md").write_text(text)
    if "closing" in chosen.parts:
        seeds = range(chosen.seeds or (10 if chosen.full else 1))
        result["closing"], text = closing(DATA, seeds)
        (chosen.out / "closing.md").write_text(text)
    if "detectors" in chosen.parts:
        result["detectors"] = detectors(
            range(chosen.seeds or 3), {name: peers[name] for name in chosen.peers or peers}
        )
    result |= on_streams(chosen.parts, chosen.seeds, full=chosen.full)
    if {"discovery", "errors"} & set(chosen.parts):
        plan = Plan(seeds=range(chosen.seeds or (10 if chosen.full else 3)))
        if chosen.others is not None:  # an empty list too
            plan = replace(plan, others=chosen.others)
        pools = list(_pools())
        if not pools:
            print(f"bench-loop: no adx_*.parquet in the data folder {DATA} (TRIAGE_DATA): skipped")
            result["skipped"] = list(SETS)
        elif "discovery" in chosen.parts:
            found = compare(pools, plan)
            result["discovery"] = found.figures
            (chosen.out / "discovery.md").write_text(found.text)
            (chosen.out / "discovery.svg").write_text(curves_svg(found.curves))
        if pools and "errors" in chosen.parts:
            found = errors(pools, plan, full=chosen.full)
            result["errors"] = found.figures
            (chosen.out / "errors.md").write_text(found.text)
    result = {"aims": aims(result), **result}
    lines = [[name, json.dumps(value)] for name, value in result["aims"].items()]
    (chosen.out / "aims.md").write_text(table(["", "measured"], lines))
    (chosen.out / "report.html").write_text(page(chosen.out))
    print(f"{time.perf_counter() - started:.0f} s; tables and plots: {chosen.out / 'report.html'}")
    print(json.dumps(result))
    return 0


def on_streams(parts: Sequence[str], seeds: int | None, *, full: bool) -> Mapping[str, Any]:
    """Run the parts on the data folder's streams that score with the model alone, no clusters."""
    result: dict[str, Any] = {}
    if "never-asked" in parts:
        result["never asked"] = never_asked(range(seeds or (3 if full else 1)))
    if "feedback" in parts:
        setup = learning.Setup(learning.EVENTS if full else ROWS, seeds or learning.SEEDS)
        result["feedback"] = learning.compare_all(setup)
    if "no-labels" in parts:
        result["no labels"] = detection.compare(detection.EVENTS if full else ROWS)
    return result


def cards(seeds: Sequence[int], *, whole: bool) -> Mapping[str, Any]:
    """Run the headline."""
    print("card precision@100 in the week after 7 days x 100 looks")
    results: dict[str, list[headline.Result]] = {name: [] for name in headline.ARMS}
    with side_by_side() as pool:
        for of in pool.map(functools.partial(headline.run_all, whole=whole), seeds):
            print(f"seed {of.seed}: {of.payments:,} payments, {of.fraud:.2%} fraud")
            for name, one in of.results.items():
                results[name].append(one)
                print(
                    f"  {name:36} {one.precision:.3f} (perfect {one.perfect:.3f}); "
                    f"found by the looks before: {one.found_by_looks}",
                    flush=True,
                )
    precision = {name: [one.precision for one in of] for name, of in results.items()}
    ceiling, floor = precision["supervised"], precision["no feedback"]
    ours = precision["late truth, feedback"]
    figures: dict[str, Any] = {name: interval(values) for name, values in precision.items()}
    figures["late truth, feedback, minus supervised"] = interval(
        [a - b for a, b in zip(ours, ceiling, strict=True)]
    )
    for name in ("verdicts only", "verdicts and missed payments"):
        figures[f"{name}: part of the way to supervised"] = interval(
            [
                (a - low) / (high - low)
                for a, low, high in zip(precision[name], floor, ceiling, strict=True)
            ]
        )
    rows = [[name, *of] for name, of in figures.items()]
    print(table(["mean over seeds", "precision@100", "±"], rows))
    return figures


def detectors(seeds: Sequence[int], peers: Mapping[str, Scores]) -> Mapping[str, Any]:
    """Run the detectors without labels on the beginnings of the streams."""
    figures: dict[str, Any] = {}
    for name in STREAMS:
        path = DATA / f"{name}.parquet"
        if not path.is_file():
            print(f"bench-loop: no {path.name} in the data folder (TRIAGE_DATA): skipped")
            continue
        one = read_labelled(path, "label")
        X, real = one.X[:ROWS], one.truth[:ROWS] == 1
        if not real[BLOCK:].any():
            print(f"bench-loop: no anomaly among the first {ROWS} events of {path.name}: skipped")
            continue
        for peer, run in peers.items():
            scores = [run(X, seed)[BLOCK:] for seed in seeds]  # nobody knows anything before
            auc = interval([roc_auc(score, real[BLOCK:]) or 0.0 for score in scores])
            ap = interval([average_precision(score, real[BLOCK:]) or 0.0 for score in scores])
            figures.setdefault(name, {})[peer] = {"auc": auc, "ap": ap}
            print(f"{name:18} {peer:22} AUC {auc[0]:.3f} ± {auc[1]:.3f}", end="")
            print(f"  AP {ap[0]:.3f} ± {ap[1]:.3f}", flush=True)
    return figures


def _pools() -> Sequence[Pool]:
    paths = [(name, DATA / f"adx_{name}.parquet") for name in SETS]
    tables = [(name, read_labelled(path, "label")) for name, path in paths if path.is_file()]
    return [Pool(name, one.X, one.truth == 1) for name, one in tables]


if __name__ == "__main__":
    sys.exit(main())
