"""``make bench-board``: does the board keep its budgets with 100,000 open clusters?

A board process over SQLite and over PostgreSQL, each with 100,000 open clusters and a million
candidates; a real Chromium and HTTP clients on the same machine. p95 in milliseconds, beside the
budget. The last line is JSON. ``--quick``: a twentieth of the clusters, SQLite only, fewer rounds.
"""

from __future__ import annotations

import argparse
import json
import secrets
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import httpx
import numpy as np

from benchmarks.board.analysts import crowd
from benchmarks.board.arrivals import Arrivals
from benchmarks.board.filled import Size, fill
from benchmarks.board.screen import Screen, chromium
from benchmarks.processes import end, ended, start, wait_for
from tests.support.postgres_server import postgres_can, postgres_server
from tests.support.processes import free_ports
from triage.model import Actor
from triage.store.base import Store
from triage.store.store import open_store

BUDGETS = {
    "key_painted": 50,
    "verdict_stored": 150,
    "first_rows": 1000,
    "jump": 150,
    "filter_or_sort": 300,
    "preview": 300,
    "cluster_page": 400,
    "candidate_to_screen": 1500,
    "crowd_verdict": 300,
    "crowd_key_painted": 50,
    "crowd_verdict_stored": 150,
    "crowd_preview": 300,
    "heap_mb": 200,
}
FILTERS = (
    "order=newest",
    "order=largest",
    "stream=payments",
    "stream=network&order=newest",
    "text=terminal",
    "text=CreateAccessKey",
    "text=terminal 4",
    "entity=881",
    "status=decided",
    "status=all&order=largest",
)
WHOLE, QUICK = Size(100_000, 1_000_000), Size(5_000, 50_000)
EIGHT_HOURS = 28_800 // 15  # changes: one each 15 s

Figures = dict[str, Sequence[float]]


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    parser.add_argument("--keep", type=Path, help="SQLite file to keep, and to take if it is there")
    options = parser.parse_args()
    size = QUICK if options.quick else WHOLE
    rounds = 15 if options.quick else options.rounds
    result: dict[str, object] = {"clusters": size.clusters, "candidates": size.candidates}
    with tempfile.TemporaryDirectory(prefix="triage-board-") as folder, ExitStack() as stack:
        if options.only != "postgresql":
            url = f"sqlite:///{options.keep or Path(folder) / 'triage.db'}"
            result["sqlite"] = told("sqlite", measure(Path(folder), url, size, rounds))
        if options.only != "sqlite" and not options.quick and postgres_can():
            url = stack.enter_context(postgres_server()).url
            figures = measure(Path(folder), url, size, rounds, analysts=20)
            result["postgresql"] = told("postgresql", figures)
    print(json.dumps(result))


def measure(folder: Path, url: str, size: Size, rounds: int, analysts: int = 0) -> Figures:
    """Fill the store at ``url`` unless it is filled, serve it, return what was measured."""
    with closing(open_store(url)) as store:
        filled = bool(store.status(time.time()).streams)
    if not filled:
        begun = time.monotonic()
        print(f"filled with {fill(url, size)} in {time.monotonic() - begun:.0f} s", flush=True)
    with ExitStack() as stack:
        address = stack.enter_context(board(folder, url))
        store = stack.enter_context(closing(open_store(url, migrate=False)))
        browser = stack.enter_context(chromium())
        figures: Figures = {"first_rows": []}
        for _ in range(max(5, rounds // 6)):
            screen = Screen(browser, link(store, address))
            figures["first_rows"] = [*figures["first_rows"], screen.first_rows_ms]
            screen.close()
        screen = Screen(browser, link(store, address))
        figures |= one_analyst(screen, rounds, size)
        figures["filter_or_sort"] = filters(store, address, rounds)
        arrivals = Arrivals(store)
        figures["candidate_to_screen"] = [arrivals.seen_ms(screen) for _ in range(rounds // 3)]
        if analysts:
            with crowd(store, address, analysts) as times:
                seen = one_analyst(screen, rounds, size)
            figures["crowd_verdict"] = times
            for name in ("key_painted", "verdict_stored", "preview"):
                figures[f"crowd_{name}"] = seen[name]
        arrivals.many(screen, EIGHT_HOURS if rounds > 20 else 200)
        figures["heap_mb"] = [screen.heap_mb()]
        assert not screen.errors, screen.errors
        screen.close()
    return figures


def one_analyst(screen: Screen, rounds: int, size: Size) -> Figures:
    """Move, decide, open, jump; return the times."""
    moves = [screen.move() for _ in range(rounds)]
    verdicts = [screen.decide() for _ in range(rounds)]
    pages = [screen.open_and_back() for _ in range(rounds // 3)]
    places = np.linspace(0.1, 0.9, rounds // 3)
    jumps = [screen.jump(int(place * size.clusters * 0.9)) for place in places]
    screen.jump(0)
    return {
        "key_painted": [painted for painted, _ in (*moves, *verdicts)],
        "preview": [preview for _, preview in moves],
        "verdict_stored": [stored for _, stored in verdicts],
        "cluster_page": pages,
        "jump": jumps,
    }


def filters(store: Store, address: str, rounds: int) -> Sequence[float]:
    """Return how long the server takes for the first rows of a filter or an order."""
    times = []
    with httpx.Client(base_url=address, timeout=30) as client:
        token = link(store, address).rpartition("=")[2]
        assert client.post("/sign-in", data={"token": token}).status_code == 303
        for number in range(max(rounds, len(FILTERS))):
            begun = time.perf_counter()
            path = f"/api/v1/queue?limit=100&{FILTERS[number % len(FILTERS)]}"
            client.get(path).raise_for_status()
            times.append(1000 * (time.perf_counter() - begun))
            if number < len(FILTERS):
                print(f"  {FILTERS[number]:<34} {times[-1]:6.0f} ms", flush=True)
    return times


@contextmanager
def board(folder: Path, url: str) -> Iterator[str]:
    """Serve the store in a process of its own; give its address."""
    (port,) = free_ports(1)
    address = f"http://127.0.0.1:{port}"
    output = folder / f"board-{port}.txt"
    given = ("--store", url, "--data", str(folder), "--port", str(port))
    with ended(start("board", *given, output=output)) as process:
        wait_for(lambda: answers(address), 60, "board")
        yield address
        end(process)


def answers(address: str) -> bool:
    """Return whether the board answers."""
    try:
        return httpx.get(f"{address}/health", timeout=2).is_success
    except httpx.TransportError:
        return False


def link(store: Store, address: str) -> str:
    """Return a fresh sign-in link of somebody new."""
    actor = Actor(f"analyst-{secrets.token_hex(3)}", "analyst")
    return f"{address}/sign-in?token={store.new_sign_in(actor, time.time(), 3600)}"


def told(name: str, figures: Figures) -> Mapping[str, float]:
    """Print the p95 of each figure beside its budget; return them."""
    print(f"\n{name:<24} {'p50':>7} {'p95':>7} {'budget':>7}      n")
    found = {}
    for key, times in figures.items():
        middle, high = np.quantile(times, [0.5, 0.95])
        late = "  late" if high > BUDGETS[key] else ""
        print(f"{key:<24} {middle:7.0f} {high:7.0f} {BUDGETS[key]:7} {len(times):6}{late}")
        found[key] = round(float(high), 1)
    print(flush=True)
    return found


if __name__ == "__main__":
    main()
