"""``triage board``: serve the board of a store."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from cli import memory
from cli.board_health import observer, watch
from cli.health import Health, HealthServer, http_option
from cli.lifetime import Ended, Lifetime
from cli.logs import configure, log_option
from cli.places import (
    Places,
    data_option,
    host_option,
    port_option,
    store_option,
    transport_option,
)
from cli.sign_in import board_url
from streaming.advisor.process import ProcessAdvisor
from streaming.errors import Stop
from streaming.metrics import Metrics
from streaming.verified import message_of
from triage.errors import TriageError
from triage.handlers import Triage
from triage_ui.listen import CannotListen, listen
from triage_ui.serve import server
from triage_ui.server import create_app
from triage_ui.settings import BoardSettings

log = logging.getLogger("triage.board")

EXIT_STOP = 3  # see cli/loop.py
ORPHAN_CHECK_S = 1.0


@click.command("board")
@host_option
@port_option
@click.option("--environment", default="", help="Tag beside the product's name, e.g. prod.")
@click.option("--https", is_flag=True, help="It is reached by https: cookies are sent only there.")
@click.option("--parent", type=int, hidden=True)
@http_option
@log_option
@data_option
@transport_option
@store_option
def command(
    host: str,
    port: int,
    environment: str,
    https: bool,
    parent: int | None,
    http: tuple[str, int] | None,
    log_format: str,
    folder: Path,
    transport_url: str | None,
    store_url: str | None,
) -> None:
    """Serve the board. Accounts are made by `triage account add`, links by `triage sign-in`."""
    configure(log_format)
    lifetime, health, counted = Lifetime(parent), Health(), Metrics()
    try:
        places = Places.of(folder, transport_url, store_url)
        bound = listen(host, port)
        if http:
            HealthServer(http, health, counted).start()
        store = lifetime.keep_trying(places.store, health.turn)
    except Ended:
        log.info("board: told to end before it could start")
        return
    except (TriageError, Stop, CannotListen) as error:
        log.error("stopped: %s", error)  # noqa: TRY400 - the message is for a person, no trace
        sys.exit(EXIT_STOP)
    url = board_url(host, bound.getsockname()[1])
    if http:
        watch(url, store, health, counted)
    settings = BoardSettings(
        clock=time.time,
        environment=environment,
        secure_cookies=https,
        observe=observer(counted),
    )
    # By its name, not imported: what knows the model would be half of this process's memory.
    argv = [sys.executable, "-m", "cli", "advisor", *places.arguments()]
    argv += ["--log-format", log_format]
    advisor = ProcessAdvisor(argv, time.monotonic)
    app = create_app(Triage(store, message_of), store, store, settings, advisor)
    running = server(app)
    if parent is None:
        log.info("board: serving %s", url)
    end = partial(running.handle_exit, signal.SIGTERM, None)
    threading.Thread(target=_end_with, args=(lifetime, end), daemon=True).start()
    memory.spare_start()
    running.run(sockets=[bound])
    store.close()


def _end_with(lifetime: Lifetime, end: Callable[[], None]) -> None:
    """End the board with its parent, or if it was told to before the server heard of signals."""
    while not lifetime.over():
        time.sleep(ORPHAN_CHECK_S)
    end()
