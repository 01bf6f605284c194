"""``triage dlq``: records that could not be used."""

from __future__ import annotations

import json
from pathlib import Path

import click

from cli.places import Places, data_option, transport_option
from streaming.dead_letters import DeadLetter, Replay, dead_letters
from streaming.errors import StreamingError

SHOWN_BYTES = 200  # of a record's content; all of it with --json


@click.group("dlq")
def command() -> None:
    """List and replay records that could not be used.

    TOPIC is the topic that the records came from, e.g. `payments`.
    """


@command.command("list")
@click.argument("topic")
@click.option("--json", "as_json", is_flag=True, help="Whole records as JSON lines.")
@click.option("--limit", type=int, default=100, show_default=True)
@data_option
@transport_option
def list_(topic: str, as_json: bool, limit: int, folder: Path, transport_url: str | None) -> None:
    """Print the dead letters of TOPIC, oldest first."""
    try:
        transport = Places.existing(folder, transport_url, None).transport()
        shown = 0
        for letter in dead_letters(transport, topic):
            if shown == limit:
                click.echo(f"... more; raise --limit {limit}", err=True)
                break
            click.echo(_json(letter) if as_json else _line(letter))
            shown += 1
        if not shown:
            click.echo(f"no dead letters of {topic}", err=True)
    except StreamingError as error:
        raise click.ClickException(str(error)) from error


@command.command("replay")
@click.argument("topic")
@data_option
@transport_option
def replay(topic: str, folder: Path, transport_url: str | None) -> None:
    """Send the dead letters of TOPIC to it again, each once.

    Do this after mending what made them unusable: one that is bad again becomes a new dead letter.
    """
    try:
        transport = Places.existing(folder, transport_url, None).transport()
        sender = Replay(transport, topic)
        sent = 0
        while batch := sender.step():
            sent += batch
    except StreamingError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{sent} sent to {topic} again")
    if sender.skipped:
        click.echo(f"{sender.skipped} left out: only their beginning was kept", err=True)


def _line(letter: DeadLetter) -> str:
    where = f"{letter.topic}[{letter.partition}]@{letter.source_offset}"
    start = letter.value[:SHOWN_BYTES].decode(errors="replace")
    return f"{where} {letter.code} {letter.field or '-'}: {letter.message}: {start!r}"


def _json(letter: DeadLetter) -> str:
    return json.dumps(
        {
            "topic": letter.topic,
            "partition": letter.partition,
            "offset": letter.source_offset,
            "code": letter.code,
            "field": letter.field,
            "message": letter.message,
            "config_version": letter.config_version,
            "key": letter.key.decode(errors="replace") if letter.key is not None else None,
            "value": letter.value.decode(errors="replace"),
        },
        ensure_ascii=False,
    )
