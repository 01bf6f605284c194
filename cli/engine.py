"""``triage engine``: ingest, worker, grouper and relay of one stream, in turn, in one process."""

from __future__ import annotations

import logging
import socket
import sys
import time
import uuid
from pathlib import Path

import click

from cli import memory
from cli.configs import bring_in
from cli.keepers import keepers
from cli.lifetime import Ended, Lifetime
from cli.logs import configure
from cli.loop import EXIT_STOP, Engine, Step
from cli.places import Places, data_option, store_option, transport_option
from streaming.errors import Stop
from streaming.grouper import Grouper
from streaming.ingest import Ingest
from streaming.relay import Relay, ensure_verified_topic
from streaming.sources.registry import open_source
from streaming.worker import Worker
from triage import errors as triage_errors

log = logging.getLogger("triage.engine")


@click.command("engine", hidden=True)
@click.option("--stream", "config_path", type=click.Path(path_type=Path), required=True)
@click.option("--source", "source_name", help="File, '-', or the name of a built-in source.")
@click.option("--rate", type=float, help="Records per second; as fast as possible without.")
@click.option("--until-done", is_flag=True, help="End when the source has been processed.")
@click.option("--parent", type=int, help="End when this process is no longer the parent.")
@data_option
@transport_option
@store_option
def command(
    config_path: Path,
    source_name: str | None,
    rate: float | None,
    until_done: bool,
    parent: int | None,
    folder: Path,
    transport_url: str | None,
    store_url: str | None,
) -> None:
    """Run ingest, worker, grouper and relay of one stream."""
    configure()
    places = Places.of(folder, transport_url, store_url)
    try:
        _run(places, config_path, source_name, rate, until_done=until_done, parent=parent)
    except Ended:
        return
    except (Stop, triage_errors.Stop, triage_errors.Refused) as error:
        log.error("stopped: %s", error)  # noqa: TRY400 - the message is for a person, no trace
        sys.exit(EXIT_STOP)


def _run(
    places: Places,
    config_path: Path,
    source_name: str | None,
    rate: float | None,
    *,
    until_done: bool,
    parent: int | None,
) -> None:
    lifetime = Lifetime(parent)
    store = lifetime.keep_trying(places.store)
    config = lifetime.keep_trying(lambda: bring_in(store, config_path, time.time()))
    transport = places.transport()
    holder = f"{config.stream}:{socket.gethostname()}:{uuid.uuid4()}"
    lifetime.keep_trying(
        lambda: transport.ensure_topic(config.source.topic, config.source.partitions)
    )
    lifetime.keep_trying(lambda: ensure_verified_topic(transport))
    ingest = None
    if source_name:
        source = open_source(source_name, config)
        topic = config.source.topic
        ingest = Ingest(source, transport, topic, config.stream, rate, time.monotonic)
    worker = lifetime.keep_trying(lambda: Worker(config, transport, store, time.time))
    grouper = Grouper(config, store, holder, time.time)
    relay = Relay(store, transport, holder, time.time)

    def done() -> bool:
        processed = until_done and (ingest is None or ingest.done) and worker.lag() == 0
        settled = processed and worker.settled() and grouper.settled()
        return settled and not store.outbox_topics()

    duties = keepers(store, config.stream, time.time)
    parts: list[Step] = [worker, grouper, relay, *duties]
    memory.settle()
    Engine([ingest, *parts] if ingest else parts, lifetime.over, done, lifetime.sleep).run()
    worker.close()
    grouper.close()
    relay.close()
    if ingest:
        ingest.close()
    transport.close()
    store.close()
