"""Making kafka-python's clients."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any

from streaming.errors import TransportUnavailable
from streaming.transports._kafka_errors import explained

CONNECT_S = 3.0
BOOTSTRAP_MS = 10_000


def connect(kind: Callable[..., Any], bootstrap: Sequence[str], **settings: object) -> Any:
    """Return a client of this kind.

    Raises TransportUnavailable at once where nobody listens: kafka-python would try for a while,
    then leave its sockets open.
    """
    if not any(_listens(address) for address in bootstrap):
        raise TransportUnavailable(f"{','.join(bootstrap)}: no Kafka broker answers there")
    with explained(",".join(bootstrap)):
        return kind(
            bootstrap_servers=list(bootstrap), bootstrap_timeout_ms=BOOTSTRAP_MS, **settings
        )


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_S).close()
    except (OSError, ValueError):
        return False
    return True
