"""The audited bound over thousands of looks: drawn clusters, no detector, so that it takes seconds.

Every look that is no audit opens a new cluster; rests are never opened. Sizes are Pareto; one
cluster in ten is real, of the others one member in two hundred is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.intervals import interval
from benchmarks.loop.report import table
from benchmarks.loop.streams import EXAMPLE
from streaming.config.load import load
from streaming.evaluate.analyst import Analyst
from streaming.evaluate.queue import Cluster, Member, Queue
from streaming.evaluate.rests import Closing, Rests
from triage.policy import Policy
from triage.shares import Purpose, Shares

LOOKS = 3_000
REAL, HIDDEN = 0.1, 0.005  # shares: of clusters; of members of the others
SIZE = 4.0  # times a Pareto variable of shape 1.5, and one
LARGEST = 300
TRUTHS: Mapping[str, float] = {"none": 0.0, "of 30 %": 0.3, "of all": 1.0}
"""Share of members that late truth speaks of, real or not."""
LATE = 300  # looks after which it comes
SHOWN = (
    *("audit_looks", "closings", "audits", "told", "audits_wrong", "wrong_share", "wrong_bound"),
    *("by_truth", "closed_unread", "closed_wrongly", "reopened"),
    *("bound_ever_below", "bound_by_truth_ever_below"),
)


def audits(
    seeds: Sequence[int], errors: Mapping[str, tuple[float, bool]]
) -> tuple[Mapping[str, Any], str]:
    """Run each kind of error with and without late truth; return figures and a table."""
    figures: dict[str, Any] = {}
    rows = []
    for wrong, (error, together) in errors.items():
        for truth, share in TRUTHS.items():
            runs = [simulate(seed, error, together, share) for seed in seeds]
            columns = {name: interval([float(one[name] or 0.0) for one in runs]) for name in SHOWN}
            figures.setdefault(wrong, {})[truth] = columns
            rows.append([wrong, truth, *(f"{mean:g}" for mean, _ in columns.values())])
    text = table(["wrong verdicts", "late truth", *SHOWN], rows)
    print(text, flush=True)
    return figures, text


def simulate(seed: int, error: float, together: bool, truth: float) -> Mapping[str, Any]:
    """Return what became of unread members after all looks."""
    rng = np.random.default_rng(seed)
    telling = np.random.default_rng([seed, 1])
    policy = Policy(audit_seed=seed)
    shares = Shares(policy.audit_share, 0.0, 0.0)
    queue = Queue(load(EXAMPLE))
    rests = Rests("drawn", queue, policy, Closing.AUDITED)
    analyst = Analyst(error, seed, together=together)
    looked_at: list[Sequence[Member]] = []
    audit_looks = 0
    for look in range(LOOKS):
        audit = shares.purpose(look) is Purpose.AUDIT
        cluster = queue.open_next(Purpose.AUDIT) if audit else None
        if cluster is not None and cluster.pull:  # no audit waits; rests are left where they are
            queue.put(cluster)
            cluster = None
        audit_looks += cluster is not None
        cluster = cluster or _drawn(rng, f"{seed}-{look}")
        looked_at.append(cluster.members if cluster.pull else [])
        if truth and look >= LATE:
            told = [one for one in looked_at[look - LATE] if telling.random() < truth]
            rests.tell(told)
        read = analyst.read(cluster)
        rests.decided(cluster, analyst.verdict(read, cluster.root), read)
    return {**rests.figures(), "audit_looks": audit_looks}


def _drawn(rng: np.random.Generator, name: str) -> Cluster:
    size = min(LARGEST, 1 + int(SIZE * rng.pareto(1.5)))
    real = rng.random(size) < (1.0 if rng.random() < REAL else HIDDEN)
    return Cluster(
        name,
        [
            Member(f"{name}/{i}", 0, 0, b"", "", 0.0, {}, float(rng.random()), int(real[i]))
            for i in range(size)
        ],
    )
