"""A worker that is frozen with a batch in its hands, and replaced before it wakes up.

It is frozen while records are waiting, so that it stands still in the middle of scoring and not in
a poll; and woken when others own what it owned. What it does first is to commit: only the fence
keeps its batch from taking effect a second time. How often it tried is told by its own log.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial

from benchmarks.processes import wait_for
from benchmarks.story import WAIT_S, Outcome, Story, verified

FLOOD = 20_000.0  # events per second, more than two workers can score here
FLOOD_S = 1.0
FREEZES = 2
WORD = "joining the group anew"  # what a worker says that was fenced


def freeze_in_its_batch(story: Story) -> Outcome:
    """Freeze and wake a worker, several times; ``fenced`` counts how often it tried to commit."""
    story.start()
    story.feed()
    slowest = 0.0
    victim = story.fleet.workers[0]
    for _ in range(FREEZES):
        with story.feeding(FLOOD):
            time.sleep(FLOOD_S)
            before = story.epochs()
            story.fleet.freeze(victim)
        wait_for(partial(_taken_over, story, before), WAIT_S, "take-over")
        story.fleet.wake(victim)
        begun = time.monotonic()
        story.work_off()
        slowest = max(slowest, time.monotonic() - begun)
    fenced = story.fleet.said(victim, whole=True).count(WORD)
    story.stop()
    return slowest, {**verified(story), "fenced": fenced}


def _taken_over(story: Story, before: Mapping[int, int]) -> bool:
    now = story.epochs()
    return all(now[partition] > epoch for partition, epoch in before.items())
