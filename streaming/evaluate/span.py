"""Lengths of a stream: a number of events, or a duration of event time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detectors.duration import parse_duration
from streaming.config.model import StreamConfig
from streaming.decode import Decoder
from streaming.records import Record


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a stream stands: events so far, and the latest event time, in seconds."""

    events: int
    time: float


@dataclass(frozen=True, slots=True)
class Span:
    """``size`` events, or ``size`` seconds of event time; a place is on the same scale."""

    size: float
    in_time: bool = False

    def after(self, start: Moment) -> float:
        """Return the place that is this much after ``start``."""
        return self._place(start) + self.size

    def reached(self, place: float | None, now: Moment) -> bool:
        """Return whether the stream has come to the place."""
        return place is not None and self._place(now) >= place

    def moment(self, place: float, now: Moment) -> Moment:
        """Return the moment of a place that has been reached."""
        return Moment(now.events, place) if self.in_time else now

    def next(self, place: float, now: Moment) -> float:
        """Return the first place after ``now`` that is a whole number of spans from ``place``."""
        return place + self.size * (math.floor((self._place(now) - place) / self.size) + 1)

    def _place(self, moment: Moment) -> float:
        return moment.time if self.in_time else moment.events


def parse_span(text: str) -> Span:
    """Read ``1000`` (events) or ``1d`` (event time). Raises ValueError with the remedy."""
    if text.strip().isdecimal():
        return Span(int(text))
    try:
        return Span(parse_duration(text), in_time=True)
    except ValueError:
        raise ValueError(
            f"{text!r} is neither a number of events, like 1000, nor a duration, like 1d"
        ) from None


class EventTimes:
    """The latest event time at each record; bad records and late events don't turn it back."""

    def __init__(self, config: StreamConfig, *, needed: bool) -> None:
        self._field = config.time if needed else None
        self._decoder = Decoder(config.fields)
        self._latest = -math.inf

    def latest(self, records: Sequence[Record]) -> Sequence[float]:
        """Return a time per record, never falling; where nobody needs it, the time of arrival."""
        times = np.array([record.timestamp_ms / 1000 for record in records], np.float64)
        if self._field is not None:
            decoded = self._decoder.decode(records)
            good = {(record.partition, record.offset) for record in decoded.records}
            is_good = [(record.partition, record.offset) in good for record in records]
            times = np.full(len(records), -np.inf)
            times[is_good] = np.asarray(self._decoder.columns(decoded.events)[self._field])
        rising = np.maximum.accumulate(np.append(self._latest, times))
        self._latest = float(rising[-1])
        latest: list[float] = rising[1:].tolist()
        return latest
