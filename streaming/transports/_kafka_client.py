"""Making kafka-python's clients, so that none leaves a socket or a thread behind."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any

from kafka.net.compat import KafkaNetClient
from kafka.net.inet import KafkaNetSocket

from streaming.errors import TransportUnavailable
from streaming.transports._kafka_errors import explained

CONNECT_S = 3.0
BOOTSTRAP_MS = 10_000


class ClosingSocket(KafkaNetSocket):  # type: ignore[misc]  # kafka-python has no types
    """How our clients connect: directly, and a connection that fails is closed.

    kafka-python 3.0 leaves its socket to the garbage collector. It chooses this class by the scheme
    of ``proxy_url``.
    """

    SCHEMES = ("direct",)

    async def sock_connect(
        self, net: Any, sock: socket.socket, address: Any, timeout_at: float | None = None
    ) -> Any:
        """Connect; close the socket where that fails or is given up."""
        try:
            return await super().sock_connect(net, sock, address, timeout_at=timeout_at)
        except BaseException:
            sock.close()
            raise


def connect(kind: Callable[..., Any], bootstrap: Sequence[str], **settings: object) -> Any:
    """Return a client of this kind.

    Raises TransportUnavailable at once where nobody listens: kafka-python would try for a while.
    A client that can't be made is closed, which kafka-python's constructors leave out.
    """
    if not any(_listens(address) for address in bootstrap):
        raise TransportUnavailable(f"{','.join(bootstrap)}: no Kafka broker answers there")
    started: list[Any] = []

    def start(**configs: object) -> Any:
        started.append(KafkaNetClient(**configs))
        return started[-1]

    with explained(",".join(bootstrap)):
        try:
            return kind(
                bootstrap_servers=list(bootstrap),
                bootstrap_timeout_ms=BOOTSTRAP_MS,
                proxy_url="direct://",
                kafka_client=start,
                **settings,
            )
        except BaseException:
            for client in started:
                client.close()
            raise


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_S).close()
    except (OSError, ValueError):
        return False
    return True
