"""kill -9 of a writer: every publish is there whole and once, or not at all."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from streaming.records import Position, TopicPartition
from streaming.transports.base import Transport
from streaming.transports.registry import open_transport
from tests.support.data import REPOSITORY

BATCH = 50
PARTITIONS = 3
TOPIC = "killed"


@pytest.fixture
def writer() -> list[str]:
    return [sys.executable, "-m", "tests.support.log_writer"]


def kill_often(command: list[str], kills: int, seed: int) -> int:
    """Start the writer and kill it some publishes later, again and again; return its last word."""
    rng = random.Random(seed)
    said = 0
    for _ in range(kills):
        with subprocess.Popen(
            command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            for _ in range(rng.randint(1, 30)):
                line = process.stdout.readline()
                assert line, process.stderr.read()
                assert int(line) > said, "a publish that had been confirmed was sent again"
                said = int(line)
            time.sleep(rng.random() * 0.01)
            process.send_signal(signal.SIGKILL)
            for line in process.stdout:
                said = int(line)
    return said


def found(transport: Transport) -> list[list[tuple[int, int]]]:
    """Return per partition the (sequence, place) of every message, in the log's order."""
    partitions = []
    for number in range(PARTITIONS):
        place = TopicPartition(TOPIC, number)
        position: Position = transport.start_position(place)
        own: list[tuple[int, int]] = []
        while records := transport.read(place, position, 5_000):
            for record in records:
                sequence, _, within = record.value.decode().partition("/")
                own.append((int(sequence), int(within)))
            position = records[-1].offset + 1
        partitions.append(own)
    return partitions


def check(transport: Transport, said: int, name: str) -> None:
    last = transport.publisher(name).last_sequence()
    assert last >= said, "a confirmed publish is gone"
    partitions = found(transport)
    for own in partitions:
        assert own == sorted(own), "out of order"
    everything = [message for own in partitions for message in own]
    expected = [(sequence, place) for sequence in range(1, last + 1) for place in range(BATCH)]
    assert sorted(everything) == expected, "a publish is there twice, in part, or not at all"


def test_the_embedded_log(writer: list[str], tmp_path: Path) -> None:
    url = f"embedded:{tmp_path / 'log.db'}"
    transport = open_transport(url, time.time)
    transport.ensure_topic(TOPIC, PARTITIONS)
    said = kill_often([*writer, url, TOPIC, "w", str(BATCH)], kills=8, seed=1)
    check(transport, said, "w")
    transport.close()


@pytest.mark.integration
def test_kafka(writer: list[str], kafka_bootstrap: str, tmp_path: Path) -> None:
    url = f"kafka://{kafka_bootstrap}?prefix={tmp_path.name}"
    transport = open_transport(url, time.time)
    transport.ensure_topic(TOPIC, PARTITIONS)
    said = kill_often([*writer, url, TOPIC, "w", str(BATCH)], kills=6, seed=2)
    check(transport, said, "w")
    transport.close()
