"""The parts of the board's benchmark. Each is bounded in time and gives figures by their names."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser

from benchmarks.board.analysts import crowd, decide
from benchmarks.board.arrivals import Arrivals
from benchmarks.board.costs import costs
from benchmarks.board.filled import Size
from benchmarks.board.limit import rounds
from benchmarks.board.screen import Screen
from benchmarks.board.served import Board, somebody
from triage.queries import QueueFilter

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
SLOW = 40_000  # rows down the queue: clusters that no other part decides
ANALYSTS = 20
CROWD_S = 30.0
HOURS_CHANGES = 8 * 3600 // 15  # clusters in eight hours: one each 15 s
HOURS_LOOKS = 20  # cluster pages opened meanwhile

Figures = Mapping[str, Sequence[float]]


@dataclass(frozen=True, slots=True)
class Bench:
    """What the parts work with. ``effort``: share of the rounds, 1 = all."""

    board: Board
    browser: Callable[[], Browser]
    size: Size
    effort: float

    def rounds(self, number: int) -> int:
        """Return how many rounds of so many are to be run."""
        return max(3, round(number * self.effort))

    @contextmanager
    def screen(self) -> Iterator[Screen]:
        """Sign somebody new in.

        Raises:
            RuntimeError: after the block, if a script of the page raised what nobody caught.
        """
        screen = Screen(self.browser(), self.board.link())
        try:
            yield screen
        finally:
            screen.close()
        if screen.errors:
            raise RuntimeError(f"{len(screen.errors)} errors on the page: {screen.errors[0]}")


def first(bench: Bench) -> Figures:
    """From the button of the sign-in page to rows; each time somebody new, then once more.

    A browser keeps the scripts from the first time on, and from the second what it made of them.
    """
    found: dict[str, list[float]] = {"first_rows": [], "first_rows_again": []}
    for _ in rounds(bench.rounds(10), 60):
        with bench.screen() as screen:
            found["first_rows"].append(screen.first_rows_ms)
            screen.sign_in(bench.board.link())
            found["first_rows_again"].append(screen.sign_in(bench.board.link()))
    return found


def keys(bench: Bench) -> Figures:
    """One analyst moves, decides, opens, jumps."""
    with bench.screen() as screen:
        return _one_analyst(bench, screen)


def _one_analyst(bench: Bench, screen: Screen) -> Figures:
    moves = [screen.move() for _ in rounds(bench.rounds(50), 20)]
    verdicts = [screen.decide() for _ in rounds(bench.rounds(50), 20)]
    pages = [screen.open_and_back() for _ in rounds(bench.rounds(20), 20)]
    jumps = [screen.jump(_place(bench, number)) for number in rounds(bench.rounds(60), 15)]
    screen.jump(0)
    return {
        "key_painted": [painted for painted, _ in (*moves, *verdicts)],
        "preview": [preview for _, preview in moves],
        "verdict_stored": [stored for _, stored in verdicts],
        "cluster_page": pages,
        "jump": jumps,
    }


def _place(bench: Bench, number: int) -> int:
    """Return a row far from those of the last jumps, at which no other of sixty was."""
    return int(bench.size.clusters * (0.1 + 0.7 * (number * 23 % 60) / 60))


def filters(bench: Bench) -> Figures:
    """How long the server takes for the first rows of a filter or an order."""
    times, spent = [], []
    with bench.board.client(somebody("filters")) as client:
        for number in rounds(bench.rounds(60), 40):
            where = FILTERS[number % len(FILTERS)]
            begun, before = time.perf_counter(), bench.board.processor_ms()
            client.get(f"/api/v1/queue?limit=100&{where}").raise_for_status()
            times.append(1000 * (time.perf_counter() - begun))
            spent.append(bench.board.processor_ms() - before)
            if number < len(FILTERS):
                print(f"  {where:<34} {times[-1]:6.0f} ms {spent[-1]:6.0f} of cpu", flush=True)
    return {"filter_or_sort": times, "filter_or_sort_cpu": spent}


def verdicts(bench: Bench) -> Figures:
    """Verdicts over HTTP, one after the other, nobody else at work."""
    rows = bench.board.store.queue(QueueFilter(order="newest"), SLOW, bench.rounds(40)).rows
    with bench.board.client(somebody("alone")) as client:
        decide(client, rows[0].cluster_id)
        before = bench.board.processor_ms()
        left = rounds(len(rows) - 1, 20)
        times = [decide(client, rows[number + 1].cluster_id) for number in left]
        spent = bench.board.processor_ms() - before
    return {"http_verdict": times, "look_and_verdict_cpu": [spent / len(times)]}


def arrivals(bench: Bench) -> Figures:
    """From a worker's commit to the screen."""
    source = Arrivals(bench.board.store)
    with bench.screen() as screen:
        found = [source.seen_ms(screen) for _ in rounds(bench.rounds(20), 30)]
    return {"candidate_to_screen": found}


def together(bench: Bench) -> Figures:
    """Twenty analysts over HTTP, and one browser beside them."""
    with bench.screen() as screen, crowd(bench.board, ANALYSTS) as times:
        begun, before = time.monotonic(), bench.board.processor_ms()
        seen = _one_analyst(bench, screen)
        left = CROWD_S * bench.effort - (time.monotonic() - begun)
        if left > 0:
            screen.page.wait_for_timeout(1000 * left)
        busy = (bench.board.processor_ms() - before) / 1000 / (time.monotonic() - begun)
    names = ("key_painted", "verdict_stored", "preview", "cluster_page", "jump")
    found = {f"crowd_{name}": seen[name] for name in names}
    return {"crowd_verdict": times, **found, "crowd_cores": [busy]}


def hours(bench: Bench) -> Figures:
    """As many clusters as come in eight hours, and pages opened meanwhile: the page's heap."""
    source = Arrivals(bench.board.store)
    looks = bench.rounds(HOURS_LOOKS)
    each = bench.rounds(HOURS_CHANGES) // looks
    with bench.screen() as screen:
        screen.open_and_back()  # what every page loads once
        heaps = [screen.heap_mb()]
        for _ in rounds(looks, 110):
            source.many(screen, each)
            screen.move()
            screen.open_and_back()
            heaps.append(screen.heap_mb())
        changed = (len(heaps) - 1) * each
    print(f"  heap, MB, over {changed} clusters: " + " ".join(f"{heap:.0f}" for heap in heaps))
    return {
        "heap_mb": [max(heaps)],
        "heap_growth_mb": [heaps[-1] - heaps[0]],
        "heap_clusters": [changed],
    }


def requests(bench: Bench) -> Figures:
    """What each request of a screen costs the server."""
    return costs(bench.board)


PARTS: Mapping[str, Callable[[Bench], Figures]] = {
    "requests": requests,
    "first": first,
    "keys": keys,
    "filters": filters,
    "verdicts": verdicts,
    "arrivals": arrivals,
    "together": together,
    "hours": hours,
}
