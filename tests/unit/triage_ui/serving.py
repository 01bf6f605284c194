"""A board on a real port of this machine, in a thread, over a real store in a file."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from fastapi import FastAPI

from tests.support.cases import ANNA, Desk
from tests.support.stores import store_at
from triage.advisor import Advisor
from triage.model import Actor
from triage.store.base import Store
from triage_ui.listen import listen
from triage_ui.serve import server
from triage_ui.server import create_app
from triage_ui.settings import BoardSettings

PATIENCE_S = 60.0


def wait_until(true: Callable[[], object], what: str) -> None:
    """Wait for something that must come soon."""
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.01)


class Running:
    """An app that is served in a thread until it is stopped."""

    def __init__(self, app: FastAPI, port: int = 0) -> None:
        bound = listen("127.0.0.1", port)
        self.port: int = bound.getsockname()[1]
        self._server = serving_it = server(app)
        self._thread = threading.Thread(target=lambda: serving_it.run(sockets=[bound]), daemon=True)
        self._thread.start()
        wait_until(lambda: serving_it.started, "the board")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), "the board did not stop"


@dataclass
class Served:
    """A board that can be stopped and started again on the same port and the same store."""

    folder: Path
    clock: Callable[[], float]
    port: int = 0
    store: Store = field(init=False)
    desk: Desk = field(init=False)
    app: FastAPI = field(init=False)
    advisor: Advisor | None = None
    _running: Running | None = None

    def __post_init__(self) -> None:
        self.store = store_at(self.folder / "triage.db")
        self.desk = Desk(self.store)
        self.desk.policy()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        settings = BoardSettings(clock=self.clock, poll_s=0.05, ping_s=0.5)
        self.app = create_app(self.desk.triage, self.store, self.store, settings, self.advisor)
        self._running = Running(self.app, self.port)
        self.port = self._running.port

    def stop(self) -> None:
        if self._running is not None:
            self._running.stop()
            self._running = None

    def link(self, actor: Actor = ANNA) -> str:
        """Return a fresh sign-in link."""
        token = self.store.new_sign_in(actor, self.clock(), 3600)
        return f"{self.url}/sign-in?token={token}"

    @contextmanager
    def client(self, actor: Actor | None = ANNA) -> Iterator[httpx.Client]:
        """Return a client, signed in as ``actor`` and with the token of its session."""
        with httpx.Client(base_url=self.url, timeout=PATIENCE_S) as client:
            if actor is not None:
                sign_in(self, client, actor)
            yield client


def sign_in(board: Served, client: httpx.Client, actor: Actor = ANNA) -> None:
    """Sign a client in; from then on it sends the token of its session."""
    token = board.store.new_sign_in(actor, board.clock(), 3600)
    answer = client.post("/sign-in", data={"token": token})
    assert answer.status_code == 303, answer.text
    client.headers["x-csrftoken"] = client.cookies["_csrf_token"]


@contextmanager
def serving(folder: Path, clock: Callable[[], float], port: int = 0) -> Iterator[Served]:
    """Serve a board over a new store in ``folder``, on this port or (0) a free one."""
    board = Served(folder, clock, port)
    board.start()
    try:
        yield board
    finally:
        board.stop()
        board.store.close()
