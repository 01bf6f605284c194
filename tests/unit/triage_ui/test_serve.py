"""A board that stops leaves no connection open."""

from __future__ import annotations

import socket
import threading
import time
from types import SimpleNamespace

from fastapi import FastAPI

from tests.unit.triage_ui.serving import Running

ROUNDS = 12
CLIENTS = 3


def connect(port: int, into: list[socket.socket], until: threading.Event) -> None:
    """Open one connection after the other until none is taken."""
    while not until.is_set():
        try:
            into.append(socket.create_connection(("127.0.0.1", port), timeout=1))
        except OSError:
            return
        time.sleep(0.003)


def ends(connection: socket.socket) -> bool:
    """Return whether the other side has closed it, or does within a moment."""
    connection.settimeout(1)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    finally:
        connection.close()


def test_who_connects_while_it_stops_is_not_left_waiting() -> None:
    app = FastAPI()
    app.state.hub = SimpleNamespace(close=lambda: None)
    for _ in range(ROUNDS):
        running = Running(app)
        connections: list[socket.socket] = []
        stopped = threading.Event()
        connecting = [
            threading.Thread(target=connect, args=(running.port, connections, stopped))
            for _ in range(CLIENTS)
        ]
        for one in connecting:
            one.start()
        running.stop()
        stopped.set()
        for one in connecting:
            one.join()
        assert connections
        assert [one for one in connections if not ends(one)] == []
