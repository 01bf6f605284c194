"""Imported once, by the process that those of ``warm.py`` are forked from: loads what they need."""

from __future__ import annotations

import cli.grouper
import cli.relay
import cli.worker
import streaming.transports.kafka
from benchmarks.kill import STREAM
from streaming.config.load import load
from streaming.pipeline import PartitionPipeline
from streaming.records import Record
from streaming.sources.registry import open_source
from triage.store import store

EVENTS = 3_000  # the detector of the stream is warm after a quarter
BATCH = 500

LOADED = (cli.grouper, cli.relay, cli.worker, streaming.transports.kafka, store)


def _load_kernels() -> None:
    """Score, learn, write and restore a snapshot: what was compiled is in memory then."""
    config = load(STREAM)
    rows = open_source("payments_simulator", config).read(0, EVENTS).rows
    records = [Record("warm", 0, i, row.key, row.value) for i, row in enumerate(rows)]
    pipeline = PartitionPipeline(config, 0, "warm")
    for start in range(0, len(records), BATCH):
        pipeline.process(records[start : start + BATCH])
    PartitionPipeline(config, 0, "warm").restore(pipeline.snapshot())


_load_kernels()
