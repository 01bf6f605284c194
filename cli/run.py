"""``triage run``: one stream, everything it needs, on one machine."""

from __future__ import annotations

import http.client
import os
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import click
from tqdm import tqdm

from cli.configs import bring_in, in_force
from cli.data_folder import DataFolder
from cli.places import (
    Places,
    data_option,
    host_option,
    port_option,
    store_option,
    transport_option,
)
from cli.sign_in import board_url, sign_in_link
from cli.supervise import Child, Supervisor
from streaming.config.load import load
from streaming.config.model import StreamConfig
from streaming.errors import ConfigInvalid, StreamingError
from streaming.sources.registry import open_source
from triage.errors import TriageError
from triage_ui.serve import CannotListen, listen

BOARD_WAIT_S = 60.0  # seconds until the board has to answer
PROGRESS_EVERY_S = 0.5
EXIT_STOP = 3  # see cli/loop.py


@dataclass(frozen=True, slots=True)
class Run:
    """What to run, and how."""

    config_path: Path
    source: str | None
    rate: float | None
    host: str
    port: int
    board: bool
    until_done: bool
    quiet: bool
    environment: str = ""


@click.command("run")
@click.option(
    "--stream",
    "config_path",
    type=click.Path(path_type=Path),
    required=True,
    help="The stream's config, a YAML file; or the stream's name: what is in force in the store.",
)
@click.option(
    "--source",
    help="Parquet, CSV or JSON-lines file, or - for JSON lines from stdin. Without it only what is "
    "already in the topic is read.",
)
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Events per second.")
@host_option
@port_option
@click.option("--no-board", is_flag=True, help="Without the board.")
@click.option("--until-done", is_flag=True, help="End when the source has been processed.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
@data_option
@transport_option
@store_option
def command(
    config_path: Path,
    source: str | None,
    rate: float | None,
    host: str,
    port: int,
    no_board: bool,
    until_done: bool,
    quiet: bool,
    folder: Path,
    transport_url: str | None,
    store_url: str | None,
) -> None:
    """Run a stream: detect, explain, group, show, learn, publish.

    The source's records go into the log once, also when this is stopped and started again: it
    carries on where it was. Ctrl-C ends it cleanly.
    """
    run = Run(config_path, source, rate, host, port, not no_board, until_done, quiet)
    start(run, Places.of(folder, transport_url, store_url))


def start(run: Run, places: Places) -> None:
    """Run until Ctrl-C (or until done) and exit the process with the outcome."""
    try:
        config = _config(run, places)
        total = (
            open_source(run.source, config).total() if run.source and run.source != "-" else None
        )
    except ConfigInvalid as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        sys.exit(2)
    except (StreamingError, TriageError) as error:
        raise click.ClickException(str(error)) from error
    if run.board:
        run = replace(run, port=_free_port(run.host, run.port))
    with DataFolder(places.folder):
        try:
            with closing(places.store()) as store:  # makes or migrates the tables, once
                bring_in(store, run.config_path, time.time())
        except TriageError as error:
            raise click.ClickException(str(error)) from error
        code = _supervise(run, places, config, total)
    sys.exit(code)


def _config(run: Run, places: Places) -> StreamConfig:
    """Return the file's config; of a name, what is in force."""
    if run.config_path.is_file() or not places.has_store():
        return load(run.config_path)
    with closing(places.store(migrate=False)) as store:
        return in_force(store, str(run.config_path))


def _supervise(run: Run, places: Places, config: StreamConfig, total: int | None) -> int:
    supervisor = Supervisor(_children(run, places, config))
    stop = threading.Event()
    watch = threading.Thread(
        target=_watch, args=(run, places, config, total, stop), name="watch", daemon=True
    )
    watch.start()
    try:
        return supervisor.run()
    finally:
        stop.set()
        watch.join(timeout=5)


def _children(run: Run, places: Places, config: StreamConfig) -> Sequence[Child]:
    triage = [sys.executable, "-m", "cli"]
    parent = ["--parent", str(os.getpid())]
    # by name: what comes into force while it runs stays in force over a restart of the engine
    engine = [*triage, "engine", "--stream", config.stream, *places.arguments()]
    if run.source:
        engine += ["--source", run.source]
    if run.rate:
        engine += ["--rate", str(run.rate)]
    if run.until_done:
        engine += ["--until-done"]
    children = [Child("engine", [*engine, *parent], final=(0, EXIT_STOP))]
    if run.board:
        board = [*triage, "board", "--host", run.host, "--port", str(run.port), *places.arguments()]
        board += ["--environment", run.environment]
        children.append(Child("board", [*board, *parent], final=(EXIT_STOP,)))
    return children


def _watch(
    run: Run, places: Places, config: StreamConfig, total: int | None, stop: threading.Event
) -> None:
    """Print the address when the board answers, then show the progress."""
    store = places.store()
    if run.board:
        url = board_url(run.host, run.port)
        if _answers(url, stop):
            click.echo(f"Board: {sign_in_link(store, url, time.time())}  (works once)")
        elif not stop.is_set():
            click.echo(f"The board does not answer at {url}; its messages say why", err=True)
    if run.quiet:
        return
    with tqdm(total=total, unit=" events", unit_scale=True, disable=None, mininterval=0.5) as bar:
        while not stop.wait(PROGRESS_EVERY_S):
            for stream in store.status(time.time()).streams:
                if stream.stream == config.stream:
                    seen = stream.counters
                    done = seen.accepted + seen.dead_lettered + seen.duplicates + seen.late
                    bar.update(done - bar.n)
                    bar.set_postfix(candidates=seen.candidates, open=stream.open_clusters)
    store.close()


def _answers(url: str, stop: threading.Event) -> bool:
    """Wait until the board's health page answers."""
    address = urlsplit(url)
    until = time.monotonic() + BOARD_WAIT_S
    while time.monotonic() < until and not stop.wait(0.1):
        board = http.client.HTTPConnection(address.hostname or "", address.port, timeout=1)
        try:
            board.request("GET", "/health")
            return board.getresponse().status == HTTPStatus.OK
        except OSError:
            continue
        finally:
            board.close()
    return False


def _free_port(host: str, port: int) -> int:
    """Return the port to use (0: a free one). Raises ClickException if it is taken."""
    try:
        with listen(host, port) as probe:
            return int(probe.getsockname()[1])
    except CannotListen as error:
        raise click.ClickException(str(error)) from error
