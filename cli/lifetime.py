"""How long a process of the service lives: signals, its parent, and patience at its start."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable
from typing import TypeVar

from streaming.errors import Retry, Stop
from triage import errors as triage_errors

log = logging.getLogger("triage.start")

BACK_OFF_S = (0.5, 10.0)  # first and longest pause between two tries
SLICE_S = 0.2  # seconds; a sleep looks so often whether it is over

T = TypeVar("T")


class Ended(Stop):
    """It was told to end before it had begun."""


class Lifetime:
    """Ends at SIGTERM, at SIGINT (where no parent is told of that), or with the parent."""

    def __init__(self, parent: int | None = None) -> None:
        self._parent = parent
        self._told = False  # no threading.Event: its lock can't be taken in a signal's handler
        signal.signal(signal.SIGTERM, self._tell)
        # Ctrl-C reaches the parent too, which tells us
        signal.signal(signal.SIGINT, self._tell if parent is None else signal.SIG_IGN)

    def over(self) -> bool:
        """Return whether it is time to end."""
        return self._told or (self._parent is not None and os.getppid() != self._parent)

    def sleep(self, seconds: float) -> None:
        """Wait, not longer than we live."""
        until = time.monotonic() + seconds
        while not self.over() and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, SLICE_S))

    def keep_trying(
        self, work: Callable[[], T], waiting: Callable[[str], None] = lambda trouble: None
    ) -> T:
        """Return what ``work`` returns as soon as it can be done.

        Says why not at the first try and whenever the reason changes, and to ``waiting`` after each
        try. Raises Ended if it is over
        before that, and what ``work`` raises unless that is worth a retry.
        """
        pause, said = BACK_OFF_S[0], ""
        while not self.over():
            try:
                return work()
            except (Retry, triage_errors.Retry) as error:
                if str(error) != said:
                    said = str(error)
                    log.warning("waiting: %s; trying again until it works", said)
                waiting(said)
            self.sleep(pause)
            pause = min(2 * pause, BACK_OFF_S[1])
        raise Ended("told to end before it could start")

    def _tell(self, number: int, frame: object) -> None:
        self._told = True
