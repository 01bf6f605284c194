"""A disk that is full for a while: of the embedded log, the store, the broker, the database.

The service waits or ends in order; when there is space again it goes on, started again where it had
ended. Nothing may be lost or take effect twice.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psycopg

from benchmarks.disk import Disk, small_disk
from benchmarks.kill import STREAM, accepted, verify, write_events
from benchmarks.processes import ended, start, wait_for
from benchmarks.story import Story, Told, plain, verified
from cli.places import Places
from streaming.config.load import load
from tests.support.java_kafka import JavaKafka, java_kafka
from tests.support.postgres_server import PostgresServer, postgres_server
from triage.errors import TriageError

EVENTS = 40_000
RATE = 4_000
FULL_S = 5.0  # seconds that the disk stays full after somebody has noticed
WAIT_S = 240.0
SERVER_S = 20.0  # a server that has not come back by itself is started again
OWN_MB, BROKER_MB, DATABASE_MB = 128, 256, 256


def full_log(folder: Path) -> Told:
    """The embedded log's disk."""
    with small_disk(folder / "small", OWN_MB) as disk:
        return _one_machine(folder, disk, f"embedded:{disk.folder / 'log.db'}", None)


def full_store(folder: Path) -> Told:
    """The SQLite store's disk."""
    with small_disk(folder / "small", OWN_MB) as disk:
        return _one_machine(folder, disk, None, f"sqlite:///{disk.folder / 'triage.db'}")


def _one_machine(folder: Path, disk: Disk, log: str | None, store: str | None) -> Told:
    """Run a source through `triage run`, the disk full on the way."""
    config = load(STREAM)
    source, output = folder / "events.jsonl", folder / "output.txt"
    write_events(source, config, EVENTS)
    places = Places.of(folder / "data", log, store)
    command = (
        *("run", "--stream", str(STREAM), "--source", str(source), "--rate", str(RATE)),
        *("--no-board", "--until-done", "--quiet", *places.arguments()),
    )

    def done() -> int:
        with contextlib.suppress(TriageError), contextlib.closing(places.store()) as opened:
            return accepted(opened, config) if opened.status(0.0).streams else 0
        return 0

    with ended(start(*command, output=output)) as process:
        wait_for(lambda: done() > EVENTS // 8, WAIT_S, "first events")
        disk.fill()
        wait_for(
            lambda: "disk is full" in output.read_text() or process.poll() is not None,
            WAIT_S,
            "word that the disk is full",
        )
        time.sleep(FULL_S)
        if not disk.is_full():
            raise RuntimeError("the disk was not full")
        disk.free()
        begun = time.monotonic()
        process.wait(WAIT_S)
    while process.returncode != 0:  # it had ended: somebody starts it again
        with ended(start(*command, output=output)) as process:
            process.wait(WAIT_S)
        if time.monotonic() - begun > WAIT_S:
            raise RuntimeError(f"it does not go on:\n{output.read_text()[-2_000:]}")
    seconds = time.monotonic() - begun
    with (
        contextlib.closing(places.store()) as opened,
        contextlib.closing(places.transport()) as transport,
    ):
        return Told(EVENTS, seconds, verify(config, opened, transport, EVENTS))


def full_broker(folder: Path) -> Told:
    """The disk of Kafka's log: the broker stops, and is started again when there is space."""
    with (
        small_disk(folder / "kafka" / "data", BROKER_MB) as disk,
        java_kafka(folder=folder / "kafka") as broker,
        postgres_server() as server,
    ):
        return _servers(folder, disk, broker, server, lambda: _again(broker))


def full_database(folder: Path) -> Told:
    """The disk of PostgreSQL's data; it is started again if it has not come back by itself."""
    with (
        tempfile.TemporaryDirectory(prefix="triage-postgres-") as own,
        small_disk(Path(own) / "data", DATABASE_MB, "postgres") as disk,
        java_kafka() as broker,
        postgres_server(Path(own)) as server,
    ):
        return _servers(folder, disk, broker, server, lambda: _came_back(server))


def _servers(
    folder: Path,
    disk: Disk,
    broker: JavaKafka,
    server: PostgresServer,
    mend: Callable[[], None],
) -> Told:
    """Let the service work on servers of which one has no space for a while."""
    story = Story(folder / "story", broker, server, "full-disk")
    try:
        story.start()
        story.feed()
        with story.feeding(RATE / 4):
            disk.fill()
            time.sleep(2 * FULL_S)
            if not disk.is_full():
                raise RuntimeError("the disk was not full")
            disk.free()
            begun = time.monotonic()
            mend()
        story.fleet.start(*story.fleet.have_ended())
        story.feed(work=False)
        story.work_off()
        seconds = time.monotonic() - begun
        story.stop()
        return Told(story.events, seconds, verified(story))
    finally:
        story.close()


def _again(broker: JavaKafka) -> None:
    broker.kill()
    broker.start()


def _came_back(server: PostgresServer) -> None:
    until = time.monotonic() + SERVER_S
    while time.monotonic() < until:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(plain(server.url), connect_timeout=2).close()
            return
        time.sleep(1.0)
    server.stop_at_once()
    server.start()


FULL: Mapping[str, Callable[[Path], Told]] = {
    "full_disk_log": full_log,
    "full_disk_store": full_store,
    "full_disk_broker": full_broker,
    "full_disk_database": full_database,
}
