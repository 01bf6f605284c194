"""``triage run``: one stream, everything it needs, on one machine."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

import click
import msgspec

from cli.configs import bring_in, in_force
from cli.data_folder import DataFolder
from cli.keep_running import Order
from cli.options import Bounded
from cli.places import (
    Places,
    data_option,
    host_option,
    port_option,
    store_option,
    transport_option,
)
from cli.sign_in import board_url
from cli.supervise import Child
from streaming.config.load import load
from streaming.config.model import StreamConfig
from streaming.errors import ConfigInvalid, StreamingError
from streaming.sources.registry import open_source
from triage.errors import TriageError
from triage_ui.listen import CannotListen, listen

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
@click.option("--rate", type=Bounded(min=0, min_open=True), help="Events per second.")
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
    """Run until Ctrl-C (or until done); the process ends with the outcome."""
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
    _keep_running(run, places, config, total)


def _config(run: Run, places: Places) -> StreamConfig:
    """Return the file's config; of a name, what is in force."""
    if run.config_path.is_file() or not places.has_store():
        return load(run.config_path)
    with closing(places.store(migrate=False)) as store:
        return in_force(store, str(run.config_path))


def _keep_running(run: Run, places: Places, config: StreamConfig, total: int | None) -> NoReturn:
    """Become the program that keeps the children running."""
    order = Order(
        children=tuple(_children(run, places, config)),
        stream=config.stream,
        folder=str(places.folder),
        transport_url=places.transport_url,
        store_url=places.store_url,
        board=board_url(run.host, run.port) if run.board else "",
        total=total,
        quiet=run.quiet,
    )
    sys.stdout.flush()
    sys.stderr.flush()
    argv = [sys.executable, "-m", "cli", "keep-running", msgspec.json.encode(order).decode()]
    os.execv(sys.executable, argv)  # noqa: S606 - no shell is wanted, and this is our own program


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


def _free_port(host: str, port: int) -> int:
    """Return the port to use (0: a free one). Raises ClickException if it is taken."""
    try:
        with listen(host, port) as probe:
            return int(probe.getsockname()[1])
    except CannotListen as error:
        raise click.ClickException(str(error)) from error
