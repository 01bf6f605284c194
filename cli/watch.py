"""Tells of a run: where the board is, and how far the stream is."""

from __future__ import annotations

import http.client
import math
import threading
import time
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import click
from tqdm import tqdm

from cli.keep_running import Order
from cli.places import Places
from cli.sign_in import sign_in_link

BOARD_WAIT_S = 60.0  # seconds until it is said that the board does not answer
PROGRESS_EVERY_S = 0.5


def watch(order: Order, stop: threading.Event) -> None:
    """Print the address when the board answers, then show the progress."""
    store = Places(Path(order.folder), order.transport_url, order.store_url).store()
    if order.board:
        if not _answers(order.board, stop, BOARD_WAIT_S) and not stop.is_set():
            click.echo(
                f"The board does not answer yet at {order.board}: its messages say why, if any "
                "stand above. Its link comes as soon as it does.",
                err=True,
            )
        if _answers(order.board, stop):
            click.echo(f"Board: {sign_in_link(store, order.board, time.time())}  (works once)")
    if order.quiet:
        return
    with tqdm(
        total=order.total, unit=" events", unit_scale=True, disable=None, mininterval=0.5
    ) as bar:
        while not stop.wait(PROGRESS_EVERY_S):
            for stream in store.status(time.time()).streams:
                if stream.stream == order.stream:
                    seen = stream.counters
                    done = seen.accepted + seen.dead_lettered + seen.duplicates + seen.late
                    bar.update(done - bar.n)
                    bar.set_postfix(candidates=seen.candidates, open=stream.open_clusters)
    store.close()


def _answers(url: str, stop: threading.Event, wait_s: float = math.inf) -> bool:
    """Wait until the board's health page answers, or it is time to stop."""
    address = urlsplit(url)
    until = time.monotonic() + wait_s
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
