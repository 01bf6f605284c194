"""Takes a version back by itself that is tried or watched, when it breaks one of its limits."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from streaming import metrics
from streaming.config_book import ConfigBook
from streaming.metrics import Metrics
from streaming.rollouts import new_config
from triage.rollout import Request, Rollout, Stage, kept, stopped
from triage.store.base_configs import ConfigWriter
from triage.trial import Limits, RolloutReads, broken

log = logging.getLogger(__name__)

EVERY_S = 2.0  # seconds between two looks
HOUR_S = 3_600.0
PATIENCE = 24  # times ``watch_hours``, at most, while fewer than ``after`` events were compared
GUARD = "guard"


class GuardStore(ConfigWriter, RolloutReads, Protocol):
    """What the guard needs of a store."""


class StageGuard:
    """Watches what is tried in a stream, and for a while what has come into force.

    Several processes may do it at once.
    """

    def __init__(
        self,
        store: GuardStore,
        stream: str,
        clock: Callable[[], float],
        counted: Metrics | None = None,
    ) -> None:
        self._store = store
        self._stream = stream
        self._clock = clock
        self._metrics = counted or Metrics()
        self._book = ConfigBook(store, stream)
        self._next = float("-inf")

    def step(self) -> bool:
        """Look at what is tried or watched, if anything is; return whether that has ended."""
        at = self._clock()
        if at < self._next:
            return False
        self._next = at + EVERY_S
        current = self._store.in_force(self._stream)
        if current is None:
            return False
        self._metrics.set(metrics.ROLLOUT, self._stream, to=current.number)
        if not current.beside:
            return False
        if reason := self._broken(current):
            return take_back(self._store, current, reason, at, self._metrics)
        return current.stage is Stage.WATCHED and self._watched_long_enough(current, at)

    def _watched_long_enough(self, current: Rollout, at: float) -> bool:
        settings = self._book.config(current.version).rollout
        hours = (at - current.at) / HOUR_S
        if hours < settings.watch_hours:
            return False
        events = self._store.trial(self._stream, current.number).events
        if events < settings.after and hours < PATIENCE * settings.watch_hours:
            return False  # a quiet stream, or no worker: nothing is known yet
        reason = f"watched for {hours:.1f} h over {events:,} events, no limit broken"
        asked = Request(GUARD, reason, at)
        entry = self._store.roll_out(
            self._stream, lambda known: kept(known, current.number, asked), None, "system"
        )
        return entry is not None

    def _broken(self, current: Rollout) -> str:
        settings = self._book.config(current.tried or current.version).rollout
        trial = self._store.trial(self._stream, current.number)
        lost = len(self._store.lost(self._stream, current.number))
        for measure, value in (
            ("events", trial.events),
            ("candidates", trial.new),
            ("candidates_in_force", trial.live),
            ("cost", trial.cost),
            ("errors", trial.errors),
            ("lost", lost),
        ):
            self._metrics.set(metrics.TRIAL, self._stream, measure, to=value)
        limits = Limits(
            after=settings.after,
            max_cost=settings.max_cost,
            max_volume=settings.max_volume,
            max_errors=settings.max_errors,
            max_lost=settings.max_lost,
        )
        return broken(trial, lost, limits)


def take_back(
    store: ConfigWriter, current: Rollout, reason: str, at: float, counted: Metrics
) -> bool:
    """Take back what is tried or watched; return whether nobody else has ended that before."""
    asked = Request(GUARD, reason, at)
    new = None
    if current.stage is Stage.WATCHED:  # the one before comes into force again: the board's, too
        new = new_config(ConfigBook(store, current.stream).config(current.beside))
    entry = store.roll_out(
        current.stream, lambda known: stopped(known, current.number, asked), new, "system"
    )
    if entry is None:
        return False
    version = current.tried or current.version
    log.warning(
        "%s: version %s is taken back from %s: %s",
        current.stream,
        version[:12],
        current.stage,
        reason,
    )
    counted.add(metrics.STOPPED, current.stream)
    return True
