"""What a flood of alerts costs: the first events of it all become candidates and are explained.

``make bench-flood``. Simulated payments through the example's pipeline, with its blocks of 256 and
with blocks of 1,024; then 4,096 payments as they are, and 4,096 of which each is far out. The
threshold follows a flood after the first block, so this is the worst of it. Processor time of one
partition, best of three. The last line is one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from streaming.config.load import load
from streaming.config.model import StreamConfig
from streaming.pipeline import PartitionPipeline
from streaming.records import Record
from streaming.sources.registry import open_source

EXAMPLE = Path(__file__).parents[1] / "examples" / "streams" / "payments.yaml"
TAUGHT, MEASURED = 20_480, 4_096  # events
BATCH = 256
ROUNDS = 3


def records(config: StreamConfig) -> Sequence[Record]:
    """Return payments as one partition of the log has them."""
    source = open_source(f"payments_simulator?seed=5&events={TAUGHT + MEASURED}", config)
    rows = source.read(0, TAUGHT + MEASURED).rows
    return [
        Record(config.source.topic, 0, i, row.key, row.value, 1_700_000_000_000 + 5 * i)
        for i, row in enumerate(rows)
    ]


def far_out(record: Record) -> Record:
    """Return the payment with an amount and a distance that nobody has."""
    fields = json.loads(record.value)
    fields |= {"amount": 300 * fields["amount"], "distance_km": 9_000.0}
    value = json.dumps(fields).encode()
    return Record(
        record.topic, record.partition, record.offset, record.key, value, record.timestamp_ms
    )


def measured(
    config: StreamConfig, snapshot: bytes, part: Sequence[Record]
) -> tuple[int, float, float]:
    """Return candidates, microseconds per event, and milliseconds of the slowest batch."""
    rounds = []
    for _ in range(ROUNDS):
        pipeline = PartitionPipeline(config, 0, "flood")
        pipeline.restore(snapshot)
        candidates, spent = 0, []
        for start in range(0, len(part), BATCH):
            started = time.process_time()
            candidates += len(pipeline.process(part[start : start + BATCH]).candidates)
            spent.append(time.process_time() - started)
        rounds.append((candidates, 1e6 * sum(spent) / len(part), 1e3 * max(spent)))
    return min(rounds, key=lambda one: one[1])


def main() -> int:
    """Run everything; the last line is one line of JSON."""
    example = load(EXAMPLE)
    result: dict[str, dict[str, float]] = {}
    for block in (256, 1024):
        learning = example.learning.model_copy(update={"block": block, "warm_up": 2048})
        config = example.model_copy(update={"learning": learning})
        payments = records(config)
        pipeline = PartitionPipeline(config, 0, "flood")
        for start in range(0, TAUGHT, BATCH):
            pipeline.process(payments[start : start + BATCH])
        usual = payments[TAUGHT:]
        for name, part in (("usual", usual), ("flood", [far_out(one) for one in usual])):
            candidates, per_event, slowest = measured(config, pipeline.snapshot(), part)
            result[f"{name}, blocks of {block}"] = {
                "candidates": candidates,
                "us_per_event": round(per_event, 1),
                "slowest_batch_ms": round(slowest, 1),
            }
    for name, row in result.items():
        print(f"{name:24} {row}")
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
