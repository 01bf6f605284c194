"""A topic made anew, retention ahead of us, a database from a backup: halt, then go on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import story
from benchmarks.halts import HALTS
from benchmarks.stories import tell
from tests.support.java_kafka import JavaKafka, java_can, java_kafka
from tests.support.postgres_server import PostgresServer, postgres_can, postgres_server

FED = 6_000  # events between two acts; fewer than in the long run
Servers = tuple[JavaKafka, PostgresServer]


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """A broker and a database of their own: one is told to delete, the other is restored."""
    if not (java_can() and postgres_can()):
        pytest.skip("no Java 17 with Maven, or no PostgreSQL (.ci/debian-packages installs them)")
    with java_kafka() as broker, postgres_server() as server:
        yield broker, server


@pytest.mark.timeout(900)
@pytest.mark.parametrize("fault", list(HALTS))
def test_the_service_halts_and_goes_on_by_the_remedy(
    fault: str, servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That it halts with the remedy, and never skips, is part of each story."""
    monkeypatch.setattr(story, "FED", FED)
    found = tell(fault, tmp_path, *servers, 0).found
    assert (found["lost"], found["twice"], found["different"]) == (0, 0, 0)
    assert found["candidates"] > 0
