"""A log that fails the way a network does: before the effect, or after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from streaming.errors import TransportUnavailable
from streaming.records import OutRecord
from streaming.transports.base import Publisher
from streaming.transports.embedded import EmbeddedTransport

OK, BEFORE, AFTER = "ok", "before", "after"


class FlakyTransport(EmbeddedTransport):
    """An embedded log whose publishes fail as told; when there is nothing more to tell, they work.

    Attributes:
        faults: one of ``OK``, ``BEFORE`` (nothing happened) and ``AFTER`` (it did) per publish.
    """

    def __init__(self, now: Callable[[], float], faults: Sequence[str] = ()) -> None:
        super().__init__(":memory:", now)
        self.faults: Iterator[str] = iter(faults)

    def publisher(self, name: str) -> Publisher:  # type: ignore[override]  # a wrapped one
        return _FlakyPublisher(super().publisher(name), self)


class _FlakyPublisher:
    """Is of no use any more after an error, as a Kafka producer isn't."""

    def __init__(self, publisher: Publisher, transport: FlakyTransport) -> None:
        self._publisher = publisher
        self._transport = transport
        self._broken = False

    def last_sequence(self) -> int:
        return self._publisher.last_sequence()

    def publish(self, records: Sequence[OutRecord], sequence: int) -> None:
        if self._broken:
            raise AssertionError("used again after an error whose outcome was not known")
        fault = next(self._transport.faults, OK)
        self._broken = fault != OK
        if fault != BEFORE:
            self._publisher.publish(records, sequence)
        if self._broken:
            raise TransportUnavailable(f"the connection broke {fault} the publish")

    def close(self) -> None:
        self._publisher.close()
