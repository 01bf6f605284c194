"""The service on Kafka and PostgreSQL, faults of every kind; `make faults` is the long version."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.faults import run
from tests.support.java_kafka import java_can
from tests.support.postgres_server import postgres_can

TIMES = {
    ("kill_worker", "kill_relay"): 15,  # at once: one recovery, of whose time imports are the most
    ("leave_and_join",): 3,
    ("kill_all",): 2,
    ("restart_broker",): 2,
    ("restart_database",): 2,
    ("freeze_worker",): 1,
}


@pytest.mark.timeout(1800)  # on two cores, beside the browser; five minutes alone
def test_faults_of_every_kind_change_nothing(tmp_path: Path) -> None:
    if not (java_can() and postgres_can()):
        pytest.skip("no Java 17 with Maven, or no PostgreSQL (.ci/debian-packages installs them)")
    faults = [together for together, times in TIMES.items() for _ in range(times)]
    random.Random(5).shuffle(faults)
    result = run(tmp_path, "short", faults, seed=5)
    assert (result.lost, result.twice, result.different) == (0, 0, 0)
    assert result.times == 40
    assert result.candidates > 0
    assert result.findings > 0
