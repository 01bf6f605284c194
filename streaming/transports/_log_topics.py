"""Topics, partitions and records inside the embedded log's file: SQL, one statement group each.

Everything here runs inside a transaction of the caller.
"""

from __future__ import annotations

import re
import sqlite3
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from streaming.errors import PositionLost, SlowDown, Stop, UnknownTopic
from streaming.records import Headers, OutRecord, Position, Record, TopicPartition

OFFSET_BITS = 40  # 10^12 records a partition, 2^23 partitions
OFFSET_MASK = (1 << OFFSET_BITS) - 1
READ_BYTES = 32 << 20  # a read stops after this much, so that large records can't fill the memory
TRIM_ROWS = 20_000  # at most so many records go per publish, so that none takes long

_NAME = re.compile(r"[a-zA-Z0-9._-]{1,249}")
_encode_headers = msgspec.msgpack.Encoder().encode
_decode_headers = msgspec.msgpack.Decoder(Headers).decode


@dataclass(frozen=True, slots=True)
class Limits:
    """What the log keeps and how far readers may fall behind; all per partition.

    Attributes:
        max_lag: records that the slowest group may be behind before ``publish`` says SlowDown.
        keep_records, keep_bytes: what is over is deleted, oldest first, but never a record that
            some group has not committed yet. A topic that no group reads is kept whole. Keep more
            than a worker replays after a crash (its snapshot interval, 50,000 records).
    """

    max_lag: int = 100_000
    keep_records: int = 1_000_000
    keep_bytes: int = 1 << 30


@dataclass(slots=True)
class Slot:
    """A partition's row: where its records stand."""

    slot: int
    partition: int
    start: int
    next: int
    bytes: int


def partition_of(key: bytes | None, partitions: int) -> int:
    """Return the partition of a key: CRC-32 modulo the number; no key is partition 0."""
    return zlib.crc32(key) % partitions if key is not None else 0


def create(db: sqlite3.Connection, topic: str, partitions: int) -> None:
    """Make a topic. Raises Stop if the name or the number can't be one."""
    if not _NAME.fullmatch(topic):
        raise Stop(f"topic {topic!r}: use letters, digits, '.', '_' and '-', at most 249")
    if partitions < 1:
        raise Stop(f"topic {topic}: needs at least 1 partition, not {partitions}")
    number = db.execute("INSERT INTO topics (topic) VALUES (?)", (topic,)).lastrowid
    db.executemany(
        "INSERT INTO partitions (topic_no, partition) VALUES (?, ?)",
        [(number, partition) for partition in range(partitions)],
    )


def find(db: sqlite3.Connection, topic: str) -> tuple[int, str] | None:
    """Return a topic's number and id, None if there is no such topic."""
    row = db.execute("SELECT topic_no, topic_id FROM topics WHERE topic = ?", (topic,)).fetchone()
    return None if row is None else (int(row[0]), str(row[1]))


def known(db: sqlite3.Connection, topic: str) -> tuple[int, str]:
    """Return a topic's number and id. Raises UnknownTopic if there is none."""
    found = find(db, topic)
    if found is None:
        raise UnknownTopic(f"topic {topic}: there is no such topic in this log; is the name right?")
    return found


def number_of(db: sqlite3.Connection, topic: str) -> int:
    """Return a topic's number. Raises UnknownTopic if there is none."""
    return known(db, topic)[0]


def slots(db: sqlite3.Connection, topic_no: int) -> list[Slot]:
    """Return the topic's partitions in order."""
    rows = db.execute(
        "SELECT slot, partition, start_offset, next_offset, bytes FROM partitions"
        " WHERE topic_no = ? ORDER BY partition",
        (topic_no,),
    )
    return [Slot(*row) for row in rows]


def slot_of(db: sqlite3.Connection, partition: TopicPartition) -> Slot:
    """Return one partition. Raises Stop if it does not exist."""
    found = slots(db, number_of(db, partition.topic))
    if not 0 <= partition.partition < len(found):
        raise Stop(
            f"topic {partition.topic}: has {len(found)} partitions, no {partition.partition}"
        )
    return found[partition.partition]


def check_position(topic: str, slot: Slot, position: Position) -> None:
    """Raise PositionLost or Stop if there is nothing to be read at ``position``, ever."""
    if position < slot.start:
        raise PositionLost(
            f"{topic}/{slot.partition}: position {position} has been deleted by retention, the log"
            f" starts at {slot.start}: {slot.start - position} records are lost"
        )
    if position > slot.next:
        raise Stop(
            f"{topic}/{slot.partition}: position {position} is beyond the log's end {slot.next}:"
            " the log was replaced or restored from an older copy than the store. Restore the store"
            " of the same time, or give the stream a new name"
        )


def fetch(
    db: sqlite3.Connection, topic: str, slot: Slot, position: Position, limit: int
) -> list[Record]:
    """Return up to ``limit`` records from ``position`` on."""
    base = slot.slot << OFFSET_BITS
    partition = slot.partition
    rows = db.execute(
        "SELECT id, timestamp_ms, key, value, headers FROM records"
        " WHERE id >= ? AND id <= ? ORDER BY id LIMIT ?",
        (base | position, base | OFFSET_MASK, limit),
    )
    records: list[Record] = []
    size = 0
    for row_id, timestamp_ms, key, value, headers in rows:
        decoded = _decode_headers(headers) if headers is not None else ()
        offset = row_id & OFFSET_MASK
        records.append(Record(topic, partition, offset, key, value, timestamp_ms, decoded))
        size += len(value)
        if size >= READ_BYTES:
            break
    return records


def first_at(db: sqlite3.Connection, slot: Slot, timestamp_ms: int) -> Position:
    """Return the first position whose record is of that time or later, the end if none is."""
    base = slot.slot << OFFSET_BITS
    row = db.execute(
        "SELECT id FROM records WHERE id >= ? AND id <= ? AND timestamp_ms >= ?"
        " ORDER BY id LIMIT 1",
        (base | slot.start, base | OFFSET_MASK, timestamp_ms),
    ).fetchone()
    return slot.next if row is None else row[0] & OFFSET_MASK


def append(
    db: sqlite3.Connection, topic: str, records: Sequence[OutRecord], now_ms: int, limits: Limits
) -> None:
    """Append the topic's records. Raises SlowDown if a group is too far behind."""
    topic_no = number_of(db, topic)
    all_slots = slots(db, topic_no)
    _check_lag(db, topic, topic_no, limits)
    changed: dict[int, Slot] = {}
    rows: list[tuple[int, int, bytes | None, bytes, bytes | None]] = []
    for record in records:
        partition = record.partition
        if partition is None:
            partition = partition_of(record.key, len(all_slots))
        elif not 0 <= partition < len(all_slots):
            raise Stop(f"topic {topic}: has {len(all_slots)} partitions, no {partition}")
        slot = all_slots[partition]
        headers = _encode_headers(record.headers) if record.headers else None
        timestamp_ms = now_ms if record.timestamp_ms is None else record.timestamp_ms
        row_id = slot.slot << OFFSET_BITS | slot.next
        rows.append((row_id, timestamp_ms, record.key, record.value, headers))
        slot.next += 1
        slot.bytes += len(record.value) + len(record.key or b"") + len(headers or b"")
        changed[partition] = slot
    db.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?)", rows)
    _trim(db, topic_no, changed, limits)
    db.executemany(
        "UPDATE partitions SET start_offset = ?, next_offset = ?, bytes = ? WHERE slot = ?",
        [(slot.start, slot.next, slot.bytes, slot.slot) for slot in changed.values()],
    )


def _check_lag(db: sqlite3.Connection, topic: str, topic_no: int, limits: Limits) -> None:
    slowest = db.execute(
        "SELECT name, partition, next_offset - position AS lag"
        " FROM positions JOIN partitions USING (topic_no, partition)"
        " WHERE topic_no = ? ORDER BY lag DESC LIMIT 1",
        (topic_no,),
    ).fetchone()
    if slowest is not None and slowest[2] > limits.max_lag:
        name, partition, lag = slowest
        raise SlowDown(
            f"{topic}/{partition}: group {name} is {lag} records behind (limit {limits.max_lag});"
            " wait for it, or forget the group if nothing reads for it any more"
        )


def _trim(db: sqlite3.Connection, topic_no: int, changed: dict[int, Slot], limits: Limits) -> None:
    """Delete what is over the limits and what every group has read."""
    over = [
        slot
        for slot in changed.values()
        if _is_over(slot, limits.keep_records * 17 // 16, limits.keep_bytes * 17 // 16)
    ]
    if not over:
        return  # some slack, so that most publishes delete nothing
    floors = dict(
        db.execute(
            "SELECT partition, min(position) FROM positions WHERE topic_no = ? GROUP BY partition",
            (topic_no,),
        ).fetchall()
    )
    for slot in over:
        _trim_slot(db, slot, floors.get(slot.partition, slot.start), limits)


def _trim_slot(db: sqlite3.Connection, slot: Slot, floor: Position, limits: Limits) -> None:
    base = slot.slot << OFFSET_BITS
    rows = db.execute(
        "SELECT id, length(value) + ifnull(length(key), 0) + ifnull(length(headers), 0)"
        " FROM records WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
        (base | slot.start, base | floor, TRIM_ROWS),
    )
    for row_id, size in rows:
        if not _is_over(slot, limits.keep_records, limits.keep_bytes):
            break
        slot.start = (row_id & OFFSET_MASK) + 1
        slot.bytes -= size
    db.execute("DELETE FROM records WHERE id >= ? AND id < ?", (base, base | slot.start))


def _is_over(slot: Slot, records: int, size: int) -> bool:
    return slot.next - slot.start > records or slot.bytes > size
