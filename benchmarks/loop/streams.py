"""What clusters and feedback are worth each: the stream replayed without the one or the other."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.intervals import interval
from benchmarks.loop.report import table
from streaming.config.load import load
from streaming.config.model import StreamConfig
from streaming.evaluate.stream import StreamSettings, evaluate_stream
from streaming.sources.base import Source
from streaming.sources.registry import open_source

EXAMPLE = Path(__file__).parents[2] / "examples" / "streams" / "payments.yaml"
EVENTS = 40_000
POINTS = 80  # of a curve
BUDGET = 3  # looks per thousand events
OPENINGS = (1, 2, 4)  # cost of opening a cluster, in items read


@dataclass(frozen=True, slots=True)
class Arm:
    """What is left of the loop. ``error``: probability of a wrong verdict."""

    clusters: bool = True
    feedback: bool = True
    error: float = 0.0
    random: bool = False


ARMS: Mapping[str, Arm] = {
    "clusters and feedback": Arm(),
    "feedback without clusters": Arm(clusters=False),
    "clusters without feedback": Arm(feedback=False),
    "neither": Arm(clusters=False, feedback=False),
    "random looks": Arm(random=True),
    "5 % wrong verdicts": Arm(error=0.05),
    "17 % wrong verdicts": Arm(error=0.17),
    "25 % wrong verdicts": Arm(error=0.25),
}
"""A verdict is on a cluster, so a wrong one is wrong for all that was read of it."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """One run.

    Attributes:
        result: what ``triage evaluate`` prints.
        first: kind of anomaly -> events from its first one to the first one read; None if none was.
        curve: real anomalies read, at ``POINTS`` places at even distances.
    """

    result: Mapping[str, Any]
    first: Mapping[str, int | None]
    curve: Sequence[int]

    @property
    def read(self) -> int:
        """How many real anomalies were read."""
        return self.curve[-1]


@dataclass(frozen=True, slots=True)
class Ablations:
    """Figures by arm, two tables, and a curve by arm."""

    figures: Mapping[str, Any]
    text: str
    curves: Mapping[str, Sequence[float]]


def ablations(seeds: Sequence[int]) -> Ablations:
    """Replay simulated payments in every arm."""
    figures: dict[str, Any] = {}
    curves: dict[str, Sequence[float]] = {}
    rows, waits = [], []
    columns: Mapping[str, tuple[float, float]] = {}
    first: Mapping[str, float | None] = {}
    for name, arm in ARMS.items():
        runs = [_replay(arm, seed) for seed in seeds]
        columns = _columns(runs)
        first = {kind: _mean([run.first[kind] for run in runs]) for kind in runs[0].first}
        figures[name] = {**columns, "events to the first read": first}
        curves[name] = np.mean([run.curve for run in runs], axis=0).tolist()
        rows.append([name, *(f"{mean:g} ± {half:g}" for mean, half in columns.values())])
        waits.append([name, *(None if wait is None else round(wait) for wait in first.values())])
        print(table([name, "mean", "±"], [[k, *v] for k, v in columns.items()]))
        print(f"events to the first read: {first}", flush=True)
    text = table(["", *columns], rows)
    text += "\nEvents from the first of a kind to the first one read:\n\n"
    return Ablations(figures, text + table(["", *first], waits), curves)


def _columns(runs: Sequence[Replayed]) -> Mapping[str, tuple[float, float]]:
    results = [run.result for run in runs]
    return {
        "looks": interval([one["looks"] for one in results]),
        "items read": interval([one["labels"] for one in results]),
        "real ones read": interval([run.read for run in runs]),
        "items per real one": interval([one.result["labels"] / max(one.read, 1) for one in runs]),
        "ap": interval([one["ap"] or 0.0 for one in results]),
        "ap of never asked": interval([one["ap_unseen"] or 0.0 for one in results]),
    } | {
        f"real per 100 spent, opening = {cost}": interval(
            [100 * run.read / (cost * run.result["looks"] + run.result["labels"]) for run in runs]
        )
        for cost in OPENINGS
    }


def _mean(waits: Sequence[int | None]) -> float | None:
    """Return the mean; None if any run never read one."""
    known = [wait for wait in waits if wait is not None]
    return float(np.mean(known)) if len(known) == len(waits) else None


def _replay(arm: Arm, seed: int) -> Replayed:
    config: StreamConfig = load(EXAMPLE)
    if not arm.clusters:
        alone = config.clustering.model_copy(update={"max_size": 1})
        config = config.model_copy(update={"clustering": alone})
    name = f"payments_simulator?seed={300 + seed}&events={EVENTS}"
    settings = StreamSettings(
        BUDGET, error=arm.error, seed=seed, feedback=arm.feedback, random=arm.random
    )
    read: list[tuple[int, int]] = []
    result = evaluate_stream(
        config,
        open_source(name, config),
        "label",
        settings,
        clock=lambda: 0.0,
        found=lambda place, events: read.append((place, events)),
    )
    places = kinds(open_source(name, config), "label_kind")
    at = np.sort([events for _, events in read])
    edges = np.linspace(0, EVENTS, POINTS)
    return Replayed(result, waits(places, read), np.searchsorted(at, edges, "right").tolist())


def kinds(source: Source, column: str) -> Mapping[str, frozenset[int]]:
    """Return kind of anomaly -> places of its events in the source, in the order of the kinds."""
    found: dict[str, set[int]] = defaultdict(set)
    position, place, done = 0, 0, False
    while not done:
        chunk = source.read(position, 5_000)
        for row in chunk.rows:
            kind = json.loads(row.value).get(column)
            if kind is not None:
                found[kind].add(place)
            place += 1
        position, done = chunk.position, chunk.done
    return {kind: frozenset(found[kind]) for kind in sorted(found)}


def waits(
    places: Mapping[str, frozenset[int]], read: Sequence[tuple[int, int]]
) -> Mapping[str, int | None]:
    """Return kind -> events from its first event to when one of its events was first read.

    ``read``: place of the event, events replayed by then.
    """
    out: dict[str, int | None] = {}
    for kind, own in places.items():
        seen = [events for place, events in read if place in own]
        out[kind] = min(seen) - min(own) if seen else None
    return out
