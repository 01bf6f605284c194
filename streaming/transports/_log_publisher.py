"""Writing to the embedded log."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from streaming.errors import Fenced, Stop
from streaming.records import OutRecord
from streaming.transports import _log_topics as topics
from streaming.transports._log_file import LogFile
from streaming.transports._log_topics import Limits


class LogPublisher:
    """The publisher ``name``: takes the next epoch when made, which fences every older one."""

    def __init__(self, file: LogFile, name: str, now: Callable[[], float], limits: Limits) -> None:
        self._file = file
        self._name = name
        self._now = now
        self._limits = limits
        with file.write() as db:
            row = db.execute(
                "INSERT INTO publishers VALUES (?, 1, 0)"
                " ON CONFLICT (name) DO UPDATE SET epoch = epoch + 1 RETURNING epoch",
                (name,),
            ).fetchone()
            self._epoch = int(row[0])

    def last_sequence(self) -> int:
        """See ``Publisher``."""
        with self._file.read() as db:
            row = db.execute(
                "SELECT sequence FROM publishers WHERE name = ?", (self._name,)
            ).fetchone()
            return int(row[0])

    def publish(self, records: Sequence[OutRecord], sequence: int) -> None:
        """See ``Publisher``. One transaction: the records and the sequence."""
        by_topic: dict[str, list[OutRecord]] = {}
        for record in records:
            by_topic.setdefault(record.topic, []).append(record)
        now_ms = int(self._now() * 1000)
        with self._file.write() as db:
            epoch, last = db.execute(
                "SELECT epoch, sequence FROM publishers WHERE name = ?", (self._name,)
            ).fetchone()
            if epoch != self._epoch:
                raise Fenced(f"publisher {self._name}: a newer one has taken over; stop this one")
            if sequence <= last:
                raise Stop(f"publisher {self._name}: sequence {sequence} is not after {last}")
            for topic, group in by_topic.items():
                topics.append(db, topic, group, now_ms, self._limits)
            db.execute("UPDATE publishers SET sequence = ? WHERE name = ?", (sequence, self._name))

    def close(self) -> None:
        """See ``Publisher``. There is nothing to release."""
