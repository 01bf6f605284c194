"""Whether a broker can be reached, told at once and in words: client libraries retry in silence."""

from __future__ import annotations

import socket
import ssl

from streaming.errors import TransportUnavailable
from streaming.transports._kafka_options import KafkaOptions

CONNECT_S = 3.0


def check_reachable(options: KafkaOptions) -> None:
    """Raise TransportUnavailable where nobody listens or TLS fails at every address."""
    context = options.tls.context if options.tls else None
    troubles = [_trouble(address, context) for address in options.bootstrap]
    if all(troubles):
        raise TransportUnavailable(f"{options.name}: {troubles[0]}")


def _trouble(address: str, tls: ssl.SSLContext | None) -> str:
    """Return why this address can't be reached; nothing if it can."""
    name, _, port = address.rpartition(":")  # checked when the options were read
    host = name.strip("[]")
    try:
        with socket.create_connection((host, int(port)), timeout=CONNECT_S) as plain:
            if tls:
                tls.wrap_socket(plain, server_hostname=host).close()
    except ssl.SSLError as error:
        return f"the broker and we don't agree about TLS: {error}"
    except socket.gaierror as error:
        return f"there is no host of this name ({error.strerror})"
    except OSError:
        return "no Kafka broker answers there"
    return ""
