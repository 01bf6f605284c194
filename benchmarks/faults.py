"""``make faults``: the service on Kafka and PostgreSQL while its processes and servers fail.

Simulated payments are fed into a topic of eight partitions at a steady rate; three workers, a
grouper and a relay work on them, an oracle gives verdicts, and the same fault happens again and
again, at random moments. After each one every partition must be worked on again by itself, and a
grouper and a relay that were killed must have been replaced in their leases. At the end the
verifier of ``benchmarks/kill.py`` goes through topic and database on its own. One line of JSON per
fault: ``fault``, ``times``, ``lost``, ``twice``, ``different``, ``recovered_s_max`` (from the
fault's end; a new process has its imports already). Ends with status 1 if anything was lost, came
twice or differs. Faults that are told from begin to end are in
``stories.py``.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import random
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import psycopg

from benchmarks import processes, warm
from benchmarks.fleet import Feeder, Fleet, Start
from benchmarks.full_disk import FULL
from benchmarks.kill import STREAM, decide_some, verify
from benchmarks.processes import wait_for
from benchmarks.stories import MANY, STORIES, tell
from benchmarks.story import Told, payments, plain
from streaming.config.load import load
from streaming.config.model import StreamConfig
from streaming.transports.registry import open_transport
from tests.support.java_kafka import JavaKafka, java_kafka
from tests.support.postgres_server import PostgresServer, postgres_server
from triage.errors import TriageError
from triage.store.base import Store
from triage.store.store import open_store

PARTITIONS = 8
WORKERS = 3
RATE = 500.0  # events per second; all of it runs on two cores
SESSION_S = 13.0  # a frozen worker's session (10 s) has certainly ended
RECOVER_S = 300.0  # then something is broken, however busy the machine
FINISH_S = 600.0
LOOK_S = 0.1  # between two looks at the database, each with a connection of its own
BETWEEN = 500  # events, at least, between two faults
PAUSE_S = 0.5  # at most, from a verdict to the next fault: before, within or after its publishing
TOLD = {"freeze_in_its_batch": 20, "dirty_stream": 1}  # times in the long run; else 3
FILLED = 5


@dataclass(frozen=True, slots=True)
class Result:
    """What one fault did, so many times. All but the first two should be 0 (or short)."""

    fault: str
    times: int
    events: int
    candidates: int
    findings: int
    lost: int
    twice: int
    different: int
    recovered_s_max: float
    recovered_s_median: float
    fenced: int = 0  # commits of a woken worker that were refused: only where a story counts them


@dataclass(slots=True)
class Stage:
    """Everything that can be made to fail."""

    fleet: Fleet
    broker: JavaKafka
    server: PostgresServer
    rng: random.Random


@dataclass(frozen=True, slots=True)
class Mark:
    """What must be left behind: positions of partitions, epochs of leases."""

    positions: Mapping[int, int]
    epochs: Mapping[str, int]


def kill_worker(stage: Stage) -> None:
    """Kill -9 of a random worker; it is started again."""
    victim = stage.rng.choice(stage.fleet.workers)
    stage.fleet.kill(victim)
    stage.fleet.start(victim)


def kill_relay(stage: Stage) -> None:
    """Kill -9 of the relay and the grouper."""
    stage.fleet.kill("relay", "grouper")
    stage.fleet.start("relay", "grouper")


def kill_all(stage: Stage) -> None:
    """Kill -9 of every process of ours at once."""
    stage.fleet.kill(*stage.fleet.names)
    stage.fleet.start(*stage.fleet.names)


def freeze_worker(stage: Stage) -> None:
    """A worker stands still past its session, then goes on: it must have no effect."""
    victim = stage.rng.choice(stage.fleet.workers)
    stage.fleet.freeze(victim)
    time.sleep(SESSION_S)
    stage.fleet.wake(victim)


def leave_and_join(stage: Stage) -> None:
    """A worker ends in order, the others take over; it comes back."""
    victim = stage.rng.choice(stage.fleet.workers)
    (status,) = stage.fleet.stop(victim).values()
    if status != 0:
        raise RuntimeError(f"{victim} ended with {status}:\n{stage.fleet.said(victim)}")
    stage.fleet.start(victim)


def restart_broker(stage: Stage) -> None:
    """Kill -9 of the broker; it is started again."""
    stage.broker.kill()
    stage.broker.start()


def restart_database(stage: Stage) -> None:
    """An immediate stop of PostgreSQL; it is started again."""
    stage.server.stop_at_once()
    stage.server.start()


FAULTS: Mapping[str, tuple[Callable[[Stage], None], int]] = {
    "kill_worker": (kill_worker, 200),
    "kill_relay": (kill_relay, 200),
    "kill_all": (kill_all, 20),
    "freeze_worker": (freeze_worker, 20),
    "leave_and_join": (leave_and_join, 50),
    "restart_broker": (restart_broker, 30),
    "restart_database": (restart_database, 30),
}
"""Fault -> what happens, how many times in the long run."""
OF_HOLDERS = {"kill_relay", "kill_all"}  # faults after which others must hold the leases


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    known = [*FAULTS, *STORIES, *FULL]
    together = [f"{one}+{other}" for one, other in itertools.permutations(FAULTS, 2)]
    parser.add_argument(
        "--fault",
        choices=[*known, *together],
        metavar="NAME",
        help=f"Only this one, or two at once: kill_worker+kill_relay. Known: {', '.join(known)}.",
    )
    parser.add_argument("--times", type=int, help="Instead of the long run's number.")
    parser.add_argument("--events", type=int, default=MANY, help="Of each dirty stream.")
    parser.add_argument(
        "--minutes",
        type=float,
        default=math.inf,
        help="No new fault after so long; not of stories.",
    )
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    # what was started is ended, too
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    failed = False
    for name in [options.fault] if options.fault else known:
        with tempfile.TemporaryDirectory(prefix="triage-faults-") as folder:
            if name in FULL:
                result = fill_disks(Path(folder), name, options.times or FILLED)
            elif name in STORIES:
                times = options.times or TOLD.get(name, 3)
                result = run_stories(Path(folder), name, times, options.events)
            else:
                names = name.split("+")
                faults = [names] * (options.times or FAULTS[names[0]][1])
                limit = 60 * options.minutes
                result = run(Path(folder), name, faults, options.seed, limit, warm.start)
        print(json.dumps(asdict(result)), flush=True)
        failed |= bool(result.lost or result.twice or result.different)
    sys.exit(int(failed))


def run(
    folder: Path,
    title: str,
    faults: Sequence[Sequence[str]],
    seed: int,
    limit: float = math.inf,
    begin: Start = processes.start,
) -> Result:
    """Let these faults happen one after the other under load; verify what came out.

    Those of one entry happen at once: they are recovered from together. After ``limit`` seconds
    no more of them happen. ``begin`` starts a process.
    """
    with java_kafka() as broker, postgres_server() as server:
        url = f"kafka://{broker.address}?prefix=faults"
        config = load(_eight_partitions(folder))
        transport = open_transport(url, time.time)
        transport.ensure_topic(str(config.source.topic), PARTITIONS)
        store = open_store(server.url)
        fleet = Fleet(folder, folder / "stream.yaml", url, server.url, WORKERS, begin)
        stage = Stage(fleet, broker, server, random.Random(seed))
        try:
            events, times, recovered = _go_through(stage, config, url, store, faults, limit)
            found = verify(config, store, transport, events)
        finally:
            fleet.close()
            transport.close()
            store.close()
    del found["verdicts"]
    return Result(
        fault=title,
        times=times,
        events=events,
        recovered_s_max=round(max(recovered), 1),
        recovered_s_median=round(statistics.median(recovered), 1),
        **found,
    )


def run_stories(folder: Path, fault: str, times: int, many: int = MANY) -> Result:
    """Let a fault happen so many times, each on a stream of its own; add up what came out."""
    with java_kafka() as broker, postgres_server() as server:
        told = [tell(fault, folder, broker, server, number, many=many) for number in range(times)]
        return _sum(fault, told)


def fill_disks(folder: Path, place: str, times: int) -> Result:
    """Let a disk be full for a while, so many times; needs the right to mount."""
    return _sum(place, [FULL[place](folder / str(number)) for number in range(times)])


def _sum(fault: str, told: Sequence[Told]) -> Result:
    names = ("candidates", "findings", "lost", "twice", "different")
    return Result(
        fault=fault,
        times=len(told),
        events=sum(one.events for one in told),
        recovered_s_max=round(max(one.seconds for one in told), 1),
        recovered_s_median=round(statistics.median(one.seconds for one in told), 1),
        fenced=sum(one.found.get("fenced", 0) for one in told),
        **{name: sum(one.found[name] for one in told) for name in names},
    )


def _eight_partitions(folder: Path) -> Path:
    text = STREAM.read_text(encoding="utf-8")
    path = folder / "stream.yaml"
    path.write_text(text.replace("partitions: 2}", f"partitions: {PARTITIONS}}}"), encoding="utf-8")
    return path


def _go_through(
    stage: Stage,
    config: StreamConfig,
    url: str,
    store: Store,
    faults: Sequence[Sequence[str]],
    limit: float,
) -> tuple[int, int, Sequence[float]]:
    """Return how many events went in, how many faults happened, the seconds of each recovery."""
    labels: dict[str, int] = {}
    stage.fleet.start(*stage.fleet.names)
    feeder = Feeder(url, str(config.source.topic), payments(config, labels), RATE)
    _recovered(stage, Mark({}, {}))
    recovered: list[float] = []
    times, until = 0, time.monotonic() + limit
    for together in faults:
        if time.monotonic() > until:
            break
        epochs = _epochs(stage.server) if OF_HOLDERS.intersection(together) else {}
        for name in together:
            FAULTS[name][0](stage)
        times += len(together)
        recovered.append(_recovered(stage, Mark(_positions(stage.server), epochs)))
        print(f"{times}: {', '.join(together)}: {recovered[-1]:.1f} s", file=sys.stderr, flush=True)
        wait_for(partial(_fed, feeder, times * BETWEEN), RECOVER_S, "events", LOOK_S)
        _decide(store, stage.rng, labels)
        time.sleep(stage.rng.uniform(0.0, PAUSE_S))
    events = feeder.finish(FINISH_S)
    wait_for(lambda: _processed(store, config) >= events, FINISH_S, "end of the backlog", LOOK_S)
    wait_for(lambda: not store.outbox_topics(), FINISH_S, "empty outbox", LOOK_S)
    ended = stage.fleet.stop(*stage.fleet.names)
    if any(ended.values()):
        raise RuntimeError(f"not ended in order: {ended}")
    return events, times, recovered


def _fed(feeder: Feeder, events: int) -> bool:
    return feeder.sent >= events


def _positions(server: PostgresServer) -> Mapping[int, int]:
    """Return how far each partition has been committed."""
    with psycopg.connect(plain(server.url)) as connection:
        return dict(connection.execute("SELECT partition, next_offset FROM partitions").fetchall())


def _epochs(server: PostgresServer) -> Mapping[str, int]:
    """Return how often each lease has been taken."""
    with psycopg.connect(plain(server.url)) as connection:
        return dict(connection.execute("SELECT name, epoch FROM leases").fetchall())


def _recovered(stage: Stage, before: Mark) -> float:
    """Return how long it took until all had begun and everything of ``before`` had moved on."""

    def moved() -> bool:
        if not stage.fleet.ready():
            return False
        now, epochs = _positions(stage.server), _epochs(stage.server)
        return (
            len(now) == PARTITIONS
            and all(now[p] > before.positions.get(p, 0) for p in now)
            and all(epochs[name] > epoch for name, epoch in before.epochs.items())
        )

    return wait_for(moved, RECOVER_S, "recovery", LOOK_S)


def _decide(store: Store, rng: random.Random, labels: dict[str, int]) -> None:
    try:
        decide_some(store, rng, labels)
    except TriageError:
        return  # the database has just been restarted: the analyst tries again later


def _processed(store: Store, config: StreamConfig) -> int:
    (status,) = [s for s in store.status(time.time()).streams if s.stream == config.stream]
    seen = status.counters
    return seen.accepted + seen.dead_lettered + seen.duplicates + seen.late


if __name__ == "__main__":
    main()
