"""``triage worker``: score the events of a stream; any number may share its partitions."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import click

from cli.configs import bring_in, checked, stream_option
from cli.health import http_option
from cli.logs import log_option
from cli.places import Places, data_option, store_option, transport_option
from cli.service import Means, Part, serve
from streaming.worker import Worker


@click.command("worker")
@stream_option
@http_option
@log_option
@data_option
@transport_option
@store_option
def command(
    config_path: Path,
    http: tuple[str, int] | None,
    log_format: str,
    folder: Path,
    transport_url: str | None,
    store_url: str | None,
) -> None:
    """Score the events of a stream.

    Over Kafka any number of workers share the partitions; give each one a name of its own in the
    transport's address (`member=worker-0`), so that it keeps them over a restart.
    """
    checked(config_path)

    def build(means: Means) -> Sequence[Part]:
        config = bring_in(means.store, config_path, time.time())
        means.transport.ensure_topic(config.source.topic, config.source.partitions)
        return [Worker(config, means.transport, means.store, time.time, means.metrics)]

    serve("worker", Places.of(folder, transport_url, store_url), http, log_format, build)
