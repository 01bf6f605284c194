"""One reader of the topic of ``make bench-kafka``, as a process of its own.

Takes its orders as one line of JSON, says when its imports are done, begins when told to, and ends
with one line of JSON: processor time of all its threads per event, by stage, memory, speed. The
first events, in which kernels are loaded and memory grows to its size, are left out.
"""

from __future__ import annotations

import functools
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, NamedTuple

import orjson
from kafka import KafkaConsumer
from kafka import TopicPartition as KafkaPartition

from benchmarks.processes import peak_mb
from cli import memory
from detectors.features.feature_set import FeatureSet
from streaming.config.load import parse
from streaming.decode import Decoder
from streaming.pipeline import Outcome, PartitionPipeline
from streaming.records import Record
from streaming.transports._kafka_options import parse as parse_url
from streaming.transports._kafka_python.client import connect
from streaming.transports._kafka_python.reader import READER_SETTINGS
from streaming.transports._librdkafka.client import reading, take
from streaming.transports._librdkafka.errors import Told
from streaming.transports.base import no_secret
from streaming.transports.registry import open_transport
from streaming.worker import POLL_RECORDS, Worker
from triage.store.store import open_store

QUIET_POLLS = 40  # empty ones in a row: what was there has been read
POLL_S = 0.05


class Moment(NamedTuple):
    """How much processor time and events there had been at a time."""

    cpu: float
    wall: float
    seen: int


class Meter:
    """Counts events and processor time from ``warm`` events on."""

    def __init__(self, warm: int) -> None:
        self._warm = warm
        self._begun: Moment | None = None
        self._last = Moment(0.0, 0.0, 0)
        self._spent: dict[str, float] = defaultdict(float)
        self._stages: Mapping[str, float] = {}
        self._peak = 0.0
        self.seen = 0

    def saw(self, events: int) -> None:
        """Count events; those of idle rounds cost nothing."""
        if not events:
            return
        self.seen += events
        self._last = Moment(time.process_time(), time.monotonic(), self.seen)
        if self._begun is None and self.seen >= self._warm:
            self._begun = self._last
            self._spent.clear()
            self._peak = peak_mb()
        self._stages = dict(self._spent)

    def stage(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``work``, its time noted under ``name`` (the calling thread's)."""

        @functools.wraps(work)
        def timed(*arguments: Any, **named: Any) -> Any:
            begun = time.thread_time()
            try:
                return work(*arguments, **named)
            finally:
                self._spent[name] += time.thread_time() - begun

        return timed

    def report(self) -> dict[str, Any]:
        """Return the figures."""
        assert self._begun, "too few events"
        cpu, wall = self._last.cpu - self._begun.cpu, self._last.wall - self._begun.wall
        events = self._last.seen - self._begun.seen
        return {
            "us": 1e6 * cpu / events,
            "events": self.seen,
            "cpu_s": cpu,
            "counted": events,
            "events_per_s": events / wall,
            "stages": {name: 1e6 * seconds / events for name, seconds in self._stages.items()},
            "rss_mb": self._peak,
            "rss_mb_peak": peak_mb(),
        }


def bare(
    orders: Mapping[str, Any], meter: Meter, decode: Callable[[bytes], object] = orjson.loads
) -> None:
    """kafka-python and a JSON decoder, and nothing else."""
    consumer = connect(KafkaConsumer, parse_url(orders["url"], no_secret), **READER_SETTINGS)
    places = [KafkaPartition(orders["topic"], p) for p in range(orders["partitions"])]
    consumer.assign(places)
    consumer.seek_to_beginning(*places)

    def batches() -> Iterator[int]:
        while True:
            found = consumer.poll(int(POLL_S * 1000), max_records=POLL_RECORDS)
            for records in found.values():
                for record in records:
                    decode(record.value)
            yield sum(map(len, found.values()))

    read_all(batches(), meter)
    consumer.close(autocommit=False)


def bare_json(orders: Mapping[str, Any], meter: Meter) -> None:
    """The same with the standard library's decoder."""
    bare(orders, meter, json.loads)


def bare_librdkafka(orders: Mapping[str, Any], meter: Meter) -> None:
    """confluent-kafka and a JSON decoder, and nothing else."""
    consumer = reading(parse_url(orders["url"], no_secret), Told(), group_id="bare")
    topic = orders["topic"]
    consumer.subscribe([topic], on_assign=lambda own, new: own.assign([_at_start(p) for p in new]))

    def batches() -> Iterator[int]:
        while True:
            found = [one for one in take(consumer, POLL_RECORDS, POLL_S) if not one.error()]
            for one in found:
                orjson.loads(one.value() or b"")
            yield len(found)

    read_all(batches(), meter)
    consumer.close()


def _at_start(place: Any) -> Any:
    place.offset = 0
    return place


def worker(orders: Mapping[str, Any], meter: Meter) -> None:
    """The scoring worker, with each of its stages timed.

    The timers are put around the product's methods from outside, so that it carries none: hence
    the assignments to methods, which a type checker doesn't like.
    """
    config = parse(orders["config"], "bench.yaml")
    Decoder.decode = meter.stage("decode", Decoder.decode)  # type: ignore[method-assign]
    Decoder.columns = meter.stage("features", Decoder.columns)  # type: ignore[method-assign]
    FeatureSet.extract = meter.stage("features", FeatureSet.extract)  # type: ignore[method-assign]
    taken: list[int] = []
    whole = PartitionPipeline.process

    def process(self: PartitionPipeline, records: Sequence[Record]) -> Outcome:
        taken.append(len(records))
        return whole(self, records)

    PartitionPipeline.process = meter.stage("pipeline", process)  # type: ignore[method-assign]
    Worker._commit = meter.stage("commit", Worker._commit)  # type: ignore[method-assign]
    transport, store = open_transport(orders["url"], time.time), open_store(orders["store"])
    made = Worker(config, transport, store, time.time)
    memory.settle()

    def batches() -> Iterator[int]:
        while True:
            taken.clear()
            made.step()
            yield sum(taken)

    with closing(made):
        read_all(batches(), meter)
    transport.close()
    store.close()


def read_all(batches: Iterator[int], meter: Meter) -> None:
    """Go on until nothing has come for a while."""
    quiet = 0
    while quiet < QUIET_POLLS or not meter.seen:
        events = next(batches)
        meter.saw(events)
        quiet = 0 if events else quiet + 1


def main() -> None:
    """Run from ``benchmarks/kafka.py``."""
    orders = json.loads(sys.argv[1])
    meter = Meter(orders["warm"])
    print("ready", flush=True)
    sys.stdin.readline()
    kinds = {
        "bare": bare,
        "bare_json": bare_json,
        "bare_librdkafka": bare_librdkafka,
        "worker": worker,
    }
    kinds[orders["kind"]](orders, meter)
    print(json.dumps(meter.report()), flush=True)


if __name__ == "__main__":
    main()
