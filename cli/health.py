"""``/livez``, ``/readyz`` and ``/metrics`` of a process that has no pages of its own."""

from __future__ import annotations

import logging
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import click

from streaming.errors import Stop
from streaming.metrics import CONTENT_TYPE, Metrics

log = logging.getLogger("triage.health")

STUCK_S = 60.0  # a loop that has not turned for so long is stuck: start the process again
REQUEST_S = 5.0  # a client that is slower is cut off
DEFAULT_PORT = 9100


class Health:
    """What the process says of itself; the loop tells, the server reads."""

    def __init__(self) -> None:
        self._turned = time.monotonic()
        self._trouble = "starting"

    def turn(self, trouble: str = "") -> None:
        """Note that the loop has turned; ``trouble`` is why it can't do its work just now."""
        self._turned = time.monotonic()
        self._trouble = trouble

    def live(self) -> str:
        """Return why the process should be started again; nothing if it needn't."""
        still = time.monotonic() - self._turned
        return f"the loop has not turned for {still:.0f} seconds" if still > STUCK_S else ""

    def ready(self) -> str:
        """Return why it can't do its work just now; nothing if it can."""
        return self.live() or self._trouble


class HealthServer(ThreadingHTTPServer):
    """Serves the three pages on a thread of its own."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], health: Health, metrics: Metrics) -> None:
        self.health = health
        self.metrics = metrics
        try:
            super().__init__(address, _Handler)
        except OSError as error:
            raise Stop(
                f"--http {address[0]}:{address[1]}: {error.strerror}: stop the program that holds"
                " it, or give another address of this machine"
            ) from error

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that has gone away is nothing to tell; of anything else a line is."""
        if not isinstance(error := sys.exception(), OSError):
            log.error("page for %s: %s", client_address, error)

    def start(self) -> None:
        """Answer until the process ends."""
        threading.Thread(target=self.serve_forever, name="health", daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    server: HealthServer
    timeout = REQUEST_S
    server_version = "triage"
    sys_version = ""

    def do_GET(self) -> None:
        health = self.server.health
        if self.path == "/livez":
            self._say(health.live())
        elif self.path == "/readyz":
            self._say(health.ready())
        elif self.path == "/metrics":
            self._send(HTTPStatus.OK, self.server.metrics.text(), CONTENT_TYPE)
        else:
            self._send(HTTPStatus.NOT_FOUND, "there are /livez, /readyz and /metrics\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Probes come every few seconds: nothing to tell."""

    def _say(self, trouble: str) -> None:
        status = HTTPStatus.SERVICE_UNAVAILABLE if trouble else HTTPStatus.OK
        self._send(status, f"{trouble or 'ok'}\n")

    def _send(self, status: HTTPStatus, text: str, kind: str = "text/plain; charset=utf-8") -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)


def _address(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[str, int] | None:
    if value is None:
        return None
    host, colon, port = value.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise click.BadParameter(f"{value}: write HOST:PORT, e.g. 127.0.0.1:{DEFAULT_PORT}")
    return (host.strip("[]") if colon else "127.0.0.1"), int(port)


http_option = click.option(
    "--http",
    callback=_address,
    metavar="HOST:PORT",
    envvar="TRIAGE_HTTP",
    help="Serve /livez, /readyz and /metrics there. Also as TRIAGE_HTTP.",
)
