"""Processes of their own: health, metrics, waiting for a broker, an end in order."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streaming.transports.registry import open_transport
from tests.contract.transport_harness import everything
from tests.integration.test_commands import lines, wait_until
from tests.support.processes import free_ports
from tests.support.streams import CONFIG, events

END_S = 60.0


@contextmanager
def serving(log: Path, *arguments: object) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run ``triage ARGUMENTS`` with its pages on a port of this machine."""
    (port,) = free_ports(1)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", *map(str, arguments), "--http", f"127.0.0.1:{port}"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process, port
    finally:
        process.kill()
        process.wait(END_S)


def get(port: int, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=END_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except OSError:
        return 0, ""
    finally:
        connection.close()


def test_a_grouper_is_ready_counts_and_ends_in_order(tmp_path: Path) -> None:
    stream, log = tmp_path / "s.yaml", tmp_path / "log"
    stream.write_text(CONFIG, encoding="utf-8")
    store = f"sqlite:///{tmp_path / 'triage.db'}"
    with serving(log, "grouper", "--stream", stream, "--store", store) as (process, port):
        wait_until(lambda: get(port, "/readyz") == (200, "ok\n"), "ready")
        assert get(port, "/livez") == (200, "ok\n")
        assert '\ntriage_lease_held{lease="grouper:tests"} 1.0\n' in get(port, "/metrics")[1]
        process.send_signal(signal.SIGTERM)
        assert process.wait(END_S) == 0


def test_a_relay_waits_for_its_broker_and_says_so(tmp_path: Path) -> None:
    (nobody,) = free_ports(1)
    log = tmp_path / "log"
    store = f"sqlite:///{tmp_path / 'triage.db'}"
    places = ("--store", store, "--transport", f"kafka://127.0.0.1:{nobody}")
    with serving(log, "relay", *places, "--log-format", "json") as (process, port):
        wait_until(lambda: "no Kafka broker answers there" in get(port, "/readyz")[1], "reason")
        assert get(port, "/readyz")[0] == 503
        assert get(port, "/livez")[0] == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(END_S) == 0
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert f"127.0.0.1:{nobody}: no Kafka broker answers there" in lines[0]["message"]
    assert [line["level"] for line in lines] == ["warning", "info"]


def test_rows_go_in_once_over_a_restart(tmp_path: Path) -> None:
    stream, source, log = tmp_path / "s.yaml", tmp_path / "events.jsonl", tmp_path / "log"
    stream.write_text(CONFIG, encoding="utf-8")
    source.write_bytes(lines(events(30)))
    what = ("ingest", "--stream", stream, "--source", source, "--data", tmp_path)
    transport = open_transport(f"embedded:{tmp_path / 'log.db'}", time.time)
    for _ in range(2):
        with serving(log, *what) as (process, port):
            wait_until(lambda: get(port, "/readyz")[0] == 200, "ready")
            wait_until(lambda: len(everything(transport, "tests")) >= 30, "rows")
            process.send_signal(signal.SIGTERM)
            assert process.wait(END_S) == 0
    assert len(everything(transport, "tests")) == 30
    transport.close()


def test_a_config_that_is_wrong_ends_with_its_problems(tmp_path: Path) -> None:
    stream = tmp_path / "s.yaml"
    stream.write_text(CONFIG.replace("seed: 7", "sead: 7"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "cli", "worker", "--stream", stream],
        capture_output=True,
        timeout=END_S,
        check=False,
    )
    assert done.returncode == 2
    assert b"sead" in done.stderr


def test_a_board_waits_for_its_database_and_says_so(tmp_path: Path) -> None:
    (nobody,) = free_ports(1)
    log = tmp_path / "log"
    places = ("--store", f"postgresql://me:secret-word@127.0.0.1:{nobody}/triage", "--port", "0")
    with serving(log, "board", *places, "--log-format", "json") as (process, port):
        wait_until(lambda: "host and port" in get(port, "/readyz")[1], "reason")
        assert get(port, "/readyz")[0] == 503
        assert get(port, "/livez")[0] == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(END_S) == 0
    said = log.read_text(encoding="utf-8")
    assert "secret-word" not in said
    lines = [json.loads(line) for line in said.splitlines()]
    assert "host and port are right" in lines[0]["message"]
    assert [line["level"] for line in lines] == ["warning", "info"]


def test_a_board_is_ready_says_where_and_ends_in_order(tmp_path: Path) -> None:
    log = tmp_path / "log"
    what = ("board", "--data", tmp_path, "--port", "0", "--log-format", "json")
    with serving(log, *what) as (process, port):
        wait_until(lambda: get(port, "/readyz") == (200, "ok\n"), "ready")
        process.send_signal(signal.SIGTERM)
        assert process.wait(END_S) == 0
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert lines[0]["message"].startswith("board: serving http://127.0.0.1:")


def test_a_board_that_is_told_to_end_while_it_starts_ends(tmp_path: Path) -> None:
    with serving(tmp_path / "log", "board", "--data", tmp_path, "--port", "0") as (process, port):
        wait_until(lambda: get(port, "/livez")[0] == 200, "its pages")  # the board comes after
        process.send_signal(signal.SIGTERM)
        assert process.wait(END_S) == 0
