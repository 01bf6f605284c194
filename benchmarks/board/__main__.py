"""``make bench-board``: does the board keep its budgets with 100,000 open clusters?

A board process over SQLite and over PostgreSQL, each with 100,000 open clusters and a million
candidates; a real Chromium and HTTP clients on the same machine. p95 in milliseconds, beside the
budget; names that end in ``_cpu`` are processor time of board and database. The last line is JSON.
``--part``: only that (see ``parts.PARTS``); ``--store``: only on that one; ``--keep``: leave the
filled SQLite file there, or take it if it is there; ``DATABASE_URL``: take this PostgreSQL server,
which keeps what it was filled with. ``--quick``: a twentieth of the clusters, SQLite only.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import numpy as np
from playwright.sync_api import Error as BrowserError

from benchmarks.board.filled import Size, fill
from benchmarks.board.parts import PARTS, Bench, Figures
from benchmarks.board.screen import chromium
from benchmarks.board.served import board
from tests.support.postgres_server import postgres_can, postgres_server
from triage.store.store import open_store

BUDGETS = {
    "key_painted": 50,
    "verdict_stored": 150,
    "http_verdict": 150,
    "first_rows": 1000,
    "first_rows_again": 1000,
    "jump": 150,
    "filter_or_sort": 300,
    "preview": 300,
    "cluster_page": 400,
    "candidate_to_screen": 1500,
    "crowd_verdict": 300,
    "crowd_key_painted": 50,
    "crowd_verdict_stored": 150,
    "crowd_preview": 300,
    "crowd_cluster_page": 400,
    "crowd_jump": 150,
    "heap_mb": 200,
}
FAILURES = (BrowserError, httpx.HTTPError, TimeoutError, RuntimeError)  # of one part
WHOLE, QUICK = Size(100_000, 1_000_000), Size(5_000, 50_000)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--part", action="append", choices=list(PARTS))
    parser.add_argument("--store", choices=["sqlite", "postgresql"])
    parser.add_argument("--keep", type=Path, help="SQLite file to keep, and to take if it is there")
    options = parser.parse_args()
    size, effort = (QUICK, 0.25) if options.quick else (WHOLE, 1.0)
    parts = options.part or list(PARTS)
    result: dict[str, object] = {
        "clusters": size.clusters,
        "candidates": size.candidates,
        "load_before": round(os.getloadavg()[0], 1),
    }
    missed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="triage-board-") as name, ExitStack() as stack:
        folder = Path(name)
        if options.store != "postgresql":
            url = f"sqlite:///{options.keep or folder / 'triage.db'}"
            result["sqlite"] = measure(folder, url, size, effort, parts, missed)
        if options.store != "sqlite" and not options.quick:
            url = os.environ.get("DATABASE_URL", "")
            if not url and postgres_can():
                url = stack.enter_context(postgres_server()).url
            if url:
                result["postgresql"] = measure(folder, url, size, effort, parts, missed)
    result |= {"load_after": round(os.getloadavg()[0], 1), "missed": missed}
    print(json.dumps(result))
    if missed:
        raise SystemExit(f"parts that did not come to their end: {', '.join(missed)}")


def measure(
    folder: Path, url: str, size: Size, effort: float, parts: Sequence[str], missed: list[str]
) -> Mapping[str, float]:
    """Fill the store at ``url`` unless it is filled, serve it, return the p95 of what was measured.

    A part that does not come to its end is told of and added to ``missed``; the others go on.
    """
    kind = url.partition(":")[0].partition("+")[0]
    filled(url, size)
    figures: dict[str, float] = {}
    with ExitStack() as stack:
        served = stack.enter_context(board(folder, url))
        browser = functools.cache(lambda: stack.enter_context(chromium()))  # for parts that need it
        bench = Bench(served, browser, size, effort)
        print(f"\n{kind:<24} {'p50':>7} {'p95':>7} {'budget':>7}      n", flush=True)
        for part in parts:
            begun = time.monotonic()
            try:
                figures |= told(PARTS[part](bench))
            except FAILURES as error:
                missed.append(f"{kind} {part}")
                print(f"  {part} failed: {error}", flush=True)
            load = os.getloadavg()[0]
            print(f"  ({part}: {time.monotonic() - begun:.0f} s, load {load:.1f})", flush=True)
    return figures


def filled(url: str, size: Size) -> None:
    """Fill the store at ``url``, unless something is in it."""
    with closing(open_store(url)) as store:
        if store.status(time.time()).streams:
            return
    begun, spent = time.monotonic(), time.process_time()
    made = fill(url, size)
    took, own = time.monotonic() - begun, time.process_time() - spent
    print(f"filled with {made} in {took:.0f} s ({own:.0f} s of this process)", flush=True)


def told(figures: Figures) -> Mapping[str, float]:
    """Print median and p95 of each figure beside its budget; return the p95."""
    found = {}
    for key, times in figures.items():
        middle, high = np.quantile(times, [0.5, 0.95])
        budget = BUDGETS.get(key)
        late = "  late" if budget is not None and high > budget else ""
        told_ = "" if budget is None else str(budget)
        print(f"{key:<24} {middle:7.1f} {high:7.1f} {told_:>7} {len(times):6}{late}", flush=True)
        found[key] = round(float(high), 1)
    return found


if __name__ == "__main__":
    main()
