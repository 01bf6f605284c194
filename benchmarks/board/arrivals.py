"""New clusters, committed as a worker and a grouper commit them."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.board.screen import Screen
from tests.support.seed import PARTITIONS, make_cluster
from triage.model import Candidate, Counters
from triage.store.base import GROUPER_LEASE, ClusterUpdate, PartitionCommit, Store

STREAM = "payments"
BATCH = 4  # clusters in one commit, when many come


class Arrivals:
    """The worker and the grouper of one stream."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rng = random.Random(11)
        now = time.time()
        self._number = int(now * 10)  # ids that no earlier part or run has given
        self._states = [
            store.own(STREAM, partition, f"topic-{STREAM}", "c0ffee12")
            for partition in range(PARTITIONS)
        ]
        self._lease = store.acquire_lease(f"{GROUPER_LEASE}{STREAM}", "bench", now, 1e6) or 0

    def seen_ms(self, screen: Screen) -> float:
        """Commit one cluster worth a look; return ms until the screen tells of it."""
        show = screen.page.locator("#new-rows")
        if show.is_visible():
            screen.page.keyboard.press("n")
            screen.until(lambda: not show.is_visible())
        begun = time.perf_counter()
        self._commit(1, margin=9.0)
        committed = 1000 * (time.perf_counter() - begun)
        return committed + screen.until(show.is_visible)

    def many(self, screen: Screen, clusters: int) -> None:
        """Commit so many, as fast as the page takes them in."""
        for _ in range(max(1, clusters // BATCH)):
            self._commit(BATCH, margin=0.0)
            screen.page.wait_for_timeout(50)

    def _commit(self, clusters: int, margin: float) -> None:
        now = time.time()
        made = [self._cluster(now, margin) for _ in range(clusters)]
        parts = []
        for partition, state in enumerate(self._states):
            mine = [c for _, group in made for c in group if c.partition == partition]
            parts.append(
                PartitionCommit(
                    partition=partition,
                    epoch=state.epoch,
                    config_version="c0ffee12",
                    next_offset=self._number * 1000,
                    label_position=state.label_position,
                    counters=Counters(accepted=500, candidates=len(mine)),
                    candidates=mine,
                    last_event_time=now,
                )
            )
        self._store.commit(STREAM, parts, now)
        updates: list[ClusterUpdate] = [update for update, _ in made]
        self._store.save_groups(STREAM, updates, self._number, self._lease, now)

    def _cluster(self, now: float, margin: float) -> tuple[ClusterUpdate, Sequence[Candidate]]:
        while True:
            self._number += 1
            update, members = make_cluster(self._rng, self._number, now)
            if update.stream == STREAM:
                break
        posterior = 1 / (1 + math.exp(-margin))
        changed = [replace(each, margin=margin, posterior=posterior) for each in members]
        return update, changed
