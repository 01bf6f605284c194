"""Starting, awaiting and ending the programs that tests need."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

POLL = 0.1  # seconds between two looks
STOP_GRACE = 20.0  # seconds between SIGTERM and SIGKILL


def free_ports(count: int) -> list[int]:
    """Return ``count`` different loopback ports that nobody listened on a moment ago."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


def wait_until(
    ready: Callable[[], bool], *, seconds: float, what: str, process: subprocess.Popen[bytes]
) -> None:
    """Return once ``ready()``; raise ``RuntimeError`` when the process ends or time is up."""
    deadline = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None:
            raise RuntimeError(f"{what} ended with status {process.returncode} while starting")
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} was not ready after {seconds:g} seconds")
        time.sleep(POLL)


@contextlib.contextmanager
def running(
    command: Sequence[str | Path], *, log: Path, user: str | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program, its output in ``log``, as long as the block lasts.

    Where ``setpriv`` is installed the program also ends when these tests are killed.
    """
    guard = ["setpriv", "--pdeathsig", "TERM", "--"] if shutil.which("setpriv") else []
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*guard, *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=log.parent,
            user=user,
            group=user,
            extra_groups=[] if user else None,
        )
    try:
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End this one process: politely, then not."""
    process.terminate()
    try:
        process.wait(STOP_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def tail(log: Path, lines: int = 15) -> str:
    """Return the last lines of a log, to show why a program did not start."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
