"""A back-test of a million events of a topic, beside the bare pipeline on the same events.

``make bench-backtest``. One process pinned to one core. The back-test reads the embedded log's file
by the product's own reader, runs one config and compares what counts; the pipeline gets the records
of memory and does nothing with what it returns. Events per second are of processor time. The
back-test runs twice: the hash of all scores must be the same. The last line is one line of JSON.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import orjson
import threadpoolctl

from benchmarks.pipeline import POLL, Lines, generated, stream_config
from streaming.backtest.compare import compared
from streaming.backtest.judged import Judged
from streaming.backtest.run import run
from streaming.backtest.window import topic_window
from streaming.config.load import parse
from streaming.config.model import StreamConfig
from streaming.pipeline import PartitionPipeline
from streaming.records import OutRecord, Record
from streaming.transports.embedded import EmbeddedTransport

EVENTS = 1_000_000
PART = 50_000  # events drawn at a time
PUBLISHED = 10_000  # records of one publish
AIM = 0.5  # of the pipeline's speed


def fill(transport: EmbeddedTransport, events: int) -> None:
    """Write generated events to the topic ``bench``."""
    transport.ensure_topic("bench", 1)
    publisher = transport.publisher("bench")
    for part in range(events // PART):
        lines = drawn(part)
        for start in range(0, PART, PUBLISHED):
            records = [
                OutRecord("bench", None, line, timestamp_ms=part * PART + start + i)
                for i, line in enumerate(lines[start : start + PUBLISHED])
            ]
            publisher.publish(records, publisher.last_sequence() + 1)
    publisher.close()


def drawn(part: int) -> Lines:
    """Return a part of the events."""
    return generated(PART, seed=part)[0]


def backtest(transport: EmbeddedTransport, config: StreamConfig) -> tuple[float, dict[str, object]]:
    """Return seconds of processor time and the result."""
    started = time.process_time()
    window = topic_window(transport, config, 0, 0, 10 * EVENTS, Judged())
    result = compared(window, run(window, [config], time.process_time))
    return time.process_time() - started, result


def pipeline(config: StreamConfig, events: int) -> float:
    """Return seconds of processor time of the pipeline alone."""
    alone = PartitionPipeline(config, 0, "bench")
    seconds = 0.0
    for part in range(events // PART):
        records = [
            Record("bench", 0, part * PART + i, None, line) for i, line in enumerate(drawn(part))
        ]
        started = time.process_time()
        for start in range(0, PART, 2 * POLL):
            alone.process(records[start : start + 2 * POLL])
        seconds += time.process_time() - started
    return seconds


def main() -> int:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    events = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    config = parse(stream_config(list(orjson.loads(drawn(0)[0])), seed=1), "bench.yaml")
    with tempfile.TemporaryDirectory() as folder, threadpoolctl.threadpool_limits(1):
        transport = EmbeddedTransport(str(Path(folder) / "log.db"), time.time)
        print(f"{events:,} generated events of 10 numbers, one core", flush=True)
        pipeline(config, PART)  # compiles, imports, fills caches
        fill(transport, events)
        first, result = backtest(transport, config)
        print(f"  back-test {events / first:>9,.0f} events/s", flush=True)
        alone = pipeline(config, events)
        print(f"  pipeline  {events / alone:>9,.0f} events/s", flush=True)
        second, again = backtest(transport, config)
        print(f"  back-test {events / second:>9,.0f} events/s", flush=True)
        transport.close()
    share = alone / ((first + second) / 2)
    new, other = result["new"], again["new"]
    assert isinstance(new, dict)
    assert isinstance(other, dict)
    same = new["hash"] == other["hash"]
    figures = {
        "events": events,
        "backtest_eps": round(2 * events / (first + second)),
        "pipeline_eps": round(events / alone),
        "share_of_pipeline": round(share, 3),
        "same_hash_twice": same,
        "candidates": new["candidates"],
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    print(json.dumps(figures))
    return 0 if same and share >= AIM else 1


if __name__ == "__main__":
    sys.exit(main())
