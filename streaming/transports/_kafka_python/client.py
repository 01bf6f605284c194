"""Making kafka-python's clients, so that none leaves a socket or a thread behind."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import Any

from kafka.errors import (
    KafkaTimeoutError,
    SaslAuthenticationFailedError,
    UnsupportedSaslMechanismError,
)
from kafka.net.compat import KafkaNetClient
from kafka.net.inet import KafkaNetSocket
from kafka.net.manager import KafkaConnectionManager
from kafka.net.sasl.oauth import AbstractTokenProvider
from kafka.net.selector import NetworkSelector

from streaming.transports._kafka_meanings import not_taken
from streaming.transports._kafka_options import KafkaOptions
from streaming.transports._kafka_python import batches, last_words
from streaming.transports._kafka_python.errors import explained
from streaming.transports._kafka_reach import check_reachable

RECONNECT_MS = 1_000  # between two tries; by default up to 30 s pass after a broker has come back
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

    Attributes:
        trouble: why the last connection came to nothing.
    """

    refused: Exception | None = None
    trouble: Exception | None = None

    def get_connection(self, node_id: Any, *args: Any, **settings: Any) -> Any:
        """Return the connection to a node. Raises what a broker has refused us with."""
        if self.refused:
            raise self.refused
        found = super().get_connection(node_id, *args, **settings)
        if self.cluster.is_bootstrap(node_id):
            found.init_future.add_errback(self._note)
        return found

    def _note(self, error: Exception) -> None:
        self.trouble = error
        if isinstance(error, SaslAuthenticationFailedError | UnsupportedSaslMechanismError):
            self.refused = error


class _Token(AbstractTokenProvider):  # type: ignore[misc]  # kafka-python has no types
    """Gives each connection the token that is there now: whoever renews it replaces the file."""

    def __init__(self, ask: Callable[[], str]) -> None:
        super().__init__()
        self._ask = ask

    def token(self) -> str:
        return self._ask()


def settings_of(options: KafkaOptions) -> Mapping[str, Any]:
    """Return the options in kafka-python's words; may hold secrets."""
    found: dict[str, Any] = {
        "security_protocol": options.protocol,
        "reconnect_backoff_max_ms": RECONNECT_MS,
    }
    if options.client_id:
        found["client_id"] = options.client_id
    if options.tls:
        found["ssl_context"] = options.tls.context
    if sasl := options.sasl:
        found["sasl_mechanism"] = sasl.mechanism
        if sasl.token:
            found["sasl_oauth_token_provider"] = _Token(sasl.token)
        else:
            found["sasl_plain_username"] = sasl.user
            found["sasl_plain_password"] = sasl.password
    return found


def connect(kind: Callable[..., Any], options: KafkaOptions, **settings: object) -> Any:
    """Return a client of this kind.

    Raises TransportUnavailable at once where nobody listens or TLS fails: kafka-python would try
    for a while, and not tell why. A client that can't be made is closed, which kafka-python's
    constructors leave out.
    """
    check_reachable(options)
    batches.install()
    last_words.install()
    started: list[Any] = []
    managers: list[Connections] = []

    def start(**configs: object) -> Any:
        # of a busy machine it would warn as of a defect of its own
        loop = NetworkSelector(slow_task_threshold_secs=0, **configs)
        managers.append(Connections(loop, **configs))
        started.append(KafkaNetClient(net=loop, manager=managers[-1], **configs))
        return started[-1]

    with explained(options.name):
        try:
            return kind(
                bootstrap_servers=list(options.bootstrap),
                bootstrap_timeout_ms=BOOTSTRAP_MS,
                proxy_url="direct://",
                kafka_client=start,
                **settings_of(options),
                **settings,
            )
        except BaseException as error:
            for client in started:
                client.close()
            if isinstance(error, KafkaTimeoutError):
                raise not_taken(options.name, managers[-1].trouble or error) from error
            raise
