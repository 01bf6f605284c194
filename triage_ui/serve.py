"""Runs a board on a socket that is bound already; see ``listen``."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from triage_ui.listen import listen

GRACE_S = 5
"""Seconds that requests under way get when the board stops."""


ACCEPTED_S = 0.01
"""Seconds until what was accepted when the board stops is a connection that uvicorn knows of."""


class _Server(uvicorn.Server):
    """Ends the live streams before it waits for requests to end: they never would.

    Before that it accepts no more, and lets what it has just accepted become connections: pages
    whose streams end ask again at once, and uvicorn closes only what it knows of. A connection
    between the two would be answered by nobody and stay open until the process ends.
    """

    def __init__(self, config: uvicorn.Config, before_shutdown: Callable[[], None]) -> None:
        super().__init__(config)
        self._before_shutdown = before_shutdown

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listening in self.servers:
            listening.close()
        await asyncio.sleep(ACCEPTED_S)
        self._before_shutdown()
        await super().shutdown(sockets)


def server(app: FastAPI, *, log_level: str = "warning") -> uvicorn.Server:
    """Return a server for ``app``; run it with ``.run(sockets=[listen(host, port)])``.

    Setting its ``should_exit`` ends it.
    """
    config = uvicorn.Config(
        app,
        log_config=None,  # as the process has set it up: also one line of JSON per message
        log_level=log_level,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        lifespan="on",
    )
    return _Server(config, app.state.hub.close)


def serve(app: FastAPI, host: str, port: int, *, log_level: str = "warning") -> None:
    """Run the board until SIGINT or SIGTERM.

    Raises:
        CannotListen: see the message.
    """
    bound = listen(host, port)
    server(app, log_level=log_level).run(sockets=[bound])
