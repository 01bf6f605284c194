"""Faults that are told from begin to end, each on a stream of its own; see ``make faults``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.dirty import keep_account
from benchmarks.fence import freeze_in_its_batch
from benchmarks.halts import HALTS
from benchmarks.processes import TRIAGE
from benchmarks.story import Act, Story, Told
from tests.support.java_kafka import JavaKafka
from tests.support.postgres_server import PostgresServer

STORIES: Mapping[str, Act] = {
    **HALTS,
    "freeze_in_its_batch": freeze_in_its_batch,
    "dirty_stream": keep_account,
}
MANY = 1_000_000


def tell(
    fault: str,
    folder: Path,
    broker: JavaKafka,
    server: PostgresServer,
    number: int,
    program: Sequence[str] = TRIAGE,
    many: int = MANY,
) -> Told:
    """Go through one story, with that program as the service, and ``many`` dirty events."""
    name = f"{fault}-{number}".replace("_", "-")
    story = Story(folder / name, broker, server, name, program, many)
    try:
        seconds, found = STORIES[fault](story)
    finally:
        story.close()
    return Told(story.events, seconds, found)
