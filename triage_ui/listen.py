"""Binds a board's port before anything else, so that a port in use is one clear sentence.

Apart from the server, since who only looks for a free port shouldn't wait for its imports.
"""

from __future__ import annotations

import errno
import socket


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
