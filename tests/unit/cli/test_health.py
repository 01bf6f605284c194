"""The pages of a process that has no board: alive, ready, metrics."""

from __future__ import annotations

import http.client
import json
import logging
from collections.abc import Iterator

import pytest

from cli import health as module
from cli.health import Health, HealthServer
from cli.logs import JsonFormatter
from streaming.errors import Stop
from streaming.metrics import RETRIES, Metrics


@pytest.fixture
def server() -> Iterator[HealthServer]:
    made = HealthServer(("127.0.0.1", 0), Health(), Metrics())
    made.start()
    yield made
    made.shutdown()
    made.server_close()


def get(server: HealthServer, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


def test_alive_from_the_start_ready_when_it_works(server: HealthServer) -> None:
    assert get(server, "/livez") == (200, "ok\n")
    assert get(server, "/readyz") == (503, "starting\n")
    server.health.turn()
    assert get(server, "/readyz") == (200, "ok\n")
    server.health.turn("the broker is away")
    assert get(server, "/readyz") == (503, "the broker is away\n")
    assert get(server, "/livez") == (200, "ok\n")


def test_a_loop_that_does_not_turn_is_not_alive(
    server: HealthServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.health.turn()
    monkeypatch.setattr(module, "STUCK_S", -1.0)
    for page in ("/livez", "/readyz"):
        status, body = get(server, page)
        assert status == 503
        assert "has not turned" in body


def test_metrics_and_nothing_else(server: HealthServer) -> None:
    server.metrics.add(RETRIES)
    status, body = get(server, "/metrics")
    assert status == 200
    assert "\ntriage_retries_total 1.0\n" in body
    assert get(server, "/etc/passwd")[0] == 404


def test_a_port_that_is_taken_is_explained(server: HealthServer) -> None:
    with pytest.raises(Stop, match=f"--http 127.0.0.1:{server.server_port}: "):
        HealthServer(("127.0.0.1", server.server_port), Health(), Metrics())


def test_a_line_of_the_log_stays_one_object() -> None:
    record = logging.LogRecord("triage.x", logging.WARNING, "f", 1, 'bad "%s"', ("a\nb\x1b",), None)
    line = JsonFormatter().format(record)
    assert "\n" not in line
    assert "\x1b" not in line
    told = json.loads(line)
    assert (told["level"], told["logger"]) == ("warning", "triage.x")
    assert told["message"] == 'bad "a\nb\x1b"'


def test_a_client_that_has_gone_away_is_nothing_to_tell(
    server: HealthServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(error: Exception) -> None:
        raise error

    for error in (BrokenPipeError("gone"), ValueError("ours")):
        try:
            fail(error)
        except Exception:  # noqa: BLE001 - as the server's own loop does
            server.handle_error(None, ("127.0.0.1", 1))
    assert [record.getMessage() for record in caplog.records] == ["page for ('127.0.0.1', 1): ours"]
    assert capfd.readouterr().err == ""
