"""A stream of its own on a broker and a server, for faults that are told from begin to end."""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from benchmarks.fleet import Feeder, Fleet
from benchmarks.kill import READ, STREAM, decide_some, verify
from benchmarks.processes import TRIAGE, start, wait_for
from cli.loop import EXIT_STOP
from streaming.config.load import load
from streaming.config.model import StreamConfig
from streaming.records import TopicPartition
from streaming.sources.registry import open_source
from streaming.transports.base import Transport
from streaming.transports.registry import open_transport
from tests.support.java_kafka import JavaKafka
from tests.support.postgres_server import PostgresServer
from triage.store.base import Store
from triage.store.store import open_store

PARTITIONS = 2
WORKERS = 2
RATE = 2_000.0  # events per second
FED = 16_000  # events between two acts of a story
WAIT_S = 240.0  # then it is broken, however busy the machine
LOOK_S = 0.5


class Story:
    """A stream of its own on the broker and the server, with all that happens to it."""

    def __init__(
        self,
        folder: Path,
        broker: JavaKafka,
        server: PostgresServer,
        name: str,
        program: Sequence[str] = TRIAGE,
        many: int = 0,
    ) -> None:
        self.many = many  # events, where the story says how many
        self.program = program
        folder.mkdir(parents=True)
        self._folder = folder
        self._server = server
        self._rng = random.Random(name)
        self._labels: dict[str, int] = {}
        self.name = name
        self.broker = broker
        self.events = 0
        self._sent = 0
        self.url = f"kafka://{broker.address}?prefix={name}"
        self.store_url = self.new_database(name)
        with opened(self.store_url):
            pass  # makes the tables
        self.config_path = folder / "stream.yaml"
        self.config = self.write_config(name)
        self.topic = str(self.config.source.topic)
        self.rows = payments(self.config, self._labels)
        self.transport: Transport = open_transport(self.url, time.time)
        self.transport.ensure_topic(self.topic, PARTITIONS)
        self.fleet = self.new_fleet()

    def write_config(self, stream: str) -> StreamConfig:
        """Write and return the stream's config, under that name and with the story's topic."""
        lines = STREAM.read_text(encoding="utf-8").splitlines()
        own = {
            "stream:": f"stream: {stream}",
            "source:": f"source: {{topic: {self.name}-events, partitions: {PARTITIONS}}}",
        }
        text = "\n".join(own.get(line.partition(" ")[0], line) for line in lines)
        self.config_path.write_text(text, encoding="utf-8")
        return load(self.config_path)

    def new_database(self, name: str) -> str:
        """Make an empty database on the server; return its URL."""
        with psycopg.connect(plain(self._server.url), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return make_url(self._server.url).set(database=name).render_as_string(hide_password=False)

    def new_fleet(self) -> Fleet:
        """Return processes for the config and the store as they are now, not started."""
        folder = self._folder / f"fleet-{time.monotonic_ns()}"
        folder.mkdir()
        begin = partial(start, program=self.program)
        return Fleet(folder, self.config_path, self.url, self.store_url, WORKERS, begin)

    def feed(self, *, work: bool = True) -> None:
        """Send so many events, and give verdicts meanwhile if the service works."""
        with self.feeding(RATE) as feeder:
            until = time.monotonic() + WAIT_S
            while feeder.sent - self._sent < FED:
                time.sleep(LOOK_S)
                if work:
                    self.decide()
                if time.monotonic() > until:
                    raise TimeoutError(f"not all events were sent within {WAIT_S:.0f} s")

    @contextlib.contextmanager
    def feeding(self, rate: float) -> Iterator[Feeder]:
        """Send events as long as the block lasts."""
        feeder = Feeder(self.url, self.topic, self.rows, rate, self._sent)
        try:
            yield feeder
        finally:
            sent = feeder.finish(WAIT_S)
            self.events, self._sent = self.events + sent - self._sent, sent

    def decide(self) -> None:
        """Give verdicts as an analyst would."""
        with opened(self.store_url) as store:
            decide_some(store, self._rng, self._labels)

    def decide_until_sent(self) -> None:
        """Give verdicts until there is something to be published."""

        def waits() -> bool:
            self.decide()
            with opened(self.store_url) as store:
                return bool(store.outbox_topics())

        wait_for(waits, WAIT_S, "verdict that is published", LOOK_S)

    def work_off(self, wait_s: float = WAIT_S) -> None:
        """Wait until all is processed, for so long at most, and published."""
        with opened(self.store_url) as store:
            wait_for(lambda: self._lag() == 0, wait_s, "end of the backlog", LOOK_S)
            wait_for(lambda: not store.outbox_topics(), WAIT_S, "empty outbox", LOOK_S)

    def halted(self, process: str, told: Sequence[str]) -> None:
        """Wait until the process has ended with status 3, and has said all of this."""
        status = self.fleet.ended(process, WAIT_S)
        said = self.fleet.said(process)
        if status != EXIT_STOP or not all(word in said for word in told):
            raise RuntimeError(f"{process} ended with {status}, and not with {told}:\n{said}")

    def triage(self, *arguments: str, status: int = 0) -> str:
        """Run a command; return what it printed."""
        done = subprocess.run(
            [*TRIAGE, *arguments], capture_output=True, check=False, text=True, timeout=WAIT_S
        )
        if done.returncode != status:
            raise RuntimeError(f"{arguments} ended with {done.returncode}:\n{done.stderr}")
        return done.stdout + done.stderr

    def places(self) -> Sequence[str]:
        """Return the options that name broker and database."""
        return ("--store", self.store_url, "--transport", self.url)

    def stop(self) -> None:
        """End all in order."""
        ended = self.fleet.stop(*self.fleet.names)
        if any(ended.values()):
            raise RuntimeError(f"not ended in order: {ended}")

    def close(self) -> None:
        """Leave no process behind."""
        self.fleet.close()
        self.transport.close()

    def _lag(self) -> int:
        """Return how many partitions hold records behind their stored positions."""
        positions = self.positions()
        places = [TopicPartition(self.topic, number) for number in range(PARTITIONS)]
        return sum(
            bool(self.transport.read(place, positions.get(place.partition, 0), 1))
            for place in places
        )

    def start(self) -> float:
        """Start all processes; return the seconds until every partition has moved on."""
        before = self.positions()
        begun = time.monotonic()
        self.fleet.start(*self.fleet.names)
        with self.feeding(RATE):
            wait_for(lambda: self._moved(before), WAIT_S, "recovery", LOOK_S)
        return time.monotonic() - begun

    def _moved(self, before: Mapping[int, int]) -> bool:
        now = self.positions()
        return len(now) == PARTITIONS and all(now[p] > before.get(p, 0) for p in now)

    def epochs(self) -> Mapping[int, int]:
        """Return how often each partition has been taken over."""
        return self._of_partitions("epoch")

    def positions(self) -> Mapping[int, int]:
        """Return how far each partition has been committed."""
        return self._of_partitions("next_offset")

    def _of_partitions(self, column: str) -> Mapping[int, int]:
        with psycopg.connect(plain(self.store_url)) as connection:
            asked = sql.SQL("SELECT partition, {} FROM partitions WHERE stream = %s")
            rows = connection.execute(asked.format(sql.Identifier(column)), [self.config.stream])
            return dict(rows.fetchall())


def plain(url: str) -> str:
    """Return the URL as psycopg takes it."""
    address = make_url(url).set(drivername="postgresql")
    return address.render_as_string(hide_password=False)


def payments(config: StreamConfig, labels: dict[str, int]) -> Iterator[tuple[bytes | None, bytes]]:
    """Yield rows without end, and note in ``labels`` what they really are."""
    source = open_source("payments_simulator", config)
    position = 0
    while True:
        chunk = source.read(position, READ)
        position = chunk.position
        for row in chunk.rows:
            event = json.loads(row.value)
            labels[str(event["tx_id"])] = int(event["label"])
            yield row.key, row.value


@contextlib.contextmanager
def opened(url: str) -> Iterator[Store]:
    """A store, as long as the block lasts."""
    store = open_store(url)
    try:
        yield store
    finally:
        store.close()


def verified(story: Story) -> Mapping[str, int]:
    """Return what the verifier of all faults says."""
    with opened(story.store_url) as store:
        return verify(story.config, store, story.transport, story.events)


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a story.

    Attributes:
        seconds: from the end of the fault until the service had caught up.
        found: what the verifier says.
    """

    events: int
    seconds: float
    found: Mapping[str, int]


Outcome = tuple[float, Mapping[str, int]]
"""Seconds until the service worked on, new events aside; what the verifier found."""

Act = Callable[[Story], Outcome]
