"""A bounded stretch of history: a topic since a time, or a file. Read without a group."""

from __future__ import annotations

import hashlib
import math
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from streaming.backtest.judged import Judged
from streaming.config.model import StreamConfig
from streaming.errors import PositionLost, Stop
from streaming.evaluate.truth import TruthReader
from streaming.records import Position, Record, TopicPartition
from streaming.sources.base import Source
from streaming.transports.base import Transport

BATCH = 2_048  # records read at a time
MS_PER_EVENT = 5  # between rows of a file that carry no time: 200 a second, as in the demo


@dataclass(frozen=True, slots=True)
class Window:
    """Records to run, partition by partition in order.

    Attributes:
        name: what people call the place; ``topic_id``: of the topic, "" for a file.
        total: records at most, None if nobody knows.
        compare_from: partition -> first offset that counts; what comes before only teaches.
        one_in: only the records of every n-th key are there.
        judged: what is known of them, filled while a labelled file is read.
    """

    name: str
    topic_id: str
    partitions: int
    total: int | None
    compare_from: Mapping[int, Position]
    one_in: int
    judged: Judged
    batches: Iterator[Sequence[Record]]


def topic_window(
    transport: Transport,
    config: StreamConfig,
    since_ms: int,
    lead: int,
    limit: int,
    judged: Judged,
) -> Window:
    """Return the records of the config's topic since a time; ``lead`` more of each partition teach.

    Where there are more than ``limit``, every n-th key is taken, so that each entity is there whole
    or not at all. The end is where the log ends now. Raises Stop if there is nothing.
    """
    topic = config.source.topic
    places = [TopicPartition(topic, number) for number in range(transport.partitions(topic))]
    ends = {tp: transport.end_position(tp) for tp in places}
    since = {tp: transport.position_at(tp, since_ms) for tp in places}
    starts = {tp: max(transport.start_position(tp), since[tp] - lead) for tp in places}
    total = sum(ends[tp] - starts[tp] for tp in places)
    if not any(ends[tp] > since[tp] for tp in places):
        raise Stop(f"topic {topic}: nothing came since then; go back further with --since")
    one_in = _one_in(total, limit, config)
    return Window(
        name=f"topic {topic}",
        topic_id=transport.topic_id(topic),
        partitions=len(places),
        total=total,
        compare_from={tp.partition: since[tp] for tp in places},
        one_in=one_in,
        judged=judged,
        batches=_sampled(_from_topic(transport, starts, ends), one_in),
    )


def source_window(source: Source, config: StreamConfig, limit: int, label: str | None) -> Window:
    """Return a file's rows as the log would hold them. ``label``: the column that says the truth.

    Of a source without an end the first ``limit`` rows are taken, of a larger file every n-th key.
    """
    total = source.total()
    one_in = _one_in(total or 0, limit, config)
    judged = Judged()
    truth = TruthReader(source.name, label) if label else None
    stop = limit if total is None else total
    return Window(
        name=source.name,
        topic_id="",
        partitions=config.source.partitions,
        total=stop,
        compare_from={},
        one_in=one_in,
        judged=judged,
        batches=_sampled(_from_source(source, config, stop, truth, judged), one_in),
    )


def _one_in(total: int, limit: int, config: StreamConfig) -> int:
    if total <= limit:
        return 1
    if config.key is None:
        raise Stop(
            f"{total:,} records are more than --max-events {limit:,}, and the stream has no key to "
            "choose some by: take a shorter time, or a larger number"
        )
    return math.ceil(total / limit)


def _from_topic(
    transport: Transport,
    positions: dict[TopicPartition, Position],
    ends: Mapping[TopicPartition, Position],
) -> Iterator[Sequence[Record]]:
    """Yield a batch of each partition in turn, so that all go through time together."""
    left = {tp: position for tp, position in positions.items() if position < ends[tp]}
    while left:
        for tp, position in list(left.items()):
            try:
                records = transport.read(tp, position, min(BATCH, ends[tp] - position))
            except PositionLost as error:
                raise Stop(
                    f"{error}; retention has overtaken the back-test: start it anew"
                ) from error
            records = [record for record in records if record.offset < ends[tp]]
            if not records:
                del left[tp]  # offsets may have gaps, also at the end
                continue
            yield records
            left[tp] = records[-1].offset + 1
            if left[tp] >= ends[tp]:
                del left[tp]


def _from_source(
    source: Source, config: StreamConfig, stop: int, truth: TruthReader | None, judged: Judged
) -> Iterator[Sequence[Record]]:
    """Yield the rows, each with the partition and offset that an empty log would give it."""
    partitions = config.source.partitions
    offsets = [0] * partitions
    position, row_number, done = 0, 0, False
    with closing(source):
        while not done and position < stop:
            chunk = source.read(position, min(BATCH, stop - position))
            position, done = chunk.position, chunk.done
            truths = truth.read(chunk.rows).tolist() if truth else ()
            records: list[Record] = []
            for i, row in enumerate(chunk.rows):
                number = zlib.crc32(row.key) % partitions if row.key is not None else 0
                if truth:
                    judged.add_truth(number, offsets[number], truths[i])
                at = row_number * MS_PER_EVENT
                topic = config.source.topic
                records.append(Record(topic, number, offsets[number], row.key, row.value, at))
                offsets[number] += 1
                row_number += 1
            for number in range(partitions):
                if own := [record for record in records if record.partition == number]:
                    yield own


def _sampled(batches: Iterator[Sequence[Record]], one_in: int) -> Iterator[Sequence[Record]]:
    return batches if one_in == 1 else map(_chosen(one_in), batches)


def _chosen(one_in: int) -> Callable[[Sequence[Record]], Sequence[Record]]:
    """Return what keeps every n-th key. Not by the partition's hash, which goes with the offset."""

    def chosen(records: Sequence[Record]) -> Sequence[Record]:
        return [record for record in records if _number(record.key) % one_in == 0]

    return chosen


def _number(key: bytes | None) -> int:
    return int.from_bytes(hashlib.blake2b(key or b"", digest_size=8).digest())
