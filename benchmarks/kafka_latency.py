"""How late clusters and verdicts are: two workers and a grouper on Kafka and PostgreSQL."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from confluent_kafka import Producer
from sqlalchemy import make_url

from benchmarks.fleet import Fleet
from benchmarks.kill import ANALYST
from benchmarks.pipeline import FEATURES, as_json, generated_rows, stream_config
from benchmarks.processes import wait_for
from streaming.transports.registry import open_transport
from streaming.verified import message_of
from triage.commands import RecordVerdict
from triage.errors import Refused
from triage.handlers import Triage
from triage.model import VerdictKind
from triage.queries import QueueFilter
from triage.store.base import Store
from triage.store.store import open_store

TOPIC = "late"
PARTITIONS = 4
WORKERS = 2
TICK_S = 0.01  # seconds between two sendings
LOOK_S = 0.02  # seconds between two looks at the database
VERDICT_S = 0.5  # seconds between two verdicts
START_S = 120.0
IN_FORCE_S = 60.0
CAUGHT_UP_S = 1.0  # so late, at most, is what has been committed when counting begins
ROWS = 20_000  # different events, sent again and again
WARM_UP = 16_384  # events; the first trees have been built when counting begins

NEW = """SELECT m.seq, c.event_time FROM members m JOIN candidates c USING (candidate_id)
WHERE m.cluster_id IS NOT NULL AND m.seq > %s ORDER BY m.seq"""


@dataclass(slots=True)
class Latencies:
    """Seconds from an event's sending to its cluster, and from a verdict until it is in force."""

    rate: float
    clusters: list[float] = field(default_factory=list)
    verdicts: list[float] = field(default_factory=list)


def latencies(folder: Path, address: str, store_url: str, rate: float, seconds: float) -> Latencies:
    """Run the processes at this rate of events for so long."""
    url = f"kafka://{address}?prefix=late"
    config = folder / "late.yaml"
    config.write_text(_config(), encoding="utf-8")
    transport = open_transport(url, time.time)
    transport.ensure_topic(TOPIC, PARTITIONS)
    transport.close()
    store = open_store(store_url)
    fleet = Fleet(folder, config, url, store_url, WORKERS)
    over, found = threading.Event(), Latencies(rate)
    feeder = threading.Thread(target=_feed, args=(address, rate, over), daemon=True)
    try:
        fleet.start(*fleet.workers, "grouper")
        wait_for(fleet.ready, START_S, "workers")
        feeder.start()
        with psycopg.connect(_address(store_url), autocommit=True) as connection:
            wait_for(lambda: _warm(connection), START_S, "end of the warm-up")
            _observe(connection, store, found, seconds)
    finally:
        over.set()
        if feeder.ident:
            feeder.join()
        fleet.close()
        store.close()
    return found


def _config() -> str:
    text = stream_config([f"x{i}" for i in range(FEATURES)], 0)
    text = text.replace("stream: bench", "stream: late").replace(
        "fields: {", "fields: {sent: time, ", 1
    )
    return text + f"time: sent\nsource: {{topic: {TOPIC}, partitions: {PARTITIONS}}}\n"


def _feed(address: str, rate: float, over: threading.Event) -> None:
    """Send events with the time of their sending, at a steady rate."""
    producer = Producer({"bootstrap.servers": address, "linger.ms": 5, "compression.type": "lz4"})
    rows, begun, sent = _rows(), time.monotonic(), 0
    while not over.wait(TICK_S):
        due = int(rate * (time.monotonic() - begun))
        stamp = b'{"sent":%.3f,' % time.time()
        for number in range(sent, due):
            _send(producer, stamp + next(rows), number % PARTITIONS)
        sent = max(sent, due)
        producer.poll(0)
    producer.flush(10)


def _send(producer: Producer, value: bytes, partition: int) -> None:
    """Send an event; it has its time already, so what waits for a busy broker counts as late."""
    while True:
        try:
            producer.produce(TOPIC, value, partition=partition)
        except BufferError:
            producer.poll(TICK_S)
        else:
            return


def _rows() -> Iterator[bytes]:
    X, _ = generated_rows(ROWS, 5)
    bodies = [row[1:] for row in as_json([f"x{i}" for i in range(FEATURES)], X)]
    while True:
        yield from bodies


def _observe(
    connection: psycopg.Connection[tuple[int, float]],
    store: Store,
    found: Latencies,
    seconds: float,
) -> None:
    """Watch clusters come, and give a verdict now and then."""
    until, decide_at, seen = time.monotonic() + seconds, 0.0, _newest(connection)
    waiting: tuple[float, int] | None = None
    while time.monotonic() < until:
        for seq, sent in connection.execute(NEW, (seen,)).fetchall():
            found.clusters.append(time.time() - sent)
            seen = seq
        if waiting and _in_force(connection) >= waiting[1]:
            found.verdicts.append(time.monotonic() - waiting[0])
            waiting, decide_at = None, time.monotonic() + VERDICT_S
        if waiting is None and time.monotonic() >= decide_at:
            waiting = _decide(store)
        time.sleep(LOOK_S)


def _decide(store: Store) -> tuple[float, int] | None:
    """Give a verdict on the first open cluster; return when, and the position of its labels."""
    rows = [row for row in store.queue(QueueFilter(), 0, 5).rows if row.stream == "late"]
    detail = store.cluster(rows[0].cluster_id, 3) if rows else None
    if detail is None:
        return None
    row = detail.row
    read = tuple(member.candidate.candidate_id for member in detail.members)
    key = f"{row.cluster_id}/{row.revision}"
    command = RecordVerdict(row.cluster_id, VerdictKind.REAL, row.revision, read, key)
    begun = time.monotonic()
    try:
        Triage(store, message_of).handle(command, ANALYST, time.time())
    except Refused:
        return None  # it has grown meanwhile: look again
    return begun, store.label_position("late")


def _in_force(connection: psycopg.Connection[tuple[int, float]]) -> int:
    query = "SELECT min(label_position) FROM partitions WHERE stream = 'late'"
    return int((connection.execute(query).fetchone() or (0,))[0] or 0)


def _newest(connection: psycopg.Connection[tuple[int, float]]) -> int:
    row = connection.execute("SELECT max(seq) FROM members").fetchone()
    return int((row or (0,))[0] or 0)


def _warm(connection: psycopg.Connection[tuple[int, float]]) -> bool:
    """Return whether the workers have warmed up and worked off what came meanwhile."""
    query = """SELECT count(*), min(accepted), min(last_event_time) FROM partitions
    WHERE stream = 'late'"""
    found: Any = connection.execute(query).fetchone()
    count, least, newest = found
    return count == PARTITIONS and least >= WARM_UP and time.time() - (newest or 0) < CAUGHT_UP_S


def _address(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
