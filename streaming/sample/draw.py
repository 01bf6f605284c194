"""Draws a sample of events: stretches that are spread evenly over a file, or a topic's newest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from streaming.config.fields import can_be_declared
from streaming.errors import PositionLost, SourceInvalid
from streaming.field_path import Path as FieldPath
from streaming.field_path import leaves
from streaming.records import Record, TopicPartition
from streaming.sources.base import Source
from streaming.sources.registry import PIPE, SUFFIXES, open_source
from streaming.transports.base import Transport
from triage.plain import plain

STRETCHES = 20  # of a file; within one, events follow each other as in the stream
CHUNK = 2_000  # rows read at a time
BEGINNING = 80  # bytes of a broken record in a message
CELLS = "csv_file"  # its values are texts, whatever they mean

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sample:
    """Events as they were drawn.

    Attributes:
        topic, partitions: where it was drawn from, None and 1 of a source.
        stretches: events that followed each other, in order; what lies in objects of them stands in
            them under a name of its own.
        paths: where such fields lie, by name.
        cells: the values are texts of a table, so what they look like counts.
        total: how many events there are in all, None if nobody knows.
        broken: how many records were no JSON object.
    """

    name: str
    topic: str | None
    partitions: int
    stretches: Sequence[Sequence[Event]]
    cells: bool
    total: int | None
    broken: int
    paths: Mapping[str, FieldPath] = field(default_factory=dict)

    def events(self) -> list[Event]:
        """Return all events in their order."""
        return [event for stretch in self.stretches for event in stretch]


@dataclass(slots=True)
class _Undeclared:
    """What a source is told of a stream that has no config yet."""

    key: None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


def draw_from_source(name: str, rows: int, progress: Callable[[int], None]) -> Sample:
    """Draw about ``rows`` events from a file or a built-in source.

    Of a source whose length is known, stretches from its whole length, of any other the beginning.
    Raises SourceInvalid if it can't be read or holds no JSON object.
    """
    source = open_source(name, _Undeclared())
    total = None if name == PIPE else source.total()
    spread = source.resumable and total is not None and total > rows
    size = max(1, rows // STRETCHES) if spread else rows
    starts = [int(i * ((total or 0) - size) / (STRETCHES - 1)) for i in range(STRETCHES)]
    drawn = _Drawn(progress)
    for start in starts if spread else [0]:
        drawn.stretch(_values(source, start, size))
    source.close()
    suffix = Path(name).suffix.lower()
    return drawn.sample(name, total, cells=SUFFIXES.get(suffix) == CELLS)


def draw_from_topic(
    transport: Transport, topic: str, rows: int, progress: Callable[[int], None]
) -> Sample:
    """Draw the newest ``rows`` events of a topic, as many of each partition, without a group."""
    drawn = _Drawn(progress)
    partitions = newest_records(transport, topic, rows)
    for records in partitions:
        drawn.stretch([record.value for record in records])
    total = sum(
        transport.end_position(tp) - transport.start_position(tp)
        for tp in (TopicPartition(topic, number) for number in range(len(partitions)))
    )
    return drawn.sample(topic, total, topic, len(partitions))


def newest_records(transport: Transport, topic: str, rows: int) -> list[list[Record]]:
    """Return the newest ``rows`` records of a topic by partition, as many of each."""
    partitions = transport.partitions(topic)
    return [
        _newest(transport, TopicPartition(topic, number), -(-rows // partitions))
        for number in range(partitions)
    ]


def _newest(transport: Transport, tp: TopicPartition, rows: int) -> list[Record]:
    end = transport.end_position(tp)
    position = max(transport.start_position(tp), end - rows)
    found: list[Record] = []
    while position < end:
        try:
            records = transport.read(tp, position, min(CHUNK, end - position))
        except PositionLost:  # retention has just passed it
            position = transport.start_position(tp)
            continue
        if not records:
            break
        found += records
        position = records[-1].offset + 1
    return found


class _Drawn:
    def __init__(self, progress: Callable[[int], None]) -> None:
        self._progress = progress
        self._stretches: list[list[Event]] = []
        self._count = 0
        self._broken = 0
        self._first_broken = b""
        self._names: dict[FieldPath, str] = {}
        self._taken: set[str] = set()

    def stretch(self, values: Sequence[bytes]) -> None:
        events: list[Event] = []
        for value in values:
            try:
                events.append(self._unfolded(msgspec.json.decode(value, type=dict)))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                self._first_broken = self._first_broken or value
                self._broken += 1
        if events:
            self._stretches.append(events)
        self._count += len(events)
        self._progress(self._count)

    def _unfolded(self, event: Event) -> Event:
        """Return the event with all that lies in its objects beside each other.

        What lies there under a name that can't be declared is left away.
        """
        return {
            self._name(path): value
            for path, value in leaves(event)
            if len(path) == 1 or all(map(can_be_declared, path))
        }

    def _name(self, path: FieldPath) -> str:
        name = self._names.get(path)
        if name is None:
            name, number = "_".join(path), 2
            while name in self._taken:
                name, number = f"{'_'.join(path)}_{number}", number + 1
            self._taken.add(name)
            self._names[path] = name
        return name

    def sample(
        self,
        name: str,
        total: int | None,
        topic: str | None = None,
        partitions: int = 1,
        *,
        cells: bool = False,
    ) -> Sample:
        if not self._stretches:
            if not self._broken:
                raise SourceInvalid(f"{name}: holds nothing to draw from")
            began = plain(self._first_broken[:BEGINNING].decode(errors="replace"), BEGINNING)
            what = "a row with a cell for each column" if cells else "a JSON object in UTF-8"
            raise SourceInvalid(
                f'{name}: none of {self._broken:,} records is {what}; the first begins "{began}": '
                "mend that, or name another file or topic"
            )
        # What is an object in other events (it is null, mostly) is none of the fields.
        above = {path[:depth] for path in self._names for depth in range(1, len(path))}
        clashing = {self._names[path] for path in above if path in self._names}
        stretches = [
            [{name: e[name] for name in e if name not in clashing} for e in own]
            for own in self._stretches
        ]
        paths = {name: path for path, name in self._names.items() if path != (name,)}
        return Sample(name, topic, partitions, stretches, cells, total, self._broken, paths)


def _values(source: Source, position: int, count: int) -> list[bytes]:
    values: list[bytes] = []
    done = False
    while not done and len(values) < count:
        chunk = source.read(position, min(CHUNK, count - len(values)))
        values += [row.value for row in chunk.rows]
        position, done = chunk.position, chunk.done
    return values
