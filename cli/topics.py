"""``triage topics``: make and check the topics of a stream on Kafka."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

import click

from cli.configs import loaded, stream_option
from cli.places import Places, data_option, transport_option
from streaming.errors import StreamingError, UnknownTopic
from streaming.topics import TopicSpec, configs_of, problems, topics_of
from streaming.transports._kafka_transport import KafkaTransport

replication_option = click.option(
    "--replication",
    type=click.IntRange(min=1),
    help="Copies of each partition; the broker's default without.",
)


@click.group("topics")
def command() -> None:
    """Make and check the topics of a stream on Kafka; the embedded log needs none of this."""


@command.command("create")
@stream_option
@replication_option
@data_option
@transport_option
def create(
    config_path: Path, replication: int | None, folder: Path, transport_url: str | None
) -> None:
    """Make the topics that are not there yet; change nothing about those that are.

    Ends with status 1 if one that is there is not right.
    """

    def make(transport: KafkaTransport, spec: TopicSpec) -> int:
        try:
            transport.partitions(spec.name)
        except UnknownTopic:
            transport.create(spec.name, spec.partitions, replication, configs_of(spec, replication))
            click.echo(f"{spec.name} ({spec.role}): made")
        return _tell(transport, spec, replication)

    _each(config_path, folder, transport_url, make)


@command.command("check")
@stream_option
@replication_option
@data_option
@transport_option
def check(
    config_path: Path, replication: int | None, folder: Path, transport_url: str | None
) -> None:
    """Say what is wrong with the topics: partitions, compaction, retention, size, copies.

    Changes nothing. Ends with status 1 if anything is wrong.
    """

    def look(transport: KafkaTransport, spec: TopicSpec) -> int:
        return _tell(transport, spec, replication)

    _each(config_path, folder, transport_url, look)


def _each(
    config_path: Path,
    folder: Path,
    transport_url: str | None,
    work: Callable[[KafkaTransport, TopicSpec], int],
) -> None:
    config = loaded(config_path)
    if not (transport_url or "").startswith("kafka"):
        raise click.UsageError("say which cluster: --transport kafka://HOST:PORT")
    try:
        transport = cast("KafkaTransport", Places.of(folder, transport_url, None).transport())
        wrong = sum(work(transport, spec) for spec in topics_of(config))
        transport.close()
    except StreamingError as error:
        raise click.ClickException(str(error)) from error
    sys.exit(1 if wrong else 0)


def _tell(transport: KafkaTransport, spec: TopicSpec, replication: int | None) -> int:
    """Print what is wrong with a topic, or that nothing is; return how much."""
    try:
        found = list(problems(spec, transport.facts(spec.name), replication))
    except UnknownTopic:
        found = ["is not there: triage topics create"]
    for problem in found:
        click.echo(f"{spec.name} ({spec.role}): {problem}", err=True)
    if not found:
        click.echo(f"{spec.name} ({spec.role}): right")
    return len(found)
