"""How well three looks per 1,024 events order what nobody asked about."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.intervals import interval
from benchmarks.learning import DATA, Run, of_file, replay
from streaming.evaluate.measures import average_precision
from triage.shares import Shares

EVENTS = 100_000
LOOKS = 3
SHUFFLED: Mapping[str, bool] = {"adb_cover": True, "kdd99_stream": False}
"""Set -> whether its rows are shuffled, with seed 0: one has an order, the other has none."""

KINDS: Mapping[str, Callable[..., Run]] = {
    "no feedback": functools.partial(replay, feedback=False),
    "feedback": functools.partial(replay, feedback=True),
    "feedback, shares of the board's queue": functools.partial(
        replay, feedback=True, shares=Shares()
    ),
    "no feedback, last block": functools.partial(replay, feedback=False, latest=True),
    "feedback, last block": functools.partial(replay, feedback=True, latest=True),
}
"""How looks choose: the likeliest of all candidates that wait; the same with one look in ten for
the most uncertain; the likeliest of the last 1,024 events, which leaves older ones for good."""


def never_asked(seeds: Sequence[int]) -> Mapping[str, Any]:
    """Replay both streams, a forest per seed; a set that the data folder lacks is left out."""
    figures: dict[str, Any] = {}
    for name, shuffled in SHUFFLED.items():
        path = DATA / f"{name}.parquet"
        if not path.is_file():
            print(f"bench-loop: no {path.name} in the data folder {DATA} (TRIAGE_DATA): skipped")
            continue
        X, truth = of_file(path, shuffled=shuffled)(EVENTS, 0)
        for kind, run_of in KINDS.items():
            runs = [run_of(X, truth, LOOKS, seed) for seed in seeds]
            precisions = [
                average_precision(run.margins[run.unasked], truth[run.unasked]) or 0.0
                for run in runs
            ]
            figures.setdefault(name, {})[kind] = {
                "ap of never asked": interval(precisions),
                "ap": interval([average_precision(run.margins, truth) or 0.0 for run in runs]),
                "real ones read": interval([float(run.found) for run in runs]),
            }
            print(f"{name:14} {kind:38} {figures[name][kind]}", flush=True)
    return figures
