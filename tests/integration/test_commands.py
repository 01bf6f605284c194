"""The command line as a user has it: real processes, embedded log, SQLite."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from streaming.verified import message_of
from tests.support.data import data_file
from tests.support.processes import free_ports
from tests.support.streams import CONFIG, events
from triage.commands import RecordVerdict, UndoVerdict
from triage.handlers import Triage
from triage.model import Actor, VerdictKind
from triage.queries import QueueFilter, QueueRow, VerdictRow
from triage.store.base import Store
from triage.store.store import open_store

REPOSITORY = Path(__file__).parents[2]
STREAMS = REPOSITORY / "examples" / "streams"
WAIT_S = 120.0
ANNA = Actor("anna", "analyst")


def triage(*arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "cli", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        timeout=WAIT_S,
        check=False,
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


@contextmanager
def running(*arguments: object) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def wait_until(condition: Callable[[], object], what: str) -> None:
    until = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < until, f"no {what}"
        time.sleep(0.1)


@pytest.fixture
def stream(tmp_path: Path) -> Path:
    path = tmp_path / "tests.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def lines(values: Sequence[object]) -> bytes:
    return b"".join(
        (value if isinstance(value, bytes) else json.dumps(value).encode()) + b"\n"
        for value in values
    )


def run_to_the_end(stream: Path, source: Path, data: Path) -> subprocess.CompletedProcess[str]:
    done = triage(
        *("run", "--stream", stream, "--source", source, "--data", data),
        *("--no-board", "--until-done", "--quiet"),
    )
    assert done.returncode == 0, done.stderr
    return done


def decide(store: Store, row: QueueRow, kind: VerdictKind) -> VerdictRow:
    """Give a verdict on a cluster, its three strongest members read, the grace over."""
    read = tuple(m.candidate.candidate_id for m in store.members(row.cluster_id, 0, 3))
    command = RecordVerdict(row.cluster_id, kind, row.revision, read, row.cluster_id)
    return Triage(store, message_of).handle(command, ANNA, time.time() - 60)


def test_from_a_file_to_verified_anomalies_retraction_and_dead_letters(
    tmp_path: Path, stream: Path
) -> None:
    source, data = tmp_path / "events.jsonl", tmp_path / "data"
    rubbish = [b"{", b"\xff\xfe", {"id": "a", "at": 1, "amount": "12"}]
    source.write_bytes(lines([*events(700), *rubbish, *events(700, seed=1)]))
    run_to_the_end(stream, source, data)

    store = open_store(f"sqlite:///{data / 'triage.db'}")
    (status,) = store.status(time.time()).streams
    assert status.counters.accepted == 700
    assert status.counters.dead_lettered == 3
    assert status.counters.duplicates == 700  # the second batch has the ids of the first
    rows = store.queue(QueueFilter(), 0, 10).rows
    assert rows
    verdicts = [decide(store, row, VerdictKind.REAL) for row in rows[:2]]
    run_to_the_end(stream, source, data)
    undo = UndoVerdict(verdicts[0].verdict_id, "undo")
    Triage(store, message_of).handle(undo, ANNA, time.time())
    store.close()
    run_to_the_end(stream, source, data)

    out = triage("tail", "verified", "--data", data, "--no-follow").stdout.splitlines()
    kinds = [json.loads(line)["headers"]["ce_type"].split(".")[-2] for line in out]
    assert sorted(kinds) == ["retracted", *["verified"] * len(verdicts)]
    sequences = [int(json.loads(line)["headers"]["ce_sequence"]) for line in out]
    assert sequences == list(range(1, len(kinds) + 1))

    letters = triage("dlq", "list", "tests", "--data", data).stdout.splitlines()
    assert len(letters) == 3
    assert any("wrong_type amount" in letter for letter in letters)
    assert "3 sent" in triage("dlq", "replay", "tests", "--data", data).stdout
    assert "0 sent" in triage("dlq", "replay", "tests", "--data", data).stdout


def test_records_can_come_from_a_pipe(tmp_path: Path, stream: Path) -> None:
    done = triage(
        *("run", "--stream", stream, "--source", "-", "--data", tmp_path / "data"),
        *("--no-board", "--until-done", "--quiet"),
        stdin=lines(events(300)),
    )
    assert done.returncode == 0, done.stderr
    store = open_store(f"sqlite:///{tmp_path / 'data' / 'triage.db'}")
    (status,) = store.status(time.time()).streams
    assert status.counters.accepted == 300


def test_a_second_run_on_the_same_folder_is_refused_and_ctrl_c_ends_the_first(
    tmp_path: Path, stream: Path
) -> None:
    arguments = ("run", "--stream", stream, "--data", tmp_path / "data", "--no-board", "--quiet")
    with running(*arguments) as first:
        wait_until((tmp_path / "data" / "triage.db").exists, "store")
        second = triage(*arguments)
        assert second.returncode != 0
        assert "in use by process" in second.stderr
        assert "--data" in second.stderr
        first.send_signal(signal.SIGINT)
        assert first.wait(60) == 0


def test_when_the_parent_is_killed_the_engine_ends_by_itself(tmp_path: Path, stream: Path) -> None:
    arguments = ("run", "--stream", stream, "--data", tmp_path / "data", "--no-board", "--quiet")
    with running(*arguments) as parent:
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
        wait_until(lambda: children.read_text().split(), "engine")
        (engine,) = map(int, children.read_text().split())
        parent.kill()
        parent.wait(10)
        wait_until(lambda: not alive(engine), "end of the engine")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--stream", "absent.yaml", "--source", "x.csv"], "there is no such file"),
        (["run", "--stream", "STREAM", "--source", "absent.csv"], "absent.csv"),
        (["check", "BROKEN"], 'did you mean "stream"'),
        (["tail", "verified"], "nothing has run there yet"),
        (["dlq", "list", "tests"], "nothing has run there yet"),
    ],
)
def test_mistakes_are_answered_with_the_remedy(
    tmp_path: Path, stream: Path, arguments: list[str], message: str
) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(CONFIG.replace("stream: tests", "straem: tests"), encoding="utf-8")
    names = {"STREAM": str(stream), "BROKEN": str(broken)}
    data = [] if arguments[0] == "check" else ["--data", str(tmp_path / "data")]
    done = triage(*(names.get(argument, argument) for argument in arguments), *data)
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_said(tmp_path: Path, stream: Path) -> None:
    (port,) = free_ports(1)
    with running("run", "--stream", stream, "--data", tmp_path / "a", "--port", port, "--quiet"):
        wait_until((tmp_path / "a" / "triage.db").exists, "store")
        wait_until(lambda: listens(port), "board")
        done = triage("run", "--stream", stream, "--data", tmp_path / "b", "--port", port)
        assert done.returncode != 0
        assert str(port) in done.stderr
        assert "--port" in done.stderr


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("network", "kdd99_stream.parquet"),
        ("cloudtrail", "aws_cloudtrail_stratus.parquet"),
    ],
)
def test_real_streams_run_through_the_whole_loop(tmp_path: Path, name: str, file: str) -> None:
    source = data_file(file)
    run_to_the_end(STREAMS / f"{name}.yaml", source, tmp_path)
    store = open_store(f"sqlite:///{tmp_path / 'triage.db'}")
    (status,) = store.status(time.time()).streams
    assert status.counters.dead_lettered == 0
    rows = store.queue(QueueFilter(), 0, 3).rows
    assert rows
    verdict = decide(store, rows[0], VerdictKind.REAL)
    run_to_the_end(STREAMS / f"{name}.yaml", source, tmp_path)
    after = store.verdict(verdict.verdict_id)
    assert after is not None
    assert after.learned
    assert after.state.value == "published"
    store.close()
    out = triage("tail", "verified", "--data", tmp_path, "--no-follow").stdout.splitlines()
    assert len(out) == 1
