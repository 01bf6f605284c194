"""Takes a tried version back by itself when it breaks one of its limits."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from streaming import metrics
from streaming.config_book import ConfigBook
from streaming.metrics import Metrics
from triage.rollout import Request, Rollout, stopped
from triage.store.base_configs import ConfigStore
from triage.trial import Limits, RolloutReads, broken

log = logging.getLogger(__name__)

EVERY_S = 2.0  # seconds between two looks
GUARD = "guard"


class GuardStore(ConfigStore, RolloutReads, Protocol):
    """What the guard needs of a store."""


class StageGuard:
    """Watches what is tried in a stream; several processes may do it at once."""

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
        """Look at the trial, if there is one; return whether it was stopped."""
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
        reason = self._broken(current)
        if not reason:
            return False
        asked = Request(GUARD, reason, at)
        entry = self._store.roll_out(
            self._stream, lambda known: stopped(known, current.number, asked), None, "system"
        )
        if entry is None:
            return False
        log.warning(
            "%s: version %s is no longer tried in %s: %s",
            self._stream,
            current.beside[:12],
            current.stage,
            reason,
        )
        self._metrics.add(metrics.STOPPED, self._stream)
        return True

    def _broken(self, current: Rollout) -> str:
        settings = self._book.config(current.beside).rollout
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
