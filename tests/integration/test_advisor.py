"""The board's process with its advisor, as they run: the advisor is killed, the board goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import httpx
import pytest

from tests.support.house import ANNA, House
from tests.support.processes import free_ports, running
from tests.support.streams import events
from tests.unit.streaming.advisor.conftest import many_clusters, settle
from triage.queries import QueueFilter

PATIENCE_S = 90.0


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A data folder in which a stream has run."""
    made = House(tmp_path, many_clusters(), now=time.time())
    made.send(events(1500))
    settle(made)
    yield made
    made.store.close()
    made.transport.close()


def eventually(true: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < until, f"waited in vain for {what}"
        time.sleep(0.2)


def children(pid: int) -> Sequence[int]:
    found = subprocess.run(
        ["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True
    ).stdout.split()
    pairs = zip(map(int, found[::2]), map(int, found[1::2]), strict=True)
    return [child for child, parent in pairs if parent == pid]


def test_the_board_answers_before_and_after_its_advisor_was_killed(
    house: House, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    token = house.store.new_sign_in(ANNA, time.time(), 3600)
    cluster = house.store.queue(QueueFilter(), 0, 1).rows[0].cluster_id
    command = [sys.executable, "-m", "cli", "board", "--port", port, "--data", tmp_path]
    with (
        running([str(part) for part in command], log=tmp_path / "board.txt") as board,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S) as client,
    ):

        def status(path: str) -> int:
            try:
                return client.get(path).status_code
            except httpx.TransportError:
                return 0

        advice = f"/api/v1/clusters/{cluster}/advice?kind=spurious"
        eventually(lambda: status("/health") == 200, "the board")
        assert client.post("/sign-in", data={"token": token}).status_code == 303
        eventually(lambda: status(advice) == 200, "advice")
        (advisor,) = children(board.pid)
        os.kill(advisor, signal.SIGKILL)
        assert status(f"/api/v1/clusters/{cluster}") == 200
        eventually(lambda: status(advice) == 200, "advice from the next advisor")
        assert status(f"/api/v1/clusters/{cluster}/what-if") == 200
        (next_one,) = children(board.pid)
        assert next_one != advisor
        board.send_signal(signal.SIGTERM)
        board.wait(PATIENCE_S)
        eventually(lambda: not Path(f"/proc/{next_one}").exists(), "the end of the advisor")
