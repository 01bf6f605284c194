"""``triage grouper``: put the candidates of a stream into clusters."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import click

from cli.configs import checked, followed, stream_option
from cli.health import http_option
from cli.keepers import keepers
from cli.logs import log_option
from cli.places import Places, data_option, store_option
from cli.service import Means, NoClose, Part, serve
from streaming.grouper import Grouper


@click.command("grouper")
@stream_option
@http_option
@log_option
@data_option
@store_option
def command(
    config_path: Path,
    http: tuple[str, int] | None,
    log_format: str,
    folder: Path,
    store_url: str | None,
) -> None:
    """Put the candidates of a stream into clusters, and see to the small recurring duties.

    One works at a time, under a lease in the store; others wait to take over.
    """
    checked(config_path)

    def build(means: Means) -> Sequence[Part]:
        config = followed(means.store, config_path)
        grouper = Grouper(config, means.store, means.holder, time.time, means.metrics)
        duties = keepers(means.store, config.stream, time.time, means.metrics)
        return [grouper, *(NoClose(duty.step) for duty in duties)]

    serve("grouper", Places.of(folder, None, store_url), http, log_format, build)
