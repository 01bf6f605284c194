"""The supervisor with real, tiny processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.supervise import GAVE_UP, Child, Patience, Supervisor

pytestmark = pytest.mark.slow

QUICK = Patience(first_pause=0.01, longest_pause=0.02, deaths=4, window=60.0, grace=10.0)
WAIT = 30.0  # seconds until a test gives up waiting

# $1 is the log; each process notes what happens to it there, in one line each.
STEADY = 'trap "echo $0 ended >> $1; exit 0" TERM; echo $0 up >> $1; while :; do sleep 0.02; done'
DEAF = 'trap "" TERM; echo $0 up >> $1; while :; do sleep 0.02; done'


def shell(name: str, script: str, log: Path, final: tuple[int, ...] = ()) -> Child:
    return Child(name, ["sh", "-c", script, name, str(log)], final)


def lines(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


def wait_for(log: Path, *wanted: str) -> None:
    until = time.monotonic() + WAIT
    while not set(wanted) <= set(lines(log)):
        assert time.monotonic() < until, f"waiting for {wanted}, saw {lines(log)}"
        time.sleep(0.02)


class Signaller:
    """Sends signals to this process once the log holds certain lines."""

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []

    def send(self, log: Path, *wanted: str, number: int = signal.SIGTERM) -> None:
        def wait_and_send() -> None:
            wait_for(log, *wanted)
            os.kill(os.getpid(), number)

        self._threads.append(threading.Thread(target=wait_and_send))
        self._threads[-1].start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(WAIT)


@pytest.fixture
def signaller() -> Iterator[Signaller]:
    one = Signaller()
    yield one
    one.join()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_in_reverse_order(log: Path, signaller: Signaller, number: int) -> None:
    said: list[str] = []
    handler = signal.getsignal(number)
    signaller.send(log, "first up", "second up", number=number)
    children = [shell("first", STEADY, log), shell("second", STEADY, log)]
    assert Supervisor(children, QUICK, said.append).run() == 0
    assert lines(log)[2:] == ["second ended", "first ended"]
    assert said == []
    assert signal.getsignal(number) == handler


def test_a_child_that_died_is_started_again(log: Path, signaller: Signaller) -> None:
    said: list[str] = []
    mortal = 'echo $0 up >> $1; [ "$(grep -c up $1)" -ge 3 ] && echo $0 thrice >> $1; exit 7'
    signaller.send(log, "mortal thrice")
    assert Supervisor([shell("mortal", mortal, log)], QUICK, said.append).run() == 0
    assert said[:2] == ["mortal ended with status 7; starting it again"] * 2


def test_a_killed_child_is_started_again_and_the_others_stay(
    log: Path, signaller: Signaller
) -> None:
    said: list[str] = []
    once = (
        f'if grep -q "once up" $1; then echo $0 again >> $1; {STEADY}; fi;'
        "echo $0 up >> $1; kill -9 $$"
    )
    signaller.send(log, "once again", "other up")
    children = [shell("other", STEADY, log), shell("once", once, log)]
    assert Supervisor(children, QUICK, said.append).run() == 0
    assert said == ["once was killed by SIGKILL; starting it again"]
    assert lines(log).count("other up") == 1


@pytest.mark.parametrize("status", [0, 3])
def test_a_final_status_ends_all_and_is_returned(log: Path, status: int) -> None:
    done = f'while ! grep -q "other up" $1; do sleep 0.02; done; exit {status}'
    children = [shell("done", done, log, final=(0, 3)), shell("other", STEADY, log)]
    assert Supervisor(children, QUICK).run() == status
    assert lines(log) == ["other up", "other ended"]


def test_gives_up_with_a_message_that_names_the_child(log: Path) -> None:
    said: list[str] = []
    children = [shell("other", STEADY, log), Child("broken", ["sh", "-c", "exit 5"])]
    assert Supervisor(children, QUICK, said.append).run() == GAVE_UP
    assert len(said) == QUICK.deaths
    assert said[-1].startswith("broken ended with status 5, 4 times within 60 seconds: giving up")
    assert lines(log)[-1:] in (["other ended"], [])  # asked to end, perhaps before it was up


def test_the_pause_grows_up_to_its_limit() -> None:
    patience = Patience(first_pause=0.2, longest_pause=0.5, deaths=4)
    began = time.monotonic()
    assert Supervisor([Child("broken", ["false"])], patience, lambda _: None).run() == GAVE_UP
    assert time.monotonic() - began >= 0.2 + 0.4 + 0.5


def test_deaths_outside_the_window_are_forgotten(log: Path, signaller: Signaller) -> None:
    patience = Patience(first_pause=0.15, longest_pause=0.15, deaths=2, window=0.1)
    mortal = 'echo $0 up >> $1; [ "$(grep -c up $1)" -ge 4 ] && echo enough >> $1; exit 1'
    signaller.send(log, "enough")
    assert Supervisor([shell("mortal", mortal, log)], patience, lambda _: None).run() == 0


def test_a_deaf_child_is_killed_after_the_grace(log: Path, signaller: Signaller) -> None:
    said: list[str] = []
    signaller.send(log, "deaf up")
    children = [shell("deaf", DEAF, log)]
    assert Supervisor(children, Patience(grace=0.2), said.append).run() == 0
    assert said == ["deaf did not end in time and was killed"]


def test_a_second_signal_does_not_wait(log: Path, signaller: Signaller) -> None:
    said: list[str] = []
    noting = 'trap "echo $0 asked >> $1" TERM; echo $0 up >> $1; while :; do sleep 0.02; done'
    signaller.send(log, "deaf up", number=signal.SIGINT)
    signaller.send(log, "deaf asked", number=signal.SIGINT)
    children = [shell("deaf", noting, log)]
    assert Supervisor(children, Patience(grace=3600.0), said.append).run() == 0
    assert said == ["deaf did not end in time and was killed"]


def test_a_program_that_is_not_there_is_named(log: Path) -> None:
    said: list[str] = []
    children = [shell("other", STEADY, log), Child("absent", ["/nowhere/at-all"])]
    assert Supervisor(children, QUICK, said.append).run() == GAVE_UP
    assert len(said) == 1
    assert said[0].startswith("absent can't be started: ")
    assert "/nowhere/at-all" in said[0]


CTRL_C = """
import sys
from cli.supervise import Child, Supervisor
child = Child("child", ["sh", "-c", sys.argv[2], "child", sys.argv[1]])
sys.exit(Supervisor([child]).run())
"""


def test_ctrl_c_in_a_terminal_reaches_children_as_an_orderly_end(log: Path) -> None:
    script = f'trap "echo $0 interrupted >> $1" INT; {STEADY}'
    with subprocess.Popen(
        [sys.executable, "-c", CTRL_C, log, script], start_new_session=True
    ) as supervisor:
        wait_for(log, "child up")
        os.killpg(supervisor.pid, signal.SIGINT)  # what a terminal does
        assert supervisor.wait(WAIT) == 0
    assert lines(log) == ["child up", "child ended"]
