"""Reading the embedded log with a group."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence

from streaming.errors import Fenced, Stop
from streaming.records import Position, Record, TopicPartition
from streaming.transports import _log_topics as topics
from streaming.transports._log_file import LogFile, Version
from streaming.transports.base import OnAssigned, OnRevoked

SHORTEST_NAP_S = 0.001
LONGEST_NAP_S = 0.02  # another process's record is seen this late at most


class LogConsumer:
    """The newest reader of ``group`` on ``topic``: owns every partition until a newer one joins."""

    def __init__(
        self,
        file: LogFile,
        topic: str,
        group: str,
        on_assigned: OnAssigned,
        on_revoked: OnRevoked,
    ) -> None:
        self._file = file
        self._topic = topic
        self._group = group
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._positions: dict[int, Position] = {}
        self._committed: dict[int, Position] = {}
        self._seen: Version | None = None  # the log's version when there was nothing to read
        self._turn = 0
        self._closed = False
        with file.write() as db:
            self._topic_no = topics.number_of(db, topic)
            row = db.execute(
                "INSERT INTO groups VALUES (?, ?, 1)"
                " ON CONFLICT (topic_no, name) DO UPDATE SET epoch = epoch + 1 RETURNING epoch",
                (self._topic_no, group),
            ).fetchone()
            self._epoch = int(row[0])
            db.execute(
                "INSERT INTO positions"
                " SELECT topic_no, ?, partition, start_offset FROM partitions WHERE topic_no = ?"
                " ON CONFLICT DO NOTHING",
                (group, self._topic_no),
            )

    def poll(self, timeout_s: float, max_records: int) -> Sequence[Record]:
        """See ``Consumer``. Raises Fenced once a newer consumer has joined the group."""
        if self._closed:
            raise Stop(f"group {self._group}: this consumer has been closed")
        if not self._positions:
            self._assign()
        records = self._fetch(max_records)
        for nap in _naps(timeout_s):
            if records:
                break
            if self._seen is None or self._file.wait(self._seen, nap):
                records = self._fetch(max_records)
        return records

    def assignment(self) -> frozenset[TopicPartition]:
        """See ``Consumer``."""
        return frozenset(TopicPartition(self._topic, number) for number in self._positions)

    def commit(self, positions: Mapping[TopicPartition, Position]) -> None:
        """See ``Consumer``. Partitions that are no longer ours are passed over."""
        fresh = {
            place.partition: position
            for place, position in positions.items()
            if place.topic == self._topic and self._committed.get(place.partition) != position
        }
        if not fresh:
            return
        with self._file.write() as db:
            if not self._is_ours(db):
                return
            db.executemany(
                "UPDATE positions SET position = ?"
                " WHERE topic_no = ? AND name = ? AND partition = ?",
                [
                    (position, self._topic_no, self._group, number)
                    for number, position in fresh.items()
                ],
            )
        self._committed.update(fresh)

    def lag(self) -> Mapping[TopicPartition, int]:
        """See ``Consumer``."""
        with self._file.read() as db:
            return {
                TopicPartition(self._topic, slot.partition): slot.next
                - self._positions[slot.partition]
                for slot in topics.slots(db, self._topic_no)
                if slot.partition in self._positions
            }

    def close(self) -> None:
        """See ``Consumer``. The group's positions are remembered."""
        if not self._closed:
            self._closed = True
            self._give_back()

    def _assign(self) -> None:
        with self._file.read() as db:
            numbers = [slot.partition for slot in topics.slots(db, self._topic_no)]
        places = [TopicPartition(self._topic, number) for number in numbers]
        starts = self._on_assigned(places)
        missing = [place for place in places if place not in starts]
        if missing:
            raise Stop(f"group {self._group}: no position was given for {missing}")
        self._positions = {place.partition: starts[place] for place in places}
        self.commit(starts)

    def _fetch(self, max_records: int) -> list[Record]:
        version = self._file.version()
        if version == self._seen:
            return []
        with self._file.read() as db:
            ours = self._is_ours(db)
            records = self._fetch_fairly(db, max_records) if ours else []
        if not ours:
            self._give_back()
            raise Fenced(
                f"group {self._group}: a newer reader of {self._topic} has taken over (or the topic"
                " was deleted); stop this one"
            )
        for record in records:
            self._positions[record.partition] = record.offset + 1
        self._seen = None if records else version
        return records

    def _fetch_fairly(self, db: sqlite3.Connection, max_records: int) -> list[Record]:
        """Each partition that has records gets its share, a different one comes first each time."""
        waiting = []
        for slot in topics.slots(db, self._topic_no):
            position = self._positions[slot.partition]
            topics.check_position(self._topic, slot, position)
            if position < slot.next:
                waiting.append(slot)
        self._turn += 1
        records: list[Record] = []
        for index in range(len(waiting)):
            slot = waiting[(index + self._turn) % len(waiting)]
            share = -(-(max_records - len(records)) // (len(waiting) - index))
            position = self._positions[slot.partition]
            records += topics.fetch(db, self._topic, slot, position, share)
        return records

    def _is_ours(self, db: sqlite3.Connection) -> bool:
        row = db.execute(
            "SELECT epoch FROM groups WHERE topic_no = ? AND name = ?",
            (self._topic_no, self._group),
        ).fetchone()
        return row is not None and row[0] == self._epoch

    def _give_back(self) -> None:
        places = self.assignment()
        self._positions = {}
        self._committed = {}
        if places:
            self._on_revoked(places)


def _naps(total_s: float) -> Iterator[float]:
    """Return waits that grow and add up to ``total_s``."""
    nap = SHORTEST_NAP_S
    while total_s > 0:
        yield min(nap, total_s)
        total_s -= nap
        nap = min(2 * nap, LONGEST_NAP_S)
