"""``triage tail``: a topic's records as JSON lines."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click

from cli.places import Places, data_option, transport_option
from streaming.errors import PositionLost, StreamingError
from streaming.records import Record, TopicPartition
from streaming.transports.base import Transport
from streaming.verified import TOPIC as VERIFIED

READ_RECORDS = 500
POLL_S = 0.2  # seconds between looks for new records


@click.command("tail")
@click.argument("topic")
@click.option("--new", "only_new", is_flag=True, help="Only what comes from now on.")
@click.option("--no-follow", is_flag=True, help="End at the end instead of waiting for more.")
@click.option("--limit", type=int, help="End after so many records.")
@data_option
@transport_option
def command(
    topic: str,
    only_new: bool,
    no_follow: bool,
    limit: int | None,
    folder: Path,
    transport_url: str | None,
) -> None:
    """Print a topic's records as JSON lines.

    TOPIC is `verified` (the verified anomalies) or the name of any topic.
    """
    name = VERIFIED if topic == "verified" else topic
    places = Places.existing(folder, transport_url, None)
    try:
        transport = places.transport()
        _tail(transport, name, only_new=only_new, follow=not no_follow, limit=limit)
    except StreamingError as error:
        raise click.ClickException(str(error)) from error
    except (KeyboardInterrupt, BrokenPipeError):
        return


def _tail(
    transport: Transport, topic: str, *, only_new: bool, follow: bool, limit: int | None
) -> None:
    positions = {
        TopicPartition(topic, partition): 0 for partition in range(transport.partitions(topic))
    }
    for tp in positions:
        positions[tp] = transport.start_position(tp)
    shown = 0
    skipping = only_new
    while True:
        records: list[Record] = []
        for tp, position in positions.items():
            records += _read(transport, tp, position)
        for record in records:
            positions[TopicPartition(topic, record.partition)] = record.offset + 1
            if skipping:
                continue
            click.echo(as_json(record))
            shown += 1
            if shown == limit:
                return
        if not records:
            skipping = False
            if not follow:
                return
            time.sleep(POLL_S)


def _read(transport: Transport, tp: TopicPartition, position: int) -> list[Record]:
    try:
        return list(transport.read(tp, position, READ_RECORDS))
    except PositionLost:
        return list(transport.read(tp, transport.start_position(tp), READ_RECORDS))


def as_json(record: Record) -> str:
    """Return one line: where the record stands, its headers, and its value (as JSON if it is)."""
    line: dict[str, Any] = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "key": record.key.decode(errors="replace") if record.key is not None else None,
        "headers": {name: value.decode(errors="replace") for name, value in record.headers},
    }
    try:
        line["value"] = json.loads(record.value)
    except ValueError:
        line["value"] = record.value.decode(errors="replace")
    return json.dumps(line, ensure_ascii=False)
