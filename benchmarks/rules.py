"""Rules mined from verdicts on simulated payments, and what they are worth on later ones.

``make bench-rules``. The product's own worker and grouper process payments of the simulator under
the example's config; every cluster of the queue gets a verdict by what its listed members really
are (mixed ones: none). Rules are mined from these verdicts alone. Then each is held against as many
later payments, whose truth is known: the share of its hits that is fraud, beside the lower bound
that it was given, and the share of all later fraud that the rules hit together. The last line is
one line of JSON.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from cli.places import Places
from detectors.arrays import Matrix
from detectors.features.feature_set import FeatureSet
from detectors.learning.rule_mining import Flags
from detectors.online.rules import Rule
from streaming.config.load import load
from streaming.config.model import StreamConfig
from streaming.grouper import Grouper
from streaming.pipeline import PartitionPipeline
from streaming.records import OutRecord, Record
from streaming.rollouts import start_with
from streaming.rules.mined import MinedRule, mine_rules
from streaming.sources.registry import open_source
from streaming.verified import message_of
from streaming.worker import Worker
from triage.commands import RecordVerdict
from triage.handlers import Triage
from triage.model import Actor, VerdictKind
from triage.queries import QueueFilter
from triage.rollout import Request
from triage.store.base import Store

STREAM = Path(__file__).parents[1] / "examples" / "streams" / "payments.yaml"
EVENTS = 40_000
READ = 5
MOST_LOOKS = 600
PRECISION = 0.5
ANNA = Actor("anna", "analyst")

Figures = Mapping[str, int]


def payments(config: StreamConfig, start: int, count: int) -> tuple[list[bytes], Flags]:
    """Return payments as JSON, and which are fraud."""
    source = open_source("payments_simulator?seed=3", config)
    rows = [row.value for row in source.read(start, count).rows]
    truth = np.array([json.loads(value)["label"] == 1 for value in rows])
    return rows, truth


def decide_all(store: Store, fraud: frozenset[str]) -> int:
    """Give every open cluster the verdict that its listed members deserve; return how many."""
    triage, looks = Triage(store, message_of), 0
    for row in store.queue(QueueFilter(), 0, MOST_LOOKS).rows:
        members = store.members(row.cluster_id, 0, READ)
        real = {str(member.candidate.event_id) in fraud for member in members}
        kind = VerdictKind.UNSURE
        if len(real) == 1:
            kind = VerdictKind.REAL if real.pop() else VerdictKind.SPURIOUS
        read = tuple(member.candidate.candidate_id for member in members)
        command = RecordVerdict(row.cluster_id, kind, row.revision, read, row.cluster_id)
        triage.handle(command, ANNA, time.time())
        looks += 1
    return looks


def run(worker: Worker) -> None:
    """Let the worker do what there is to do."""
    while worker.step() or worker.lag() or not worker.settled():
        pass


def hits(rule: Rule, columns: Mapping[str, int], X: Matrix) -> Flags:
    """Return which rows meet the rule."""
    met = np.ones(len(X), bool)
    for condition in rule.when:
        met &= condition.holds(X[:, columns[condition.feature]])
    return met


def main() -> None:
    """Run the benchmark and print its figures."""
    config = load(STREAM)
    lines, truth = payments(config, 0, EVENTS)
    later, later_truth = payments(config, EVENTS, EVENTS)
    fraud = frozenset(
        json.loads(line)["tx_id"] for line, is_fraud in zip(lines, truth, strict=True) if is_fraud
    )
    with tempfile.TemporaryDirectory() as folder:
        places = Places.of(Path(folder), None, None)
        transport, store = places.transport(), places.store()
        transport.ensure_topic("payments", 1)
        publisher = transport.publisher("bench")
        for start in range(0, EVENTS, 10_000):
            part = [OutRecord("payments", None, line) for line in lines[start : start + 10_000]]
            publisher.publish(part, publisher.last_sequence() + 1)
        publisher.close()
        start_with(store, config, Request("", "", time.time()))
        worker = Worker(config, transport, store, time.time)
        grouper = Grouper(config, store, "bench", time.time)
        run(worker)
        while grouper.step():
            pass
        looks = decide_all(store, fraud)
        run(worker)
        worker.close()
        found = mine_rules(store, config.stream, PRECISION, 5)
        store.close()
        transport.close()
    pipeline = PartitionPipeline(config, 0, "later")
    records = [Record("payments", 0, i, None, line) for i, line in enumerate([*lines, *later])]
    X = np.concatenate(
        [pipeline.process(records[at : at + 2_000]).X for at in range(0, len(records), 2_000)]
    )[EVENTS:]
    names = FeatureSet(config.features).names
    said = {"looks": looks, "confirmed": found.confirmed, "dismissed": found.dismissed}
    report(found.rules, names, X, later_truth, said)


def report(
    rules: Sequence[MinedRule], names: Sequence[str], X: Matrix, truth: Flags, said: Figures
) -> None:
    """Print a line per rule and the figures."""
    columns = {name: place for place, name in enumerate(names)}
    kept = [one for one in rules if not one.why_not]
    together = np.zeros(len(X), bool)
    held = 0
    for one in rules:
        hit = hits(one.rule, columns, X)
        share = float(truth[hit].mean()) if hit.any() else 1.0
        print(f"{' and '.join(one.words)}")
        told = f"bound {one.judged.precision:.2f}; later {int(hit.sum()):,} hits, {share:.2f} fraud"
        print(f"    {told}{'; not kept: ' + one.why_not if one.why_not else ''}")
        if not one.why_not:
            together |= hit
            held += share >= one.judged.precision
    figures = {
        **said,
        "rules_mined": len(rules),
        "rules_kept": len(kept),
        "bounds_held_later": held,
        "later_hits": int(together.sum()),
        "later_precision": round(float(truth[together].mean()), 3) if together.any() else None,
        "later_fraud_hit": round(float(together[truth].mean()), 3),
        "later_fraud_share": round(float(truth.mean()), 4),
    }
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
