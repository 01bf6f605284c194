"""One process of the service: waits for what it needs, runs its parts, ends in order."""

from __future__ import annotations

import functools
import logging
import socket
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Protocol

from cli import memory
from cli.health import Health, HealthServer
from cli.lifetime import Ended, Lifetime
from cli.logs import configure
from cli.loop import EXIT_STOP, Engine
from cli.places import Places
from streaming import metrics as names
from streaming.errors import Stop
from streaming.metrics import Metrics
from streaming.transports.base import Transport
from triage import errors as triage_errors
from triage.store.base import Store

log = logging.getLogger("triage.service")


class Part(Protocol):
    """What a process does, piece by piece."""

    def step(self) -> bool:
        """Do a bounded piece of work; return whether there was any."""

    def close(self) -> None:
        """End in order."""


class Means:
    """What a part is made with.

    Attributes:
        holder: this process's name in leases; no other process ever has the same.
    """

    def __init__(self, store: Store, places: Places, holder: str, counted: Metrics) -> None:
        self.store = store
        self.holder = holder
        self.metrics = counted
        self._places = places

    @functools.cached_property
    def transport(self) -> Transport:
        """The transport, opened for those who need it."""
        return self._places.transport()

    def close(self) -> None:
        """Release what was opened."""
        if "transport" in self.__dict__:
            self.transport.close()
        self.store.close()


class NoClose:
    """A part that has nothing to close."""

    def __init__(self, step: Callable[[], bool]) -> None:
        self.step = step

    def close(self) -> None:
        """Do nothing."""


def serve(
    name: str,
    places: Places,
    http: tuple[str, int] | None,
    log_format: str,
    build: Callable[[Means], Sequence[Part]],
) -> None:
    """Run the parts that ``build`` makes until SIGTERM or Ctrl-C; then end with status 0.

    While the broker or the database is away it says so, is not ready, and keeps trying. Where going
    on would lose or repeat an effect it ends with status 3 and a message that names the remedy.
    """
    configure(log_format)
    lifetime, health, counted = Lifetime(), Health(), Metrics()
    counted.set(names.STARTED, to=time.time())
    try:
        if http:
            HealthServer(http, health, counted).start()
        _run(name, places, lifetime, health, counted, build)
    except Ended:
        log.info("%s: told to end before it could start", name)
    except (Stop, triage_errors.Stop, triage_errors.Refused) as error:
        log.error("stopped: %s", error)  # noqa: TRY400 - the message is for a person, no trace
        sys.exit(EXIT_STOP)


def _run(
    name: str,
    places: Places,
    lifetime: Lifetime,
    health: Health,
    counted: Metrics,
    build: Callable[[Means], Sequence[Part]],
) -> None:
    def waiting(trouble: str) -> None:
        health.turn(trouble)
        counted.add(names.RETRIES)

    def turned(trouble: str) -> None:
        if trouble:
            waiting(trouble)
        else:
            health.turn()

    store = lifetime.keep_trying(places.store, waiting)
    means = Means(store, places, f"{name}:{socket.gethostname()}:{uuid.uuid4()}", counted)
    parts = lifetime.keep_trying(lambda: build(means), waiting)
    memory.settle()
    log.info("%s: started", name)
    Engine(parts, lifetime.over, lambda: False, lifetime.sleep, turned).run()
    health.turn("ending")
    for part in parts:
        part.close()
    means.close()
    log.info("%s: ended", name)
