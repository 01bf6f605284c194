"""What ``--http`` tells of a board: whether it answers, reaches its store, and what it counts."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from cli.health import Health
from streaming import metrics as names
from streaming.metrics import Metrics
from triage.errors import TriageError
from triage.store.base import Store

EVERY_S = 5.0
ANSWER_S = 5.0  # a board that takes longer for its smallest page is stuck


def observer(counted: Metrics) -> Callable[[int, float], None]:
    """Return what counts the board's answers, by status and seconds."""

    def observe(status: int, seconds: float) -> None:
        counted.add(names.BOARD_ANSWERS, f"{status // 100}xx")
        counted.add(names.BOARD_SECONDS, by=seconds)

    return observe


def watch(url: str, store: Store, health: Health, counted: Metrics) -> None:
    """Look after the board at ``url`` until the process ends, on a thread of its own."""
    counted.set(names.STARTED, to=time.time())

    def look_on() -> None:
        while True:
            look(url, store, health, counted)
            time.sleep(EVERY_S)

    threading.Thread(target=look_on, name="watch", daemon=True).start()


def look(url: str, store: Store, health: Health, counted: Metrics) -> None:
    """Ask the board for its smallest page, and the store for the numbers of the top bar."""
    if not _answers(url):
        return  # no turn: what does not answer for a minute is not alive
    trouble = ""
    try:
        for stream in store.status(time.time()).streams:
            counted.set(names.OPEN_CLUSTERS, stream.stream, to=stream.open_clusters)
    except TriageError as error:
        trouble = str(error)
        counted.add(names.RETRIES)
    health.turn(trouble)


def _answers(url: str) -> bool:
    address = urlsplit(url)
    board = http.client.HTTPConnection(address.hostname or "", address.port, timeout=ANSWER_S)
    try:
        board.request("GET", "/health")
        return board.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        board.close()
