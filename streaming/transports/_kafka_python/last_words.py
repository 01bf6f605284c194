"""What a broker says before it closes a connection is heard.

Refused passwords are told of in this way. kafka-python 3.0 drops what it has received when the end
of the connection comes with it, as it does on a busy machine: then nobody knows why.
"""

from __future__ import annotations

from typing import Any

from kafka.net.transport import KafkaSSLTransport, KafkaTCPTransport

Received = tuple[bytes, Exception | None]


def install() -> None:
    """Let every client of kafka-python in this process hear them."""
    for kind in (KafkaTCPTransport, KafkaSSLTransport):
        if kind.__dict__["_sock_recv"].__module__ != __name__:
            kind._sock_recv = _hearing(kind._sock_recv)


def _hearing(receive: Any) -> Any:
    def received(self: Any) -> Received:
        data, error = receive(self)
        return data, None if data else error  # the next look finds the end again

    return received
