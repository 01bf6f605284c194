"""What clusters and feedback are worth each: the stream replayed without the one or the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.loop.discovery import interval
from benchmarks.loop.report import table
from streaming.config.load import load
from streaming.config.model import StreamConfig
from streaming.evaluate.stream import StreamSettings, evaluate_stream
from streaming.sources.registry import open_source

EXAMPLE = Path(__file__).parents[2] / "examples" / "streams" / "payments.yaml"
EVENTS = 40_000
BUDGET = 3  # looks per thousand events
OPENINGS = (1, 2, 4)  # cost of opening a cluster, in items read


@dataclass(frozen=True, slots=True)
class Arm:
    """What is left of the loop. ``error``: probability of a wrong verdict."""

    clusters: bool = True
    feedback: bool = True
    error: float = 0.0


ARMS: Mapping[str, Arm] = {
    "clusters and feedback": Arm(),
    "feedback without clusters": Arm(clusters=False),
    "clusters without feedback": Arm(feedback=False),
    "neither": Arm(clusters=False, feedback=False),
    "5 % wrong verdicts": Arm(error=0.05),
    "17 % wrong verdicts": Arm(error=0.17),
    "25 % wrong verdicts": Arm(error=0.25),
}
"""A verdict is on a cluster, so a wrong one is wrong for all that was read of it."""


def ablations(seeds: Sequence[int]) -> tuple[Mapping[str, Any], str]:
    """Replay simulated payments in every arm; return figures by arm, and a table."""
    figures: dict[str, Any] = {}
    rows = []
    for name, arm in ARMS.items():
        results = [_replay(arm, seed) for seed in seeds]
        columns = {
            "looks": interval([one["looks"] for one in results]),
            "items read": interval([one["labels"] for one in results]),
            "real ones read": interval([_read(one) for one in results]),
            "ap": interval([one["ap"] or 0.0 for one in results]),
            "ap of never asked": interval([one["ap_unseen"] or 0.0 for one in results]),
        } | {
            f"real per 100 spent, opening = {cost}": interval(
                [100 * _read(one) / (cost * one["looks"] + one["labels"]) for one in results]
            )
            for cost in OPENINGS
        }
        figures[name] = columns
        rows.append([name, *(f"{mean:g} ± {half:g}" for mean, half in columns.values())])
        print(table([name, "mean", "±"], [[k, *v] for k, v in columns.items()]), flush=True)
    return figures, table(["", *figures["neither"]], rows)


def _replay(arm: Arm, seed: int) -> Mapping[str, Any]:
    config: StreamConfig = load(EXAMPLE)
    if not arm.clusters:
        alone = config.clustering.model_copy(update={"max_size": 1})
        config = config.model_copy(update={"clustering": alone})
    source = open_source(f"payments_simulator?seed={300 + seed}&events={EVENTS}", config)
    settings = StreamSettings(BUDGET, error=arm.error, seed=seed, feedback=arm.feedback)
    return evaluate_stream(config, source, "label", settings, clock=lambda: 0.0)


def _read(result: Mapping[str, Any]) -> int:
    return int(max(result["found"].values(), default=0))
