"""What a worker's commits say in its metrics."""

from __future__ import annotations

from collections.abc import Sequence

from streaming import metrics
from streaming.metrics import Metrics
from triage.store.base import PartitionCommit


def count(
    counted: Metrics,
    stream: str,
    commits: Sequence[PartitionCommit],
    began: float,
    seconds: float,
) -> None:
    """Count what a transaction has made true; it began at a time and took so many seconds."""
    counted.add(metrics.COMMITS, stream)
    counted.add(metrics.COMMIT_SECONDS, stream, by=seconds)
    counted.set(metrics.LAST_COMMIT, stream, to=began)
    for commit in commits:
        seen = commit.counters
        counted.add(metrics.EVENTS, stream, "accepted", by=seen.accepted)
        counted.add(metrics.EVENTS, stream, "dead_lettered", by=seen.dead_lettered)
        counted.add(metrics.EVENTS, stream, "duplicate", by=seen.duplicates)
        counted.add(metrics.EVENTS, stream, "late", by=seen.late)
        counted.add(metrics.CANDIDATES, stream, by=seen.candidates)
        place = str(commit.partition)
        if commit.drifts is not None:
            counted.set(metrics.DRIFTS, stream, place, to=len(commit.drifts))
        if seen.held_back:
            counted.add(metrics.HELD_BACK, stream, place, by=seen.held_back)
