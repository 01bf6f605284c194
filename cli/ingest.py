"""``triage ingest``: send the rows of a source into a stream's topic, each once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import click

from cli.configs import loaded, stream_option
from cli.health import http_option
from cli.logs import log_option
from cli.options import Bounded
from cli.places import Places, data_option, store_option, transport_option
from cli.service import Means, Part, serve
from streaming.ingest import Ingest
from streaming.sources.registry import open_source


@click.command("ingest")
@stream_option
@click.option("--source", required=True, help="File, or the name of a built-in source.")
@click.option("--rate", type=Bounded(min=0, min_open=True), help="Rows per second.")
@http_option
@log_option
@data_option
@transport_option
@store_option
def command(
    config_path: Path,
    source: str,
    rate: float | None,
    http: tuple[str, int] | None,
    log_format: str,
    folder: Path,
    transport_url: str | None,
    store_url: str | None,
) -> None:
    """Send the rows of a source into a stream's topic.

    Each row goes in once, also when this is stopped and started again; it then waits for more.
    """
    config = loaded(config_path)

    def build(means: Means) -> Sequence[Part]:
        topic = config.source.topic
        means.transport.ensure_topic(topic, config.source.partitions)
        rows = open_source(source, config)
        return [Ingest(rows, means.transport, topic, config.stream, rate, time.monotonic)]

    serve("ingest", Places.of(folder, transport_url, store_url), http, log_format, build)
