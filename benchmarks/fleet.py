"""The service as processes of its own over Kafka and PostgreSQL, and what can happen to them."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from benchmarks.processes import kill, start
from streaming.errors import Retry, StreamingError
from streaming.records import OutRecord
from streaming.transports.base import Publisher
from streaming.transports.registry import open_transport

STOP_S = 60.0  # seconds that a clean end may take
FEED_S = 0.1  # seconds between two publishes
TAIL = 3_000  # characters of a process's output that an error shows


class Process(Protocol):
    """What of ``subprocess.Popen`` is used."""

    @property
    def pid(self) -> int:
        """Its number."""

    @property
    def returncode(self) -> int | None:
        """Its status, None while it lives."""

    def poll(self) -> int | None:
        """Return its status, None while it lives."""

    def wait(self, seconds: float, /) -> int:
        """Return its status as soon as it has ended."""

    def send_signal(self, number: int, /) -> None:
        """Send it a signal."""

    def kill(self) -> None:
        """Kill -9."""


class Start(Protocol):
    """How a process is started."""

    def __call__(self, *arguments: str, output: Path) -> Process:
        """Start ``triage ARGUMENTS``, its output in a file."""


class Fleet:
    """Workers, a grouper and a relay of one stream.

    ``transport_url`` has options already (the name of each worker is added to them).
    """

    def __init__(
        self,
        folder: Path,
        config: Path,
        transport_url: str,
        store_url: str,
        workers: int,
        begin: Start = start,
    ) -> None:
        self._folder = folder
        self._begin = begin
        self._arguments: dict[str, Sequence[str]] = {}
        places = ("--store", store_url, "--data", str(folder / "data"))
        stream = ("--stream", str(config))
        for number in range(workers):
            name = f"worker-{number}"
            mine = ("--transport", f"{transport_url}&member={name}")
            self._arguments[name] = ("worker", *stream, *places, *mine)
        theirs = ("--transport", transport_url)
        self._arguments["grouper"] = ("grouper", *stream, *places)
        self._arguments["relay"] = ("relay", *places, *theirs)
        self._running: dict[str, Process] = {}
        self._starts: Counter[str] = Counter()
        self._unheard: Counter[str] = Counter()  # starts that were killed before they were told

    @property
    def names(self) -> Sequence[str]:
        """All processes."""
        return tuple(self._arguments)

    @property
    def workers(self) -> Sequence[str]:
        """The workers."""
        return tuple(name for name in self._arguments if name.startswith("worker"))

    def pid(self, name: str) -> int:
        """Return the number of a running process."""
        return self._running[name].pid

    def start(self, *names: str) -> None:
        """Start these processes."""
        for name in names:
            self._running[name] = self._begin(*self._arguments[name], output=self._output(name))
            self._starts[name] += 1

    def kill(self, *names: str) -> None:
        """Kill -9, all at once."""
        kill([self._running[name].pid for name in names])
        for name in names:
            self._running.pop(name).wait(STOP_S)
            self._unheard[name] += self._starts[name] - self._told(name)

    def stop(self, *names: str) -> Mapping[str, int]:
        """End them in order; return their statuses."""
        for name in names:
            self._running[name].send_signal(signal.SIGTERM)
        return {name: self._running.pop(name).wait(STOP_S) for name in names}

    def ended(self, name: str, seconds: float) -> int:
        """Wait until a process has ended by itself; return its status."""
        return self._running.pop(name).wait(seconds)

    def have_ended(self) -> Sequence[str]:
        """Return the processes that have ended by themselves since they were started."""
        gone = [name for name, process in self._running.items() if process.poll() is not None]
        for name in gone:
            del self._running[name]
        return gone

    def freeze(self, name: str) -> None:
        """Stop a process where it is, as a paused machine does."""
        os.kill(self._running[name].pid, signal.SIGSTOP)

    def wake(self, name: str) -> None:
        """Let a frozen process go on."""
        os.kill(self._running[name].pid, signal.SIGCONT)

    def ready(self) -> bool:
        """Return whether all have begun their work. Raises RuntimeError if one has ended."""
        self._check()
        return all(self._told(name) >= self._starts[name] for name in self._running)

    def _told(self, name: str) -> int:
        """Return how many starts are settled: work was begun, or a kill came first."""
        output = self._output(name)
        text = output.read_text(encoding="utf-8", errors="replace") if output.exists() else ""
        return text.count(": started\n") + self._unheard[name]

    def _check(self) -> None:
        for name, process in self._running.items():
            if process.poll() is not None:
                raise RuntimeError(f"{name} ended with {process.returncode}:\n{self.said(name)}")

    def said(self, name: str, *, whole: bool = False) -> str:
        """Return the end of what a process has said, or all of it."""
        output = self._output(name)
        text = output.read_text(encoding="utf-8", errors="replace") if output.exists() else ""
        return text if whole else text[-TAIL:]

    def close(self) -> None:
        """Leave nothing behind."""
        for process in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait(STOP_S)

    def _output(self, name: str) -> Path:
        return self._folder / f"{name}.log"


class Feeder:
    """Sends rows into a topic at a rate, on a thread of its own, until stopped.

    Each row goes in once, whatever happens to the broker: its sequence is the row's number.
    ``sent`` rows are in already, by feeders before this one.
    """

    def __init__(
        self,
        url: str,
        topic: str,
        rows: Iterator[tuple[bytes | None, bytes]],
        rate: float,
        sent: int = 0,
    ) -> None:
        self._transport = open_transport(url, time.time)
        self._topic = topic
        self._rows = rows
        self._size = max(1, int(rate * FEED_S))
        self._over = threading.Event()
        self._failure: list[Exception] = []
        self._publisher: Publisher | None = None
        self.sent = sent
        self._thread = threading.Thread(target=self._run, name="feeder", daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether nothing more is sent; ``finish`` tells why if that was a failure."""
        return not self._thread.is_alive()

    def finish(self, seconds: float) -> int:
        """Send no more after the present batch; return how many rows are in."""
        self._over.set()
        self._thread.join(seconds)
        if self._thread.is_alive() or self._failure:
            raise RuntimeError(f"the feeder has not ended in order: {self._failure}")
        return self.sent

    def _run(self) -> None:
        try:
            self._feed()
        except StreamingError as error:
            self._failure.append(error)
        if self._publisher:
            self._publisher.close()
        self._transport.close()

    def _feed(self) -> None:
        while not self._over.wait(FEED_S):
            rows = itertools.islice(self._rows, self._size)
            batch = [OutRecord(self._topic, key, value) for key, value in rows]
            while not self._try(batch, self.sent + len(batch)):
                time.sleep(FEED_S)
            self.sent += len(batch)

    def _try(self, batch: Sequence[OutRecord], sequence: int) -> bool:
        try:
            if self._publisher is None:
                self._publisher = self._transport.publisher(f"feed:{self._topic}")
            if self._publisher.last_sequence() < sequence:
                self._publisher.publish(batch, sequence)
        except Retry:
            if self._publisher:
                self._publisher.close()
            self._publisher = None
            return False
        return True
