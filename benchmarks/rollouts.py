"""``make bench-rollouts``: configs come, are tried and go while processes are killed.

The run of ``make bench-kill``, and between two kills somebody brings a config into force, tries one
beside it or goes back. The verifier replays the run's own journal from the first record. The last
line is JSON: roll-outs, kills, events, lost, twice, different.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks.kill import STREAM, run
from streaming.config.load import parse
from streaming.config.model import StreamConfig
from streaming.rollouts import apply, go_back
from triage.errors import Refused, Retry
from triage.rollout import Request, Stage
from triage.store.base import Store

TRIES = 20  # of an engineer who is refused; most deeds are allowed
MANY = "rollout: {canary: 0.3, max_volume: 1000, max_cost: 100, max_lost: 1000000}"
"""Guards off: what they do is another test's matter, here every roll-out has to be survived."""


def variants() -> list[StreamConfig]:
    """Return configs that keep the state, change the detector, or change its columns."""
    text = STREAM.read_text(encoding="utf-8") + f"\n{MANY}\n"
    fewer = text.replace("fields: [category, country]", "fields: [category]")
    more = text.replace("alert_budget: 0.5%", "alert_budget: 0.8%")
    return [
        parse(f"{each}seed: {seed}\n" if seed else each, "variant")
        for each in (text, more, fewer)
        for seed in (0, 8)
    ]


class Deployer:
    """Does one thing after the other that an engineer may do, in a random order."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._variants = variants()
        self.done = 0

    def act(self, store: Store) -> None:
        """Apply, try or go back, whatever is not refused."""
        for _ in range(TRIES):
            if self._acted(store):
                self.done += 1
                return

    def _acted(self, store: Store) -> bool:
        stream = self._variants[0].stream
        asked = Request("bench", "", time.time())
        deed = self._rng.choice(["apply", "apply", "shadow", "canary", "back", "live"])
        try:
            current = store.in_force(stream)
            if deed == "back":
                go_back(store, stream, asked)
            elif deed == "live" and current is not None and current.tried:
                tried = [one for one in self._variants if one.version == current.tried]
                apply(store, tried[0], asked)
            else:
                stage = Stage(deed) if deed in ("shadow", "canary") else Stage.LIVE
                apply(store, self._rng.choice(self._variants), asked, stage, again=True)
        except (Refused, Retry):
            return False
        return True


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    deployer = Deployer(options.seed)
    with tempfile.TemporaryDirectory(prefix="triage-rollouts-") as folder:
        result = run(Path(folder), options.kills, options.events, options.seed, deployer.act)
    print(json.dumps({"rollouts": deployer.done, **asdict(result)}))


if __name__ == "__main__":
    main()
