"""A backup of one machine: log and store of one moment, taken while both are written."""

from __future__ import annotations

import json
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from streaming.backup import LOG, MANIFEST, STORE, Manifest, back_up, restore
from streaming.errors import Stop
from streaming.records import OutRecord, TopicPartition
from streaming.relay import LOOK_S, Relay
from streaming.transports.registry import open_transport
from triage.errors import Invalid
from triage.model import Counters
from triage.store.base import NewDeadLetter, PartitionCommit
from triage.store.store import open_store

pytestmark = pytest.mark.slow

TOPIC = "events"


def made(data: Path, target: Path) -> Manifest:
    return back_up(target, f"sqlite:///{data / 'triage.db'}", data / "log.db", "1", "today")


def restored(source: Path, data: Path) -> None:
    restore(source, f"sqlite:///{data / 'triage.db'}", data / "log.db")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a topic, five records in it and a store."""
    folder = tmp_path / "data"
    folder.mkdir()
    open_store(f"sqlite:///{folder / 'triage.db'}").close()
    with closing(open_transport(f"embedded:{folder / 'log.db'}", time.time)) as log:
        log.ensure_topic(TOPIC, 1)
        log.publisher("w").publish([OutRecord(TOPIC, None, b"%d" % n) for n in range(5)], 5)
    return folder


def test_a_data_folder_is_there_again(data: Path, tmp_path: Path) -> None:
    manifest = made(data, tmp_path / "backups" / "monday")
    assert set(manifest.files) == {STORE, LOG}
    restored(tmp_path / "backups" / "monday", tmp_path / "new")
    with closing(open_transport(f"embedded:{tmp_path / 'new' / 'log.db'}", time.time)) as log:
        assert [r.value for r in log.read(TopicPartition(TOPIC, 0), 0, 9)] == [
            b"0",
            b"1",
            b"2",
            b"3",
            b"4",
        ]
        assert log.publisher("w").last_sequence() == 5
        log.publisher("w").publish([OutRecord(TOPIC, None, b"5")], 6)


def test_log_and_store_are_of_one_moment_while_messages_go_out(data: Path, tmp_path: Path) -> None:
    """Whatever the copied store has not numbered is not in the copied log, and goes out once."""
    over, first_out = threading.Event(), threading.Event()
    failures: list[Exception] = []

    def publish_all_the_time() -> None:
        try:
            work(data, over, first_out)
        except Exception as error:  # noqa: BLE001 - told to the test
            failures.append(error)

    thread = threading.Thread(target=publish_all_the_time)
    thread.start()
    try:
        assert first_out.wait(60), failures
        for number in range(8):
            time.sleep(0.05)
            made(data, tmp_path / str(number))
    finally:
        over.set()
        thread.join()
    assert not failures
    for number in range(8):
        copy = tmp_path / f"new{number}"
        restored(tmp_path / str(number), copy)
        work(copy, over, first_out)
        with closing(open_transport(f"embedded:{copy / 'log.db'}", time.time)) as log:
            sent = log.read(TopicPartition("letters", 0), 0, 100_000)
        values = [int(record.value) for record in sent]
        assert values == list(range(len(values)))


def work(data: Path, over: threading.Event, first_out: threading.Event) -> None:
    """Write dead letters and relay them until it is over and all are out; tell of the first."""
    with (
        closing(open_store(f"sqlite:///{data / 'triage.db'}")) as store,
        closing(open_transport(f"embedded:{data / 'log.db'}", time.time)) as log,
    ):
        state = store.own("s", 0, "t", "v")
        offset, now = state.next_offset, 0.0
        relay = Relay(store, log, str(data), lambda: now)
        for _ in range(100_000):
            now += 10 * LOOK_S
            if not over.is_set():
                letter = NewDeadLetter("letters", None, b"%d" % offset, ())
                offset += 1
                commit = PartitionCommit(
                    0, state.epoch, "v", offset, 0, Counters(), dead_letters=(letter,)
                )
                store.commit("s", [commit], now)
            if relay.step():
                first_out.set()
            if over.is_set() and not store.outbox_topics():
                return
    raise AssertionError("not all went out")


def test_a_backup_is_never_overwritten(data: Path, tmp_path: Path) -> None:
    made(data, tmp_path / "monday")
    with pytest.raises(Stop, match="is there already"):
        made(data, tmp_path / "monday")


def test_only_an_empty_place_is_filled(data: Path, tmp_path: Path) -> None:
    made(data, tmp_path / "monday")
    with pytest.raises(Stop, match="is there already"):
        restored(tmp_path / "monday", data)
    with pytest.raises(Invalid, match="not empty"):
        restore(tmp_path / "monday", f"sqlite:///{data / 'triage.db'}", tmp_path / "log.db")
    assert not (tmp_path / "log.db").exists()


@pytest.mark.parametrize("name", [STORE, LOG])
def test_a_damaged_backup_is_refused(data: Path, tmp_path: Path, name: str) -> None:
    made(data, tmp_path / "monday")
    with (tmp_path / "monday" / name).open("r+b") as file:
        file.seek(4_000)
        file.write(b"x")
    with pytest.raises(Stop, match=f"{name}: is damaged"):
        restored(tmp_path / "monday", tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("text", ["", "{}", '{"format": 1}'])
def test_a_damaged_manifest_is_refused(data: Path, tmp_path: Path, text: str) -> None:
    made(data, tmp_path / "monday")
    (tmp_path / "monday" / MANIFEST).write_text(text, encoding="utf-8")
    with pytest.raises(Stop, match="damaged"):
        restored(tmp_path / "monday", tmp_path / "new")


def test_a_backup_of_a_newer_program_is_refused(data: Path, tmp_path: Path) -> None:
    made(data, tmp_path / "monday")
    file = tmp_path / "monday" / MANIFEST
    told = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**told, "format": 2, "program": "9.9"}), encoding="utf-8")
    with pytest.raises(Stop, match=r"newer program \(9.9\)"):
        restored(tmp_path / "monday", tmp_path / "new")


def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Stop, match="no backup"):
        restored(tmp_path / "nothing", tmp_path / "new")


def test_store_and_log_belong_together(data: Path, tmp_path: Path) -> None:
    made(data, tmp_path / "both")
    back_up(tmp_path / "store", f"sqlite:///{data / 'triage.db'}", None, "1", "today")
    with pytest.raises(Stop, match="without --transport"):
        restore(tmp_path / "both", f"sqlite:///{tmp_path / 'new.db'}", None)
    with pytest.raises(Stop, match="over Kafka"):
        restore(tmp_path / "store", f"sqlite:///{tmp_path / 'new.db'}", tmp_path / "log.db")
