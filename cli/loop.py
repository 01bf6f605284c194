"""The loop of a process: its parts in turn, with patience for what may pass."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from streaming.errors import Retry
from triage import errors as triage_errors

log = logging.getLogger("triage.loop")

IDLE_S = 0.02  # seconds between rounds that found nothing to do
QUIET_ROUNDS = 10  # a log may show what was just committed a moment later
BACK_OFF_S = (0.2, 5.0)  # first and longest pause after an error that may pass
EXIT_STOP = 3  # a person is needed: the supervisor does not start it again


class Step(Protocol):
    """A part of the engine."""

    def step(self) -> bool:
        """Do a bounded piece of work; return whether there was any."""


class Engine:
    """Runs its parts in turn until told to stop, or until nothing is left to do.

    Args:
        parts: called in this order, round after round.
        stop: asked before each round.
        done: asked after a round in which no part had anything to do; it ends when the answer has
            been yes so many times in a row.
        sleep: waits so many seconds.
        turned: told after each round why a part could not do its work; empty if all could.
    """

    def __init__(
        self,
        parts: Sequence[Step],
        stop: Callable[[], bool],
        done: Callable[[], bool],
        sleep: Callable[[float], None],
        turned: Callable[[str], None] = lambda trouble: None,
    ) -> None:
        self._parts = parts
        self._stop = stop
        self._done = done
        self._sleep = sleep
        self._turned = turned
        self._pause = BACK_OFF_S[0]
        self._trouble = ""  # in this round

    def run(self) -> None:
        """Return when stopped or done. Raises Stop where a person is needed."""
        quiet = 0
        while not self._stop():
            self._trouble = ""
            busy = [self._step(part) for part in self._parts]
            self._turned(self._trouble)
            if not self._trouble:
                self._pause = BACK_OFF_S[0]
            if any(busy):
                quiet = 0
                continue
            quiet = quiet + 1 if self._done() else 0
            if quiet == QUIET_ROUNDS:
                return
            self._sleep(IDLE_S)

    def _step(self, part: Step) -> bool:
        try:
            return part.step()
        except (Retry, triage_errors.Retry) as error:
            log.warning("%s; trying again in %.1f s", error, self._pause)
            self._sleep(self._pause)
            self._pause = min(2 * self._pause, BACK_OFF_S[1])
            self._trouble = str(error)
            return True
