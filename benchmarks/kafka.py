"""What the service costs and how late it is on Kafka and PostgreSQL: ``make bench-kafka``.

A topic of four partitions is filled with events of ten numbers. Then, each in a process of its own
and over the same events: the bare clients with a JSON decoder; ``triage worker``'s own loop through
kafka-python and through librdkafka; two of them sharing the partitions. Figures are of processor
time (all threads of the process), so that other work on the machine counts as little as possible.
Then the real processes, two workers and a grouper, at half of the speed at which one worker has
worked off the backlog: how long from an event's sending until its candidate is in a cluster in
PostgreSQL, and from a verdict until every partition has been committed with it in force. The last
line is one line of JSON. ``--only costs`` and ``--only latencies`` are its two halves; the second
takes ``--rate``, or lets one worker work off the backlog first to know it. ``--only backlog`` is
a real worker over a backlog, of ``--events 1000000`` for instance.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from benchmarks.kafka_backlog import STREAM, Backlog, work_off
from benchmarks.kafka_latency import Latencies, latencies
from benchmarks.pipeline import FEATURES, as_json, generated_rows, stream_config
from streaming.transports.registry import open_transport
from tests.support.java_kafka import java_kafka
from tests.support.postgres_server import postgres_server

EVENTS = 300_000
WARM = 100_000  # first events of a reader that are not counted
PARTITIONS = 4
CHUNK = 100_000  # events made at a time
TOPIC = "bench"
DELAY = "group.initial.rebalance.delay.ms=8000\n"  # so that two workers join at once
READ_S = 900.0  # then a reader is stuck
NAMES = [f"x{i}" for i in range(FEATURES)]


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--seconds", type=int, default=30, help="How long latencies are measured.")
    parser.add_argument("--only", choices=["costs", "latencies", "backlog"], help="A part of it.")
    parser.add_argument(
        "--rate", type=float, help="Events per second while latencies are measured."
    )
    options = parser.parse_args()
    print(f"load at the start: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with (
        tempfile.TemporaryDirectory(prefix="triage-bench-") as folder,
        java_kafka(DELAY, flags=()) as broker,
        postgres_server() as server,
    ):
        if not options.rate or options.only != "latencies":
            fill(broker.address, rows(options.events), PARTITIONS)
        order = {
            "url": f"kafka://{broker.address}",
            "fast": f"kafka+librdkafka://{broker.address}",
            "store": server.url,
            "topic": TOPIC,
            "partitions": PARTITIONS,
            "warm": min(WARM, options.events // 5),
        }
        told: dict[str, float] = {}
        rate = options.rate
        if options.only == "backlog":
            config = _worker(STREAM)["config"]
            done = work_off(Path(folder), config, order["url"], server.url, options.events)
            print(f"load at the end: {os.getloadavg()[0]:.1f}")
            print(json.dumps(of_backlog(done)))
            return
        if options.only != "latencies":
            found = costs(order)
            tell_costs(found)
            told |= of_costs(found)
            rate = rate or found["worker"]["events_per_s"] / 2
        if options.only != "costs":
            rate = rate or read({**order, **_worker("one")})["events_per_s"] / 2
            late = latencies(Path(folder), broker.address, server.url, rate, options.seconds)
            told |= of_latencies(late)
    print(f"load at the end: {os.getloadavg()[0]:.1f}")
    print(json.dumps(told))


def rows(events: int) -> Iterator[bytes]:
    """Yield the events of ``make bench-pipeline``."""
    for seed, start in enumerate(range(0, events, CHUNK)):
        X, _ = generated_rows(min(CHUNK, events - start), seed)
        yield from as_json(NAMES, X)


def fill(address: str, values: Iterator[bytes], partitions: int) -> None:
    """Make the topic and write the events into it, one partition after the other in turn."""
    producer = Producer({"bootstrap.servers": address, "linger.ms": 20, "compression.type": "lz4"})
    transport = open_transport(f"kafka://{address}", time.time)
    transport.ensure_topic(TOPIC, partitions)
    transport.close()
    for number, value in enumerate(values):
        while True:
            try:
                producer.produce(TOPIC, value, partition=number % partitions)
                break
            except BufferError:
                producer.poll(0.1)
    if producer.flush(60) > 0:
        raise RuntimeError("the topic could not be filled")


def costs(order: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what each kind of reader reports; of two workers the sum."""
    fast = {**order, "url": order["fast"]}
    found = {
        "bare": read({**order, "kind": "bare"}),
        "bare_json": read({**order, "kind": "bare_json"}),
        "worker": read({**order, **_worker("one")}),
        "bare_librdkafka": read({**fast, "kind": "bare_librdkafka"}),
        "librdkafka": read({**fast, **_worker("fast")}),
    }
    both = read_together([{**order, **_worker("two"), "warm": order["warm"] // 2}] * 2)
    cpu, counted = (sum(each[name] for each in both) for name in ("cpu_s", "counted"))
    found["two"] = {"us": 1e6 * cpu / counted, "events": sum(each["events"] for each in both)}
    return found


def _worker(name: str) -> Mapping[str, str]:
    config = stream_config(NAMES, 0).replace("stream: bench", f"stream: {name}")
    config += f"source: {{topic: {TOPIC}, partitions: {PARTITIONS}}}\n"
    return {"kind": "worker", "config": config}


def read(order: Mapping[str, Any]) -> dict[str, Any]:
    """Return what one reader reports."""
    return read_together([order])[0]


def read_together(orders: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Start readers, let them begin at the same moment, and return what they report."""
    command = (sys.executable, "-m", "benchmarks.kafka_client")
    started = [
        subprocess.Popen(
            [*command, json.dumps(order)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for order in orders
    ]
    try:
        for each in started:
            assert each.stdout
            each.stdout.readline()
        said = []
        for each in started:
            assert each.stdin
            each.stdin.write("\n")
            each.stdin.flush()
        for each in started:
            out, _ = each.communicate(timeout=READ_S)
            if each.returncode:
                raise RuntimeError(f"a reader ended with {each.returncode}")
            said.append(json.loads(out.splitlines()[-1]))
        return said
    finally:
        for each in started:
            each.kill()
            each.wait()


def tell_costs(found: Mapping[str, Mapping[str, Any]]) -> None:
    """Print what the readers have reported."""
    for name in ("bare", "bare_json", "worker", "bare_librdkafka", "librdkafka", "two"):
        each = found[name]
        print(f"{name}: {each['us']:.2f} us of processor time per event, {each['events']:,} events")
    for name in ("worker", "librdkafka"):
        print(f"{name}, us by stage: {json.dumps(stages(found[name]))}")
        rss, peak = found[name]["rss_mb"], found[name]["rss_mb_peak"]
        print(f"{name}, MB after the first events and at most: {rss:.0f}, {peak:.0f}", flush=True)


def of_costs(found: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Return what is wanted of the readers."""
    worker, bare = found["worker"]["us"], found["bare"]["us"]
    return {
        "bare_us": round(bare, 2),
        "bare_json_us": round(found["bare_json"]["us"], 2),
        "worker_us": round(worker, 2),
        "worker_ratio": round(worker / bare, 2),
        "librdkafka_eps": round(1e6 / found["librdkafka"]["us"]),
        "two_workers_ratio": round(found["two"]["us"] / worker, 2),
        "backlog_mb": round(found["worker"]["rss_mb_peak"] - found["worker"]["rss_mb"]),
    }


def of_backlog(done: Backlog) -> dict[str, float | list[int]]:
    """Return how fast a real worker was over the backlog, and in what memory."""
    return {
        "backlog_events": done.events,
        "backlog_s": round(done.seconds, 1),
        "backlog_eps": round(done.events / done.seconds),
        "backlog_us": round(1e6 * done.cpu_s / done.events, 2),
        "backlog_peaks_mb": [round(peak) for peak in done.peaks_mb],
    }


def of_latencies(late: Latencies) -> dict[str, float]:
    """Return how late clusters and verdicts were."""
    return {
        "event_to_cluster_p50_s": round(statistics.median(late.clusters), 3),
        "event_to_cluster_p99_s": round(percentile(late.clusters, 0.99), 3),
        "verdict_in_force_p99_s": round(percentile(late.verdicts, 0.99), 3),
        "clusters": len(late.clusters),
        "verdicts": len(late.verdicts),
        "rate": round(late.rate),
    }


def stages(report: Mapping[str, Any]) -> Mapping[str, float]:
    """Return microseconds per event; polling has what no stage of the calling thread is charged."""
    spent = report["stages"]
    learning = spent["pipeline"] - spent["decode"] - spent["features"]
    parts = {
        "poll": report["us"] - spent["pipeline"] - spent["commit"],
        "decode": spent["decode"],
        "features": spent["features"],
        "score and learn": learning,
        "commit": spent["commit"],
    }
    return {name: round(us, 2) for name, us in parts.items()}


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that so many are at most."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


if __name__ == "__main__":
    main()
