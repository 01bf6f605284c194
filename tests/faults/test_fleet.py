"""The service on Kafka and PostgreSQL, faults of every kind; `make faults` is the long version."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.faults import run
from tests.support.java_kafka import java_can
from tests.support.postgres_server import postgres_can

FAULTS = (
    "kill_worker",
    "freeze_worker",
    "kill_relay",
    "kill_worker",
    "restart_broker",
    "leave_and_join",
    "restart_database",
    "kill_all",
    "kill_worker",
)


@pytest.mark.timeout(900)
def test_faults_of_every_kind_change_nothing(tmp_path: Path) -> None:
    if not (java_can() and postgres_can()):
        pytest.skip("no Java 17 with Maven, or no PostgreSQL (.ci/debian-packages installs them)")
    result = run(tmp_path, "short", FAULTS, seed=5)
    assert (result.lost, result.twice, result.different) == (0, 0, 0)
    assert result.candidates > 0
    assert result.findings > 0
