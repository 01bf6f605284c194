"""Runs a board: binds the port first, so that a port in use is one clear sentence."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

GRACE_S = 5
"""Seconds that requests under way get when the board stops."""


class CannotListen(Exception):
    """The address can't be listened on; the message names the remedy."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket bound to the address (port 0: a free one).

    Raises:
        CannotListen: the port is in use, not allowed, or the host is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named asyncio sets TCP_NODELAY; without it each answer waits 40 ms.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise CannotListen(_why(host, port, error)) from error
    return bound


def _why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is in use: stop the program that holds it, or choose another"
            " port with --port (0 picks a free one)"
        )
    if error.errno == errno.EACCES:
        return f"port {port} needs more rights: choose one of 1024 or above with --port"
    return (
        f"can't listen on {host}, port {port}: {error.strerror or error}; check --host and --port"
    )


class _Server(uvicorn.Server):
    """Ends the live streams before it waits for requests to end: they never would."""

    def __init__(self, config: uvicorn.Config, before_shutdown: Callable[[], None]) -> None:
        super().__init__(config)
        self._before_shutdown = before_shutdown

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._before_shutdown()
        await super().shutdown(sockets)


def server(app: FastAPI, *, log_level: str = "warning") -> uvicorn.Server:
    """Return a server for ``app``; run it with ``.run(sockets=[listen(host, port)])``.

    Setting its ``should_exit`` ends it.
    """
    config = uvicorn.Config(
        app,
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
