"""What analysts find with a drafted config, beside one that was written by hand.

``make bench-drafts``. ``triage sample`` draws from each labelled stream and drafts a config, as on
the first day; an analyst reads the ten best clusters of each thousand events, with and without
feedback. Where ``examples/streams`` has a config for the stream it is run beside. ``read``: real
anomalies among what was read; ``ap``: average precision over all events. The last line is one line
of JSON.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from streaming.config.load import load, parse
from streaming.config.model import StreamConfig
from streaming.evaluate.span import Span
from streaming.evaluate.stream import StreamSettings, evaluate_stream
from streaming.sample.draft import draft
from streaming.sample.draw import draw_from_source
from streaming.sample.profile import profile_of
from streaming.sample.roles import roles_of
from streaming.sources.registry import open_source
from tests.support.data import DATA_FOLDER

EXAMPLES = Path("examples/streams")
ROWS = 50_000  # events that a draft is made from, as by default
READ = 5_000
LOOKS, EVERY = 10, Span(1_000)


@dataclass(frozen=True, slots=True)
class Stream:
    """A labelled stream. ``hand``: the config beside; ``unwanted``: what would tell the answer."""

    name: str
    source: str
    unwanted: Sequence[str]
    hand: str | None = None


def main() -> None:
    """Run from the command line."""
    told: dict[str, Mapping[str, Mapping[str, float]]] = {}
    print(f"{'stream':24} {'config':8} {'read':>5} {'of':>6} {'ap':>6}   without: read     ap")
    with tempfile.TemporaryDirectory() as folder:
        for stream in _streams(Path(folder)):
            told[stream.name] = {kind: _run(stream, kind, it) for kind, it in _configs(stream)}
    print(json.dumps(told))


def _streams(folder: Path) -> Sequence[Stream]:
    aws = DATA_FOLDER / "aws_cloudtrail_stratus.parquet"
    leaks = ("LEAK_user_agent", "LEAK_user_agent_masked")
    return (
        *(
            Stream(f"payments, {days}", _payments(folder, seed, count), (), "payments")
            for seed, count, days in ((21, 30_000, "a day"), (22, 150_000, "five days"))
        ),
        Stream("kdd99", str(DATA_FOLDER / "kdd99_stream.parquet"), ("row", "row_src"), "network"),
        Stream("cloudtrail", str(aws), leaks, "cloudtrail"),
        Stream("registrations", str(DATA_FOLDER / "aws_registration_20k.parquet"), ()),
        Stream("servers", str(DATA_FOLDER / "asd_12servers.parquet"), ("part", "t")),
    )


def _payments(folder: Path, seed: int, count: int) -> str:
    """Write so many simulated payments to a file; return its name."""
    source = open_source(f"payments_simulator?seed={seed}", load(EXAMPLES / "payments.yaml"))
    path = folder / f"payments-{seed}.jsonl"
    position = written = 0
    with path.open("wb") as file:
        while written < count:
            chunk = source.read(position, min(READ, count - written))
            position, written = chunk.position, written + len(chunk.rows)
            file.writelines(row.value + b"\n" for row in chunk.rows)
    return str(path)


def _configs(stream: Stream) -> Sequence[tuple[str, StreamConfig]]:
    sample = draw_from_source(stream.source, ROWS, lambda events: None)
    profile = profile_of(sample)
    drafted = parse(draft(sample, profile, roles_of(profile, stream.unwanted)), stream.name)
    hand = [("by hand", load(EXAMPLES / f"{stream.hand}.yaml"))] if stream.hand else []
    return [*hand, ("drafted", drafted)]


def _run(stream: Stream, kind: str, config: StreamConfig) -> Mapping[str, float]:
    found: dict[str, float] = {}
    for what, feedback in (("", True), ("_without", False)):
        asked = StreamSettings(LOOKS, EVERY, feedback=feedback)
        with closing(open_source(stream.source, config)) as source:
            result = evaluate_stream(config, source, "label", asked, time.perf_counter)
        found[f"read{what}"] = max(result["found"].values(), default=0)
        found[f"ap{what}"] = result["ap"]
        found["real"] = result["anomalies"]
    print(
        f"{stream.name:24} {kind:8} {found['read']:5,.0f} {found['real']:6,.0f} {found['ap']:6.3f}"
        f"          {found['read_without']:5,.0f} {found['ap_without']:6.3f}",
        flush=True,
    )
    return found


if __name__ == "__main__":
    main()
