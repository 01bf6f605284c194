"""Starting, killing and measuring a running `triage` from outside."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

TRIAGE = (sys.executable, "-m", "cli")
STOP_S = 30.0  # seconds that a clean end may take


def start(
    *arguments: str, output: Path, program: Sequence[str] = TRIAGE
) -> subprocess.Popen[bytes]:
    """Start ``triage ARGUMENTS`` in a process group of its own, its output in a file."""
    with output.open("ab") as stream:
        return subprocess.Popen(
            [*program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def tree(pid: int) -> Sequence[int]:
    """Return a process and its descendants, the process first."""
    found = [pid]
    for parent in found:
        with contextlib.suppress(OSError):
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
            found += [int(child) for child in children.split()]
    return found


def kill(pids: Sequence[int]) -> None:
    """Send SIGKILL to each that is still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def end(process: subprocess.Popen[bytes]) -> int:
    """End it as Ctrl-C would; return its exit code."""
    pids = tree(process.pid)
    process.send_signal(signal.SIGINT)
    try:
        return process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        kill(pids)
        raise


@contextlib.contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Leave nothing of it behind."""
    try:
        yield process
    finally:
        kill(tree(process.pid))
        process.wait(STOP_S)


def wait_for(
    condition: Callable[[], bool], seconds: float, what: str, pause: float = 0.02
) -> float:
    """Return how long it took until the condition held. Raises TimeoutError, naming ``what``.

    ``pause``: seconds between two looks; one at a server takes from what is waited for.
    """
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > seconds:
            raise TimeoutError(f"no {what} within {seconds:.0f} s")
        time.sleep(pause)
    return time.monotonic() - begun


def rss_mb(pids: Sequence[int]) -> float:
    """Return the resident memory of the processes together, in MB; shared pages count in each."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
            total += pages * os.sysconf("SC_PAGE_SIZE")
    return total / 1e6


def peak_mb(pid: int | str = "self") -> float:
    """Return the most resident memory that a process has had, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    (line,) = [each for each in lines if "VmHWM" in each]
    return int(line.split()[1]) / 1e3


def cpu_s(pid: int) -> float:
    """Return the processor time that a process has taken, all of its threads."""
    words = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def command_of(pid: int) -> str:
    """Return which of our commands a process is; empty if it is none or has ended."""
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        if "cli" in words[:-1]:
            return words[words.index("cli") + 1]
    return ""
