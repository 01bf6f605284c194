"""How far partitions are behind their log, as their workers tell it now and then."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

UNKNOWN_S = 30.0  # seconds without word from a worker, which tells it every 5
AT_ONCE_S = 10.0  # seconds; a record that waits for less is on its way, and nothing to worry about


class LagState(enum.StrEnum):
    """``unknown``: no worker has told it, or not of late."""

    UNKNOWN = "unknown"
    CAUGHT_UP = "caught_up"
    BEHIND = "behind"


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a partition was behind its log at a time.

    Attributes:
        records: of the log that were not processed.
        seconds: age of the newest record processed while there were more, 0 when there were none;
            None where the worker had processed none yet.
        at: seconds since 1970.
    """

    partition: int
    records: int
    seconds: float | None
    at: float


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """A partition, and what was last told of its lag; None: nothing yet."""

    stream: str
    partition: int
    lag: Lag | None

    def state(self, now: float) -> LagState:
        """Return what is known of it now."""
        if self.lag is None or now - self.lag.at > UNKNOWN_S:
            return LagState.UNKNOWN
        waits = self.lag.records > 0
        late = self.lag.seconds is None or self.lag.seconds > AT_ONCE_S
        return LagState.BEHIND if waits and late else LagState.CAUGHT_UP


def state_of(lags: Sequence[PartitionLag], now: float) -> LagState:
    """Return what is known of several partitions: the worst; unknown of none."""
    states = {lag.state(now) for lag in lags} or {LagState.UNKNOWN}
    order = (LagState.UNKNOWN, LagState.BEHIND, LagState.CAUGHT_UP)
    return next(state for state in order if state in states)


class LagReads(Protocol):
    """What the board shows of lag."""

    def lags(self, stream: str | None = None) -> Sequence[PartitionLag]:
        """Return every partition of a stream, or of all, by stream and partition."""
