"""``triage keep-running``: what is left of ``triage run`` when everything has been checked.

``run`` gives way to it (same process, new program), so that detectors and compilers, which a config
is checked with, don't stay in memory for as long as the children run.
"""

from __future__ import annotations

import importlib
import sys
import threading
from pathlib import Path

import click
import msgspec

from cli.data_folder import DataFolder
from cli.supervise import Child, Supervisor


class Order(msgspec.Struct, frozen=True):
    """What is to be kept running, and what is told of it.

    Attributes:
        folder, transport_url, store_url: see ``cli.places.Places``.
        board: its address, "" if there is none.
        total: events of the source, where that is known.
    """

    children: tuple[Child, ...]
    stream: str
    folder: str
    transport_url: str
    store_url: str
    board: str
    total: int | None
    quiet: bool


@click.command("keep-running", hidden=True)
@click.argument("order")
def command(order: str) -> None:
    """Keep the processes of `triage run` running; ORDER is JSON that `triage run` makes."""
    wanted = msgspec.json.decode(order, type=Order)
    with DataFolder(Path(wanted.folder)):
        code = _keep(wanted)
    sys.exit(code)


def _keep(order: Order) -> int:
    supervisor = Supervisor(order.children)
    stop = threading.Event()
    watch = threading.Thread(target=_watch, args=(order, stop), name="watch", daemon=True)
    watch.start()
    try:
        return supervisor.run()
    finally:
        stop.set()
        watch.join(timeout=5)


def _watch(order: Order, stop: threading.Event) -> None:
    # Imported here, so that the children don't wait for what only tells of them.
    importlib.import_module("cli.watch").watch(order, stop)
