"""Making kafka-python's clients, so that none leaves a socket or a thread behind."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import Any

from kafka.errors import SaslAuthenticationFailedError
from kafka.net.compat import KafkaNetClient
from kafka.net.inet import KafkaNetSocket
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector

from streaming.errors import TransportUnavailable
from streaming.transports._kafka_errors import explained
from streaming.transports._kafka_options import KafkaOptions

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


class Connections(KafkaConnectionManager):  # type: ignore[misc]  # kafka-python has no types
    """Ends the first connect when the password is refused.

    kafka-python 3.0 would send it over and over, and then tell of a timeout.
    """

    refused: Exception | None = None

    def get_connection(self, node_id: Any, *args: Any, **settings: Any) -> Any:
        """Return the connection to a node. Raises what a broker has refused us with."""
        if self.refused:
            raise self.refused
        found = super().get_connection(node_id, *args, **settings)
        if self.cluster.is_bootstrap(node_id):
            found.init_future.add_errback(self._note)
        return found

    def _note(self, error: Exception) -> None:
        if isinstance(error, SaslAuthenticationFailedError):
            self.refused = error


def connect(kind: Callable[..., Any], options: KafkaOptions, **settings: object) -> Any:
    """Return a client of this kind.

    Raises TransportUnavailable at once where nobody listens or TLS fails: kafka-python would try
    for a while, and not tell why. A client that can't be made is closed, which kafka-python's
    constructors leave out.
    """
    troubles = [_trouble(address, options.tls) for address in options.bootstrap]
    if all(troubles):
        raise TransportUnavailable(f"{options.name}: {troubles[0]}")
    started: list[Any] = []

    def start(**configs: object) -> Any:
        # of a busy machine it would warn as of a defect of its own
        loop = NetworkSelector(slow_task_threshold_secs=0, **configs)
        started.append(KafkaNetClient(net=loop, manager=Connections(loop, **configs), **configs))
        return started[-1]

    with explained(options.name):
        try:
            return kind(
                bootstrap_servers=list(options.bootstrap),
                bootstrap_timeout_ms=BOOTSTRAP_MS,
                proxy_url="direct://",
                kafka_client=start,
                **options.client,
                **settings,
            )
        except BaseException:
            for client in started:
                client.close()
            raise


def _trouble(address: str, tls: ssl.SSLContext | None) -> str:
    """Return why this address can't be reached; nothing if it can."""
    name, _, port = address.rpartition(":")
    host = name.strip("[]")
    try:
        with socket.create_connection((host, int(port)), timeout=CONNECT_S) as plain:
            if tls:
                tls.wrap_socket(plain, server_hostname=host).close()
    except ssl.SSLError as error:
        return f"the broker and we don't agree about TLS: {error}"
    except (OSError, ValueError):
        return "no Kafka broker answers there"
    return ""
