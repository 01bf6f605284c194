"""Whether a topic is what a config says it is: told by its newest records, read without a group."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from streaming.config.model import StreamConfig
from streaming.config.problems import hint
from streaming.decode import Column, Decoder
from streaming.errors import UnknownTopic
from streaming.field_path import leaves, path_of
from streaming.pipeline import PartitionPipeline
from streaming.records import Record
from streaming.sample.draw import newest_records
from streaming.transports.base import Transport

MANY_BAD = 0.01  # share of dead letters from which the config or the topic is wrong
MOSTLY_MISSING = 0.5
AHEAD_S = 3_600.0  # an event this far ahead of its arrival has a wrong clock or time zone
OFTEN_REPEATED = 0.5  # share of repeated ids from which the field is no id
FEW = 100  # records below which shares say nothing


@dataclass(frozen=True, slots=True)
class Environment:
    """What was found.

    Attributes:
        problems: why the config can't run on this topic as it is. ``warnings``: what is most likely
            a mistake. ``facts``: for people. Each a line that begins with the key of the config.
    """

    problems: Sequence[str]
    warnings: Sequence[str]
    facts: Sequence[str]


def look_at(
    config: StreamConfig, transport: Transport, rows: int, cpu: Callable[[], float]
) -> Environment:
    """Compare the config with the newest ``rows`` records of its topic. Writes nothing.

    ``cpu`` gives seconds of processor time.
    """
    topic = config.source.topic
    try:
        partitions = newest_records(transport, topic, rows)
    except UnknownTopic as error:
        return Environment([f"source.topic: {error}"], [], [])
    problems: list[str] = []
    warnings: list[str] = []
    count = len(partitions)
    if count != config.source.partitions:
        declared = config.source.partitions
        problems.append(f"source.partitions: is {declared}, the topic has {count}; write {count}")
    records = [record for own in partitions for record in own]
    facts = [f"source: {len(records):,} newest records, of every partition"]
    if not records:
        return Environment(
            problems, ["source: the topic is empty: nothing more can be told"], facts
        )
    decoder = Decoder(config.fields)
    decoded = decoder.decode(records)
    if decoded.bad:
        reasons = Counter(f"{bad.code} {bad.field}".strip() for bad in decoded.bad)
        told = ", ".join(f"{reason} {n / len(records):.1%}" for reason, n in reasons.items())
        share = len(decoded.bad) / len(records)
        line = f"fields: {share:.1%} of the records would be dead letters: {told}"
        (problems if share >= MANY_BAD else warnings).append(line)
    if decoded.events:
        columns = decoder.columns(decoded.events)
        warnings += _of_fields(config, records, columns)
        warnings += _of_roles(config, decoded.records, columns)
        cost, state = _tried(config, partitions, cpu)
        facts.append(f"cost: {cost:.1f} us of processor time an event")
        facts.append(f"state: {state / 1e6:.1f} MB in a snapshot of the fullest partition by then")
    return Environment(problems, warnings, facts)


def _of_fields(
    config: StreamConfig, records: Sequence[Record], columns: Mapping[str, Column]
) -> Iterator[str]:
    """Yield fields that are mostly or always missing."""
    there: set[str] | None = None
    for name, column in columns.items():
        missing = _missing(column)
        if missing == 1.0:
            there = there if there is not None else _names(records)
            known = {".".join(path_of(*one)) for one in config.fields.items()}
            free = sorted(one for one in there - known if one.isprintable())
            yield f"fields.{name}: is in none of the records{hint(name, free, 'undeclared are')}"
        elif missing >= MOSTLY_MISSING:
            yield f"fields.{name}: is missing in {missing:.0%} of the records"


def _of_roles(
    config: StreamConfig, records: Sequence[Record], columns: Mapping[str, Column]
) -> Iterator[str]:
    """Yield what speaks against the key, the time and the event id."""
    if config.key:
        where: dict[Any, set[int]] = defaultdict(set)
        for record, value in zip(records, _values(columns[config.key]), strict=True):
            where[value].add(record.partition)
        split = [value for value, found in where.items() if len(found) > 1 and value is not None]
        if split:
            yield (
                f"key: {len(split):,} of {len(where):,} values are in several partitions: the topic"
                f" is not written by {config.key}, so windows and histories see a part of each"
            )
    if config.time:
        ahead = np.asarray(columns[config.time]) - _arrivals(records)
        share = float(np.mean(ahead > AHEAD_S))
        if share:
            yield (
                f"time: {share:.1%} of the events are over an hour ahead of their arrival; is it "
                "a local time that names no zone?"
            )
    if config.event_id and len(records) >= FEW:
        ids = _values(columns[config.event_id.field])
        repeated = 1 - len(set(ids)) / len(ids)
        if repeated >= OFTEN_REPEATED:
            yield (
                f"event_id.field: {repeated:.0%} of the events have an id that came before and "
                "would be dropped; is it the id of the event?"
            )


def _tried(
    config: StreamConfig, partitions: Sequence[Sequence[Record]], cpu: Callable[[], float]
) -> tuple[float, int]:
    """Return microseconds of processor time per event and the bytes of the largest snapshot.

    The time is of the second run: the first compiles.
    """
    seconds, state = 0.0, 0
    for _ in range(2):
        pipelines = [PartitionPipeline(config, number, "") for number in range(len(partitions))]
        started = cpu()
        for pipeline, records in zip(pipelines, partitions, strict=True):
            pipeline.process(records)
        seconds = cpu() - started
        state = max(len(pipeline.snapshot()) for pipeline in pipelines)
    return seconds / sum(map(len, partitions)) * 1e6, state


def _names(records: Sequence[Record]) -> set[str]:
    names: set[str] = set()
    for record in records:
        try:
            event = msgspec.json.decode(record.value, type=dict)
            names |= {".".join(path) for path, _ in leaves(event)}
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
    return names


def _missing(column: Column) -> float:
    if isinstance(column, list):
        return sum(value is None for value in column) / len(column)
    return float(np.mean(np.isnan(column)))


def _values(column: Column) -> list[Any]:
    return column if isinstance(column, list) else column.tolist()


def _arrivals(records: Sequence[Record]) -> Any:
    return np.array([record.timestamp_ms for record in records]) / 1000
