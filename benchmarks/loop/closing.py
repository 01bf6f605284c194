"""What it costs not to close unread members, what audits cost, and whether the bound holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.intervals import interval
from benchmarks.loop.report import table
from benchmarks.loop.streams import EXAMPLE
from streaming.config.load import load
from streaming.config.model import StreamConfig
from streaming.evaluate.features import config_of_columns
from streaming.evaluate.rests import Closing
from streaming.evaluate.stream import StreamSettings, evaluate_stream
from streaming.sources.base import Chunk, Source
from streaming.sources.registry import open_source

EVENTS = 40_000
MODES: Mapping[str, Closing] = {
    "label one, close all": Closing.ALL,
    "closing off": Closing.OFF,
    "audited": Closing.AUDITED,
}
ERRORS: Mapping[str, tuple[float, bool]] = {
    "0 %": (0.0, False),
    "5 %": (0.05, False),
    "17 %": (0.17, False),
    "17 %, together": (0.17, True),
}
"""Probability of a wrong verdict; together: wrong for all of a cluster, its audits included."""
SHOWN = (
    *("looks", "labels", "real", "real_clusters", "closed_unread", "closed_wrongly", "reopened"),
    *("closings", "audits", "audits_wrong", "wrong_share", "wrong_bound"),
)


class First(Source):
    """The first events of a source."""

    def __init__(self, source: Source, events: int) -> None:
        self._source, self._events = source, events

    @property
    def name(self) -> str:
        """Return the name of the source."""
        return self._source.name

    @property
    def identities(self) -> Sequence[str]:
        """Return what the source is known by."""
        return self._source.identities

    @property
    def resumable(self) -> bool:
        """Return whether it can be read from any position."""
        return self._source.resumable

    def read(self, position: int, max_records: int) -> Chunk:
        """Return what comes next, up to the last event wanted."""
        chunk = self._source.read(position, min(max_records, self._events - position))
        return Chunk(chunk.rows, chunk.position, chunk.done or chunk.position >= self._events)

    def total(self) -> int:
        """Return how many events there are."""
        return self._events

    def close(self) -> None:
        """Close the source."""
        self._source.close()


@dataclass(frozen=True, slots=True)
class Replayed:
    """A stream with its analyst: ``budget`` looks per thousand events."""

    config: Callable[[], StreamConfig]
    source: str
    budget: int


def closing(data: Path, seeds: Sequence[int]) -> tuple[Mapping[str, Any], str]:
    """Replay each stream in each mode; return figures and a table.

    The public stream is skipped with a line where the data folder has none.
    """
    streams = {
        "payments, 3 looks": Replayed(
            lambda: load(EXAMPLE), f"payments_simulator?seed=SEED&events={EVENTS}", 3
        )
    }
    public = data / "kdd99_stream.parquet"
    if public.is_file():
        for budget in (3, 30):
            streams[f"kdd99, {budget} looks"] = Replayed(
                lambda: config_of_columns(public, "label"), str(public), budget
            )
    else:
        print(f"bench-loop: no {public.name} in the data folder (TRIAGE_DATA): skipped")
    figures: dict[str, Any] = {}
    rows = []
    for stream, replayed in streams.items():
        for wrong, (error, together) in ERRORS.items():
            for mode, how in MODES.items():
                results = [_replay(replayed, how, error, seed, together) for seed in seeds]
                columns = {
                    name: interval([float(one[name] or 0.0) for one in results]) for name in SHOWN
                }
                columns["bound below truth"] = interval(
                    [float(one["bound_ever_below"]) for one in results]
                )
                figures.setdefault(stream, {}).setdefault(wrong, {})[mode] = columns
                line = [stream, wrong, mode, *(f"{mean:g}" for mean, _ in columns.values())]
                rows.append(line)
                print(" | ".join(line), flush=True)
    head = ["per 1,000 events", "wrong verdicts", "unread members", *SHOWN, "bound below truth"]
    return figures, table(head, rows)


def _replay(
    replayed: Replayed, how: Closing, error: float, seed: int, together: bool
) -> Mapping[str, Any]:
    config = replayed.config()
    source = open_source(replayed.source.replace("SEED", str(300 + seed)), config)
    settings = StreamSettings(
        replayed.budget, error=error, seed=seed, together=together, closing=how
    )
    first = First(source, EVENTS)
    result = evaluate_stream(config, first, "label", settings, clock=lambda: 0.0)
    return {**result, "real": max(result["found"].values(), default=0)}
