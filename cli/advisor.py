"""``triage advisor``: answers the board's questions to the model, from its standard input."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from pathlib import Path

import click

from cli.logs import configure, log_option
from cli.loop import EXIT_STOP
from cli.places import Places, data_option, store_option, transport_option
from streaming.advisor.answers import Answers
from streaming.advisor.serve import serve
from triage.errors import TriageError

log = logging.getLogger("triage.advisor")


@click.command("advisor", hidden=True)
@log_option
@data_option
@transport_option
@store_option
def command(
    log_format: str, folder: Path, transport_url: str | None, store_url: str | None
) -> None:
    """Answer questions of the board's process, a line of JSON each, until the input ends."""
    configure(log_format)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the board, which ends us
    try:
        store = Places.of(folder, transport_url, store_url).store(migrate=False)
    except TriageError as error:
        log.error("stopped: %s", error)  # noqa: TRY400 - the message is for a person, no trace
        sys.exit(EXIT_STOP)
    # What is printed by mistake must not stand among the answers.
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        serve(Answers(store), sys.stdin.buffer, out, time.monotonic)
    except BrokenPipeError:
        sys.exit(0)
    finally:
        store.close()
