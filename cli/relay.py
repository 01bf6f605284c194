"""``triage relay``: publish verified anomalies and dead letters, each once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import click

from cli.health import http_option
from cli.logs import log_option
from cli.places import Places, data_option, store_option, transport_option
from cli.service import Means, Part, serve
from streaming.relay import Relay, ensure_verified_topic


@click.command("relay")
@http_option
@log_option
@data_option
@transport_option
@store_option
def command(
    http: tuple[str, int] | None,
    log_format: str,
    folder: Path,
    transport_url: str | None,
    store_url: str | None,
) -> None:
    """Publish the store's outbox: verified anomalies and dead letters, each once and in order.

    One works at a time, under a lease in the store; others wait to take over.
    """

    def build(means: Means) -> Sequence[Part]:
        ensure_verified_topic(means.transport)
        relay = Relay(means.store, means.transport, means.holder, time.time, metrics=means.metrics)
        return [relay]

    serve("relay", Places.of(folder, transport_url, store_url), http, log_format, build)
