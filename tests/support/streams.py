"""A small stream for tests: its config and its records."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from streaming.config.load import parse
from streaming.config.model import StreamConfig
from streaming.records import Record

CONFIG = """
stream: tests
noun: {one: payment, many: payments}
source: {topic: tests, partitions: 2}
key: card
event_id: {field: id, horizon: 1000}
time: at
fields:
  id: {type: string, required: true}
  at: {type: time, required: true}
  card: {type: string, entity: true, label: card}
  shop: {type: string, entity: true, label: shop}
  amount: {type: number, required: true, unit: €}
  speed: number
features:
  - {kind: log, field: amount, label: amount}
  - {kind: number, field: speed}
  - {kind: window, entity: card, aggregate: count, over: 1h}
detectors:
  - {kind: isolation_forest, trees: 25, subsample: 64, window: 256}
learning: {block: 64, warm_up: 128}
alert_budget: 4%
seed: 7
"""

START = 1_700_000_000  # seconds since 1970
STRANGE_EVERY = 50


def small_config(**replaced: str) -> StreamConfig:
    """Return the config, with lines ``key: value`` of its top level replaced."""
    lines = CONFIG.splitlines()
    for key, value in replaced.items():
        lines = [f"{key}: {value}" if line.startswith(f"{key}:") else line for line in lines]
    return parse("\n".join(lines), "tests.yaml")


def event(number: int, amount: float, speed: float) -> dict[str, object]:
    """Return one event; ``number`` makes its id, time, card and shop."""
    return {
        "id": f"e{number}",
        "at": START + number,
        "card": f"c{number % 7}",
        "shop": f"s{number % 3}",
        "amount": amount,
        "speed": speed,
    }


def events(count: int, seed: int = 0) -> list[dict[str, object]]:
    """Return ordinary events with a strange one every ``STRANGE_EVERY``."""
    rng = np.random.default_rng(seed)
    amounts = np.exp(rng.normal(3.0, 0.3, count)).round(2)
    speeds = rng.normal(50.0, 5.0, count).round(2)
    strange = np.arange(count) % STRANGE_EVERY == STRANGE_EVERY - 1
    amounts[strange] *= 40
    return [
        event(i, float(amount), float(speed))
        for i, (amount, speed) in enumerate(zip(amounts, speeds, strict=True))
    ]


def as_records(values: Sequence[object], partition: int = 0, topic: str = "tests") -> list[Record]:
    """Return records with these JSON values (bytes stay as they are)."""
    return [
        Record(
            topic,
            partition,
            offset,
            None,
            value if isinstance(value, bytes) else json.dumps(value).encode(),
            timestamp_ms=(START + offset) * 1000,
        )
        for offset, value in enumerate(values)
    ]
