"""Keeps the processes of one machine running, and ends them in order."""

from __future__ import annotations

import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

import click

LOOK_EVERY = 0.1  # seconds; how soon a death or a Ctrl-C is noticed
GAVE_UP = 1  # status of `run` when a child could not be kept running


@dataclass(frozen=True, slots=True)
class Child:
    """A process to keep running.

    Attributes:
        name: what messages call it.
        argv: the program and its arguments.
        final: exit statuses that mean "I am done, or can't go on": not started again, and the
            others are ended too. Any other end is unexpected.
    """

    name: str
    argv: Sequence[str]
    final: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how soon a child that died is started again.

    Attributes:
        first_pause: seconds before the first new start; doubles with each death in the window.
        longest_pause: seconds; the pause grows no further.
        deaths: this many deaths within the window and the supervisor gives up.
        window: seconds.
        grace: seconds between asking a process to end and killing it.
    """

    first_pause: float = 0.5
    longest_pause: float = 10.0
    deaths: int = 5
    window: float = 120.0
    grace: float = 20.0


class _Kept:
    """One child, its present process and its recent deaths."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.process: subprocess.Popen[bytes] | None = None
        self.start_at = 0.0
        self.deaths: deque[float] = deque()

    def start(self) -> None:
        # A session of its own: Ctrl-C reaches the supervisor alone, which then keeps the order.
        self.process = subprocess.Popen(list(self.child.argv), start_new_session=True)

    def ended(self) -> int | None:
        """Return the exit status if the process has ended since the last call, else None."""
        status = self.process.poll() if self.process else None
        if status is not None:
            self.process = None
        return status

    def died(self, now: float, patience: Patience) -> bool:
        """Note a death and when to start again; False where that has happened too often."""
        self.deaths.append(now)
        while now - self.deaths[0] > patience.window:
            self.deaths.popleft()
        pause = patience.first_pause * 2.0 ** (len(self.deaths) - 1)
        self.start_at = now + min(pause, patience.longest_pause)
        return len(self.deaths) < patience.deaths


class Supervisor:
    """Starts children in the given order, keeps them running, ends them in reverse order.

    Their output goes where ours goes, as it is. SIGINT and SIGTERM end everything; a second one
    does not wait for anybody.
    """

    def __init__(
        self,
        children: Sequence[Child],
        patience: Patience = Patience(),
        say: Callable[[str], None] = lambda text: click.echo(text, err=True),
    ) -> None:
        self._kept = [_Kept(child) for child in children]
        self._patience = patience
        self._say = say
        self._signals = 0

    def run(self) -> int:
        """Run until a signal, a final exit status, or giving up. Call it in the main thread.

        Returns 0 after a signal, the final status of the child that ended with one, or
        ``GAVE_UP``. No child runs any more when it returns or raises.
        """
        with self._listening():
            try:
                return self._watch()
            finally:
                for kept in reversed(self._kept):
                    self._end(kept)

    def _watch(self) -> int:
        while not self._signals:
            for kept in self._kept:
                outcome = self._look_after(kept)
                if outcome is not None:
                    return outcome
            time.sleep(LOOK_EVERY)
        return 0

    def _look_after(self, kept: _Kept) -> int | None:
        """Start the child where that is due. Returns a status where everything has to end."""
        name = kept.child.name
        status = kept.ended()
        if status is not None:
            if status in kept.child.final:
                return status
            if not kept.died(time.monotonic(), self._patience):
                self._say(
                    f"{name} {_what(status)}, {self._patience.deaths} times within "
                    f"{self._patience.window:g} seconds: giving up. Its messages above say why."
                )
                return GAVE_UP
            self._say(f"{name} {_what(status)}; starting it again")
        if kept.process is None and time.monotonic() >= kept.start_at:
            try:
                kept.start()
            except OSError as error:
                self._say(f"{name} can't be started: {error}")
                return GAVE_UP
        return None

    def _end(self, kept: _Kept) -> None:
        process = kept.process
        if process is None:
            return
        process.terminate()
        until = time.monotonic() + self._patience.grace
        while process.poll() is None:
            if time.monotonic() > until or self._signals > 1:
                self._say(f"{kept.child.name} did not end in time and was killed")
                process.kill()
                process.wait()
            else:
                time.sleep(LOOK_EVERY / 5)
        kept.process = None

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Count SIGINT and SIGTERM instead of being ended by them."""

        def count(number: int, frame: FrameType | None) -> None:
            self._signals += 1

        before = {each: signal.signal(each, count) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


def _what(status: int) -> str:
    """Say in words how a process ended."""
    if status >= 0:
        return f"ended with status {status}"
    return f"was killed by {signal.Signals(-status).name}"
