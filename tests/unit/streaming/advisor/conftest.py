"""A stream that has run: a worker's snapshot, clusters, and the advisor's views of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from streaming.config.load import parse
from streaming.config.model import StreamConfig
from tests.support.house import House
from tests.support.streams import CONFIG, events


def many_clusters(budget: str = "10%", seed: int = 7) -> StreamConfig:
    """Return the config of the tests' stream with small clusters, so that there are many."""
    text = CONFIG.replace("alert_budget: 4%", f"alert_budget: {budget}")
    text = text.replace("seed: 7", f"seed: {seed}")
    return parse(f"{text}clustering: {{max_size: 4}}\n", "tests.yaml")


def of_two_detectors() -> StreamConfig:
    """Return the same with a second detector, so that likeness takes strangeness in."""
    text = many_clusters().text
    return parse(text.replace("detectors:\n", "detectors:\n  - {kind: deviation}\n"), "tests.yaml")


of_one_detector_and_of_two = pytest.mark.parametrize(
    "house", [many_clusters, of_two_detectors], indirect=True
)


@pytest.fixture
def house(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[House]:
    """Two partitions, some thirty candidates in clusters, a snapshot of each."""
    made = House(tmp_path, getattr(request, "param", many_clusters)())
    made.send(events(1500))
    settle(made)
    yield made
    made.store.close()
    made.transport.close()


def settle(house: House) -> None:
    """Let a worker do what there is to do and end, so that its state is a snapshot."""
    worker, grouper = house.worker(), house.grouper()
    house.run(worker)
    while grouper.step():
        pass
    grouper.close()
    worker.close()
