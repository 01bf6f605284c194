"""From a source to a topic, each row once, whatever is killed when."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from streaming.errors import Retry, SlowDown, SourceInvalid, Stop
from streaming.records import TRUNCATED_FROM, Headers, OutRecord
from streaming.sources.base import Chunk, Source, SourceRow
from streaming.transports.base import Publisher, Transport

log = logging.getLogger(__name__)

BATCH = 2_000  # rows of one publish
BURST_S = 1.0  # after a pause at most this much of the rate is made up for at once


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a source has been sent: positions, of how many (None = nobody knows)."""

    position: int
    total: int | None


class Ingest:
    """Moves the rows of ``source`` into ``topic``, at most ``rate`` a second (None = no limit).

    The publisher's sequence is the source's position, so a restart goes on at the first row that is
    not in the log; a pipe, which can't be read again, goes on with what comes. A file that was
    replaced since is another source, and all of it is sent; see ``sources._files`` for how that is
    told. ``name`` is the stream's; ``clock`` gives seconds, from any zero.
    """

    def __init__(
        self,
        source: Source,
        transport: Transport,
        topic: str,
        name: str,
        rate: float | None,
        clock: Callable[[], float],
    ) -> None:
        if rate is not None and rate <= 0:
            raise Stop(f"rate {rate}: must be more than 0 rows a second")
        self._source = source
        self._transport = transport
        self._topic = topic
        self._names = [f"ingest:{name}:{identity}" for identity in source.identities]
        self._pace = _Pace(rate, clock)
        self._publisher: Publisher | None = None
        self._base: int | None = None  # sequence of the source's position 0
        self._position = 0
        self._waiting: Chunk | None = None  # read, not yet known to be in the log
        self.done = False
        """Whether every row of the source is in the log."""

    def step(self) -> bool:
        """Publish the next rows, if there are any and the log takes them; return whether so.

        Raises SourceInvalid if the source has fewer rows than the log has of it, Retry if the log
        can't be reached or the outcome is not known: call again.
        """
        if self.done:
            return False
        try:
            return self._step()
        except Retry:
            self._drop_publisher()  # the next one tells what took effect
            raise

    def progress(self) -> Progress:
        """Return how much of the source is in the log."""
        return Progress(self._position, self._source.total())

    def close(self) -> None:
        """Release the source and the publisher."""
        self._source.close()
        self._drop_publisher()

    def _step(self) -> bool:
        publisher = self._publisher or self._connect()
        chunk = self._waiting or self._read()
        if chunk.rows:
            records = [self._record(row) for row in chunk.rows]
            try:
                publisher.publish(records, self._sequence(chunk))
            except SlowDown:
                return False
        self._arrived(chunk)
        return bool(chunk.rows)

    def _record(self, row: SourceRow) -> OutRecord:
        headers: Headers = ()
        if row.truncated_from:
            headers = ((TRUNCATED_FROM, str(row.truncated_from).encode()),)
        return OutRecord(self._topic, row.key, row.value, headers)

    def _connect(self) -> Publisher:
        """Make a publisher; go on after what the log has by now."""
        publisher = self._publisher = self._transport.publisher(self._names[0])
        last = publisher.last_sequence()
        if self._base is None:
            self._position = (last or self._sent_when_shorter()) if self._source.resumable else 0
            self._base = 0 if self._source.resumable else last
            self._look_back()
        if self._waiting is not None and self._sequence(self._waiting) <= last:
            self._arrived(self._waiting)
        return publisher

    def _sent_when_shorter(self) -> int:
        """Return how many rows were sent when the source was known by another identity."""
        for name in self._names[1:]:
            publisher = self._transport.publisher(name)
            last = publisher.last_sequence()
            publisher.close()
            if last:
                return last
        return 0

    def _look_back(self) -> None:
        """Tell what is in the log already; refuse a source that has lost rows since."""
        total = self._source.total()
        if not self._position or total is None:
            return
        name = self._source.name
        if self._position > total:
            raise SourceInvalid(
                f"{name}: has {total} rows, but {self._position} rows of it are in the log already:"
                " it was cut, or replaced by another file that begins alike. To send what it holds"
                " now, give it another name"
            )
        if self._position == total:
            log.info("all %d rows of %s are in the log already: nothing new", total, name)
        else:
            log.info("going on with %s at row %d of %d", name, self._position + 1, total)

    def _drop_publisher(self) -> None:
        if self._publisher is not None:
            self._publisher.close()
            self._publisher = None

    def _read(self) -> Chunk:
        chunk = self._source.read(self._position, self._pace.allowed(BATCH))
        self._pace.spend(chunk.position - self._position)
        self._waiting = chunk
        return chunk

    def _arrived(self, chunk: Chunk) -> None:
        self._position = chunk.position
        self._waiting = None
        self.done = chunk.done

    def _sequence(self, chunk: Chunk) -> int:
        return (self._base or 0) + chunk.position


class _Pace:
    """How many rows are due by the clock."""

    def __init__(self, rate: float | None, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._clock = clock
        self._credit = 0.0
        self._at = clock()

    def allowed(self, most: int) -> int:
        if self._rate is None:
            return most
        now = self._clock()
        earned = self._credit + self._rate * (now - self._at)
        self._credit = min(earned, max(1.0, self._rate * BURST_S))
        self._at = now
        return min(most, int(self._credit))

    def spend(self, rows: int) -> None:
        self._credit -= rows
