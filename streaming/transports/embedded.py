"""``embedded:PATH``: a durable log in one SQLite file, for one machine.

Several processes may read and write it at once; ``embedded::memory:`` lives and dies with the
object. ``embedded:data/log.db?max_lag=50000&keep_records=200000&keep_bytes=100000000`` sets the
limits (see ``Limits``).

What can be lost: nothing that ``publish`` has returned for, not even by a power cut (write-ahead
log with ``synchronous=FULL``, which in batches is as fast as without). The space of deleted records
is used again; the file does not shrink.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import parse_qsl

from streaming.errors import Stop
from streaming.records import Position, Record, TopicPartition
from streaming.transports import _log_topics as topics
from streaming.transports._log_consumer import LogConsumer
from streaming.transports._log_file import LogFile
from streaming.transports._log_publisher import LogPublisher
from streaming.transports._log_topics import Limits
from streaming.transports.base import OnAssigned, OnRevoked, Secret, no_secret


class EmbeddedTransport:
    """The log in the file ``path``; ``now`` gives seconds since 1970 for the records' time.

    A group has one live reader: the newest. An older one gets ``on_revoked`` and Fenced at its
    next ``poll``. A group is remembered after its reader closes: what it has not read is kept and
    slows writers down, until ``forget_group``.
    """

    def __init__(self, path: str, now: Callable[[], float], limits: Limits | None = None) -> None:
        self._file = LogFile(path)
        self._now = now
        self._limits = limits or Limits()

    def ensure_topic(self, topic: str, partitions: int) -> None:
        """See ``Transport``."""
        with self._file.write() as db:
            found = topics.find(db, topic)
            if found is None:
                topics.create(db, topic, partitions)
                return
            existing = len(topics.slots(db, found[0]))
        if existing != partitions:
            raise Stop(
                f"topic {topic}: exists with {existing} partitions, not {partitions}; keys would"
                f" move: keep {existing}, or use a new topic name"
            )

    def delete_topic(self, topic: str) -> None:
        """Delete a topic with its records and what groups had read of it."""
        with self._file.write() as db:
            topic_no = topics.number_of(db, topic)
            for slot in topics.slots(db, topic_no):
                low = slot.slot << topics.OFFSET_BITS
                high = low | topics.OFFSET_MASK
                db.execute("DELETE FROM records WHERE id BETWEEN ? AND ?", (low, high))
            db.execute("DELETE FROM partitions WHERE topic_no = ?", (topic_no,))
            db.execute("DELETE FROM positions WHERE topic_no = ?", (topic_no,))
            db.execute("DELETE FROM groups WHERE topic_no = ?", (topic_no,))
            db.execute("DELETE FROM topics WHERE topic_no = ?", (topic_no,))

    def forget_group(self, topic: str, group: str) -> None:
        """Forget how far a group is: it no longer holds records back or slows writers down."""
        with self._file.write() as db:
            row = (topics.number_of(db, topic), group)
            db.execute("DELETE FROM positions WHERE topic_no = ? AND name = ?", row)

    def partitions(self, topic: str) -> int:
        """See ``Transport``."""
        with self._file.read() as db:
            return len(topics.slots(db, topics.number_of(db, topic)))

    def topic_id(self, topic: str) -> str:
        """See ``Transport``."""
        with self._file.read() as db:
            return topics.known(db, topic)[1]

    def consumer(
        self, topic: str, group: str, on_assigned: OnAssigned, on_revoked: OnRevoked
    ) -> LogConsumer:
        """See ``Transport``. Takes the group over from its present reader."""
        return LogConsumer(self._file, topic, group, on_assigned, on_revoked)

    def read(
        self, partition: TopicPartition, position: Position, max_records: int
    ) -> Sequence[Record]:
        """See ``Transport``."""
        with self._file.read() as db:
            slot = topics.slot_of(db, partition)
            topics.check_position(partition.topic, slot, position)
            return topics.fetch(db, partition.topic, slot, position, max_records)

    def start_position(self, partition: TopicPartition) -> Position:
        """See ``Transport``."""
        with self._file.read() as db:
            return topics.slot_of(db, partition).start

    def end_position(self, partition: TopicPartition) -> Position:
        """See ``Transport``."""
        with self._file.read() as db:
            return topics.slot_of(db, partition).next

    def position_at(self, partition: TopicPartition, timestamp_ms: int) -> Position:
        """See ``Transport``. Looks at the time of every record before it."""
        with self._file.read() as db:
            slot = topics.slot_of(db, partition)
            return topics.first_at(db, slot, timestamp_ms)

    def publisher(self, name: str) -> LogPublisher:
        """See ``Transport``."""
        return LogPublisher(self._file, name, self._now, self._limits)

    def close(self) -> None:
        """See ``Transport``."""
        self._file.close()


def open_url(url: str, now: Callable[[], float], secret: Secret = no_secret) -> EmbeddedTransport:
    """Open ``embedded:PATH[?limit=number&...]``; it has no secrets."""
    place, _, query = url.removeprefix("embedded:").partition("?")
    path = place.removeprefix("//")
    if not path:
        raise Stop(f"{url}: names no file; write embedded:PATH or embedded::memory:")
    known = Limits.__dataclass_fields__
    limits: dict[str, int] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key not in known or not value.isdecimal():
            raise Stop(f"{url}: {key}={value}: use {', '.join(known)} with a whole number")
        limits[key] = int(value)
    return EmbeddedTransport(path, now, Limits(**limits))
