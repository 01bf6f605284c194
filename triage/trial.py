"""A config that is tried beside the one in force: how it does, and when a guard takes it back."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from triage.rollout import Rollout

CERTAIN = 3.0  # standard deviations by which a count has to be over its limit


@dataclass(frozen=True, slots=True)
class Trial:
    """What a tried version and the one in force made of the same records.

    Attributes:
        events: records that both took.
        both, only_live, only_new: candidates, as either version alone would have had them.
        dead_letters_live, dead_letters_new: records that a version could not use.
        seconds_live, seconds_new: what they took.
        missed: candidates of the board that the tried version did not find.
        failed: the error by which the tried version ended, "" if it goes on.
    """

    events: int = 0
    both: int = 0
    only_live: int = 0
    only_new: int = 0
    dead_letters_live: int = 0
    dead_letters_new: int = 0
    seconds_live: float = 0.0
    seconds_new: float = 0.0
    missed: tuple[str, ...] = ()
    failed: str = ""

    def __add__(self, other: Trial) -> Trial:
        return Trial(
            self.events + other.events,
            self.both + other.both,
            self.only_live + other.only_live,
            self.only_new + other.only_new,
            self.dead_letters_live + other.dead_letters_live,
            self.dead_letters_new + other.dead_letters_new,
            self.seconds_live + other.seconds_live,
            self.seconds_new + other.seconds_new,
            self.missed + other.missed,
            self.failed or other.failed,
        )

    @property
    def live(self) -> int:
        """Candidates of the version in force."""
        return self.both + self.only_live

    @property
    def new(self) -> int:
        """Candidates of the tried version."""
        return self.both + self.only_new

    @property
    def cost(self) -> float:
        """How many times the time of the version in force the tried one takes."""
        return self.seconds_new / self.seconds_live if self.seconds_live else 0.0

    @property
    def errors(self) -> float:
        """Share of the records that only the tried version can't use."""
        worse = max(0, self.dead_letters_new - self.dead_letters_live)
        return worse / max(1, self.events + worse)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a tried version may do; see the section ``rollout`` of a config."""

    after: int
    max_cost: float
    max_volume: float
    max_errors: float
    max_lost: int


class RolloutReads(Protocol):
    """What the board shows of configs that come and go."""

    def rollouts(self, stream: str) -> Sequence[Rollout]:
        """Return the stream's log, oldest first."""

    def trial(self, stream: str, number: int) -> Trial:
        """Return what came of the trial since roll-out ``number``, over all partitions."""

    def lost(self, stream: str, number: int) -> Sequence[str]:
        """Return the verified findings that the version tried since then missed, by verdict.

        Of such a finding every candidate that was read and that both versions saw is missed.
        """


def broken(trial: Trial, lost: int, limits: Limits) -> str:
    """Return which limit the tried version breaks, "" if none."""
    return next(_breaks(trial, lost, limits), "")


def _breaks(trial: Trial, lost: int, limits: Limits) -> Iterator[str]:
    if trial.failed:
        yield f"it failed: {trial.failed}"
    if lost > limits.max_lost:
        yield f"it misses {lost:,} verified findings (max_lost {limits.max_lost:,})"
    if trial.events + max(0, trial.dead_letters_new - trial.dead_letters_live) < limits.after:
        return
    if trial.errors > limits.max_errors:
        yield (
            f"{trial.errors:.1%} of the events are dead letters only for it "
            f"(max_errors {limits.max_errors:.1%})"
        )
    if trial.cost > limits.max_cost:
        yield (
            f"an event takes {trial.cost:.1f} times as long (max_cost {limits.max_cost:g}): it "
            "would slow the stream down"
        )
    over = trial.new - limits.max_volume * trial.live
    if over > CERTAIN * math.sqrt(trial.new + limits.max_volume**2 * trial.live):
        yield (
            f"it makes {trial.new:,} candidates where there were {trial.live:,} "
            f"(max_volume {limits.max_volume:g})"
        )
