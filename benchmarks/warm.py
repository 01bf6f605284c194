"""Processes of ``triage`` without their imports: forked from one that has made them.

Imports and compiled functions are three seconds of processor time and nothing that a fault is
about. What is forked is a process like any other: with connections, threads, memory and an output
of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from cli.main import main

WARMED = "benchmarks.warmed"  # a module that loads all of that when it is imported


class Warm:
    """A process that was started warm; used as ``subprocess.Popen`` is."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process
        self.pid = process.pid or 0

    @property
    def returncode(self) -> int | None:
        """Its status, None while it lives."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """Return its status, None while it lives."""
        return self.returncode

    def wait(self, seconds: float) -> int:
        """Return its status as soon as it has ended. Raises TimeoutError."""
        self._process.join(seconds)
        if self.returncode is None:
            raise TimeoutError(f"process {self.pid} has not ended within {seconds:.0f} s")
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill -9."""
        os.kill(self.pid, signal.SIGKILL)


def start(*arguments: str, output: Path) -> Warm:
    """Start ``triage ARGUMENTS`` in a process group of its own, its output in a file."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, WARMED])
    process = context.Process(target=_serve, args=(arguments, output))
    process.start()
    return Warm(process)


def _serve(arguments: Sequence[str], output: Path) -> None:
    os.setsid()
    with output.open("ab") as stream:
        os.dup2(stream.fileno(), sys.stdout.fileno())
        os.dup2(stream.fileno(), sys.stderr.fileno())
    main(arguments)
