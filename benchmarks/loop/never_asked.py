"""How well three looks per 1,024 events order what nobody asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.learning import DATA, of_file, replay
from benchmarks.loop.discovery import interval
from streaming.evaluate.measures import average_precision

EVENTS = 100_000
LOOKS = 3
SHUFFLED: Mapping[str, bool] = {"adb_cover": True, "kdd99_stream": False}
"""Set -> whether its rows are shuffled, with seed 0: one has an order, the other has none."""


def never_asked(seeds: Sequence[int]) -> Mapping[str, Any]:
    """Replay both streams, a forest per seed; a set that the data folder lacks is left out."""
    figures: dict[str, Any] = {}
    for name, shuffled in SHUFFLED.items():
        path = DATA / f"{name}.parquet"
        if not path.is_file():
            print(f"bench-loop: no {path.name} in the data folder {DATA} (TRIAGE_DATA): skipped")
            continue
        X, truth = of_file(path, shuffled=shuffled)(EVENTS, 0)
        for kind, feedback in (("no feedback", False), ("feedback", True)):
            runs = [replay(X, truth, LOOKS, seed, feedback=feedback) for seed in seeds]
            precisions = [
                average_precision(run.margins[run.unasked], truth[run.unasked]) or 0.0
                for run in runs
            ]
            figures.setdefault(name, {})[kind] = {
                "ap of never asked": interval(precisions),
                "real ones read": interval([float(run.found) for run in runs]),
            }
            print(f"{name:14} {kind:12} {figures[name][kind]}", flush=True)
    return figures
