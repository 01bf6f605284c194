"""``make bench-kill``: kill -9 at random moments of `triage run`; nothing lost, twice, different.

Simulated payments run through the whole loop at a fixed rate, an oracle gives verdicts, and a
random one of its processes (or all) is killed again and again. At the end a verifier goes through
the log by itself: every event must have taken effect exactly once, the candidates must be those of
a replay of the run's own journal (same ids, same scores), and every finding must have been sent
once. The last line is JSON: kills, events, lost, twice, different.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.processes import ended, kill, start, tree, wait_for
from benchmarks.side_by_side import side_by_side
from cli.places import Places
from streaming.config.load import load
from streaming.config.model import StreamConfig
from streaming.config_book import ConfigBook
from streaming.past import Past
from streaming.records import Record, TopicPartition
from streaming.replay import from_the_beginning
from streaming.sources.registry import open_source
from streaming.transports.base import Transport
from streaming.verified import TOPIC, message_of
from triage.commands import RecordVerdict, UndoVerdict
from triage.errors import Refused
from triage.handlers import Triage
from triage.model import Actor, Candidate, ClusterStatus, Counters, VerdictKind, VerdictState
from triage.queries import QueueFilter
from triage.store.base import Store

STREAM = Path(__file__).parent.parent / "examples" / "streams" / "payments.yaml"
RATE = 4_000  # events per second, at most
LIFE_S = (1.5, 6.0)  # seconds between kills; importing takes the first two or three
FINISH_S = 600.0
PATIENCE_S = 30.0  # for the events that a life should bring
EARLY = 0.2  # share of the lives that end before that
LOOK_S = 0.25  # seconds between two looks of the analyst at the queue
READ = 5_000
CANDIDATES = 500  # of one read: PostgreSQL ends a transaction that stands still for 15 s
UNDO_SHARE = 0.2
ANALYST = Actor("oracle", "analyst")


@dataclass(frozen=True, slots=True)
class Result:
    """What the verifier found.

    Attributes:
        events: in the source. ``candidates``, ``verdicts``, ``findings``: in the store.
        lost: events, candidates or findings that should be there and aren't.
        twice: events or messages that took effect more than once.
        different: candidates with another score than the replay's.
    """

    kills: int
    events: int
    candidates: int
    verdicts: int
    findings: int
    lost: int
    twice: int
    different: int
    seconds: float


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="triage-kill-") as folder:
        result = run(Path(folder), options.kills, options.events, options.seed)
    print(json.dumps(asdict(result)))


def run(
    folder: Path, kills: int, events: int, seed: int, act: Callable[[Store], None] | None = None
) -> Result:
    """Run ``events`` through a run that is killed ``kills`` times; verify what came out.

    ``act`` is done to the store of the running system between two kills.
    """
    begun = time.monotonic()
    rng = random.Random(seed)
    config = load(STREAM)
    source = folder / "events.jsonl"
    labels = write_events(source, config, events)
    places = Places.of(folder / "data", None, None)
    wanted = [round(events * (number + 1) / (kills + 2)) for number in range(kills)]
    _kill_while_running(places, source, wanted, rng, labels, act)
    _finish(places, source, rng, labels)
    store = places.store()
    transport = places.transport()
    print(f"{events:,} events have gone through; replaying them by the journal", file=sys.stderr)
    result = verify(config, store, transport, events, places)
    return Result(kills=kills, events=events, seconds=round(time.monotonic() - begun, 1), **result)


def write_events(path: Path, config: StreamConfig, events: int) -> dict[str, int]:
    """Write simulated payments as JSON lines; return label by transaction id."""
    source = open_source("payments_simulator", config)
    labels: dict[str, int] = {}
    with path.open("wb") as file:
        position = 0
        while position < events:
            chunk = source.read(position, min(READ, events - position))
            position = chunk.position
            for row in chunk.rows:
                file.write(row.value + b"\n")
                event = json.loads(row.value)
                labels[event["tx_id"]] = event["label"]
    return labels


def _arguments(places: Places, source: Path, rate: float) -> list[str]:
    """By the stream's name where it is known: the file may have been replaced since."""
    stream = str(STREAM)
    if (places.folder / "triage.db").exists():
        with closing(places.store()) as store:
            stream = STREAM.stem if store.live_config(STREAM.stem) else stream
    return [
        *("run", "--stream", stream, "--source", str(source), "--rate", f"{rate:.0f}"),
        *("--no-board", "--until-done", "--quiet", *places.arguments()),
    ]


def _kill_while_running(
    places: Places,
    source: Path,
    wanted: Sequence[int],
    rng: random.Random,
    labels: dict[str, int],
    act: Callable[[Store], None] | None,
) -> None:
    """Kill once for each of ``wanted``, as a rule not before so many events have taken effect.

    So the kills are spread over the whole stream also on a busy machine, where a start takes longer
    than a life; one in five comes whenever it comes, in the middle of a start too.
    """
    output = source.with_name("output.txt")
    rate = min(RATE, wanted[0] / (sum(LIFE_S) / 2)) if wanted else RATE
    process: subprocess.Popen[bytes] | None = None
    for events in wanted:
        if process is None or process.poll() is not None:
            process = start(*_arguments(places, source, rate), output=output)
        _decide_for(places, rng.uniform(*LIFE_S), rng, labels)
        if act is not None:
            wait_for((places.folder / "triage.db").exists, PATIENCE_S, "store")
            with closing(places.store()) as store:
                act(store)
            _decide_for(places, rng.uniform(0.0, LIFE_S[1]), rng, labels)
        if rng.random() > EARLY:
            _decide_until(places, events, rng, labels)
        pids = tree(process.pid)
        victims = rng.choice([pids, pids[1:] or pids])  # everything, or the engine alone
        kill(victims)
        if process.pid in victims:
            process.wait(10)
    if process is not None:
        kill(tree(process.pid))
        process.wait(10)


def _finish(places: Places, source: Path, rng: random.Random, labels: dict[str, int]) -> None:
    output = source.with_name("output.txt")
    with ended(start(*_arguments(places, source, RATE), output=output)) as process:
        until = time.monotonic() + FINISH_S
        while process.poll() is None and time.monotonic() < until:
            _decide_for(places, 0.5, rng, labels)
        _must_have_ended_well(process, output)
    # What was decided after its end goes out with one more, undisturbed start.
    with ended(start(*_arguments(places, source, RATE), output=output)) as process:
        wait_for(lambda: process.poll() is not None, FINISH_S, "end of the run")
        _must_have_ended_well(process, output)


def _must_have_ended_well(process: subprocess.Popen[bytes], output: Path) -> None:
    if process.poll() != 0:
        tail = output.read_text(encoding="utf-8", errors="replace")[-2_000:]
        raise RuntimeError(f"the run ended with {process.poll()}:\n{tail}")


def _decide_for(places: Places, seconds: float, rng: random.Random, labels: dict[str, int]) -> None:
    """Give verdicts as an analyst would, and take some back, for so long."""
    until = time.monotonic() + seconds
    with contextlib.ExitStack() as stack:
        store: Store | None = None
        while time.monotonic() < until:
            time.sleep(LOOK_S)
            if store is None and (places.folder / "triage.db").exists():
                store = stack.enter_context(closing(places.store()))
            if store is not None:
                decide_some(store, rng, labels)


def _decide_until(places: Places, events: int, rng: random.Random, labels: dict[str, int]) -> None:
    """Give verdicts until so many events have taken effect, or that takes too long."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        _decide_for(places, 2 * LOOK_S, rng, labels)
        if (places.folder / "triage.db").exists():
            with closing(places.store()) as store:
                streams = store.status(time.time()).streams
            if sum(stream.counters.accepted for stream in streams) >= events:
                return


def decide_some(store: Store, rng: random.Random, labels: dict[str, int]) -> None:
    """Decide the first two clusters of the queue as an analyst would."""
    triage = Triage(store, message_of)
    for row in store.queue(QueueFilter(), 0, 2).rows:
        _decide(store, triage, row.cluster_id, rng, labels)


def _decide(
    store: Store, triage: Triage, cluster_id: str, rng: random.Random, labels: dict[str, int]
) -> None:
    detail = store.cluster(cluster_id, 3)
    if detail is None:
        return
    read = [member.candidate for member in detail.members]
    real = any(labels.get(candidate.event_id or "") == 1 for candidate in read)
    command = RecordVerdict(
        cluster_id=cluster_id,
        kind=VerdictKind.REAL if real else VerdictKind.SPURIOUS,
        revision=detail.row.revision,
        read=tuple(candidate.candidate_id for candidate in read),
        idempotency_key=f"{cluster_id}/{detail.row.revision}",
    )
    try:
        verdict = triage.handle(command, ANALYST, time.time())
        if rng.random() < UNDO_SHARE:
            undo = UndoVerdict(verdict.verdict_id, f"undo/{verdict.verdict_id}")
            triage.handle(undo, ANALYST, time.time())
    except Refused:
        return  # the cluster grew or was decided in between: as an analyst would, look again


def verify(
    config: StreamConfig,
    store: Store,
    transport: Transport,
    events: int,
    places: Places | None = None,
) -> dict[str, int]:
    """Go through log and store independently of the run; see ``replayed`` for ``places``."""
    seen: Counter[str] = Counter()
    for partition in range(config.source.partitions):
        records = _all_records(transport, TopicPartition(str(config.source.topic), partition))
        seen.update(str(json.loads(record.value)["tx_id"]) for record in records)
    counters, replay = replayed(config, store, transport, places)
    difference = accepted(store, config) - counters.accepted
    missing, repeated, findings = messages(store, transport)
    return {
        "candidates": sum(1 for _ in all_candidates(config, store)),
        "verdicts": len(store.recent_verdicts(100_000)),
        "findings": findings,
        "lost": max(0, -difference) + events - len(seen) + replay["lost"] + missing,
        "twice": max(0, difference) + sum(seen.values()) - len(seen) + repeated,
        "different": replay["different"],
    }


def replayed(
    config: StreamConfig, store: Store, transport: Transport, places: Places | None = None
) -> tuple[Counters, dict[str, int]]:
    """Replay the run's own journal over the log; compare its candidates with those stored.

    With ``places`` the partitions are replayed side by side, each by a process: a version that came
    back learns all that it had missed anew, so thirty roll-outs are many times the events.
    """
    stored = {c.candidate_id: c.margin for c in all_candidates(config, store)}
    topic = str(config.source.topic)
    tps = [TopicPartition(topic, number) for number in range(config.source.partitions)]
    if places is None:
        found = [_replayed(config.stream, store, transport, tp) for tp in tps]
    else:
        opened = functools.partial(_replayed_by_itself, places, config.stream)
        with side_by_side(len(tps)) as pool:
            found = list(pool.map(opened, tps))
    expected = {name: margin for _, margins in found for name, margin in margins.items()}
    different = len(stored.keys() - expected.keys())
    different += sum(stored.get(name, margin) != margin for name, margin in expected.items())
    lost = len(expected.keys() - stored.keys())
    counters = sum((counted for counted, _ in found), Counters())
    return counters, {"lost": lost, "different": different}


def _replayed_by_itself(
    places: Places, stream: str, tp: TopicPartition
) -> tuple[Counters, Mapping[str, float]]:
    with closing(places.store(migrate=False)) as store, closing(places.transport()) as transport:
        return _replayed(stream, store, transport, tp)


def _replayed(
    stream: str, store: Store, transport: Transport, tp: TopicPartition
) -> tuple[Counters, Mapping[str, float]]:
    """Go through the log by the journal, from nothing: with every roll-out where it took effect."""
    past = Past(
        ConfigBook(store, stream), store, transport, stream, tp, transport.topic_id(tp.topic)
    )
    counters = Counters()
    margins: dict[str, float] = {}
    for _, outcome in from_the_beginning(past, transport.end_position(tp)):
        if outcome:
            counters += outcome.counters
            margins |= {c.candidate_id: c.margin for c in outcome.candidates}
    return counters, margins


def accepted(store: Store, config: StreamConfig) -> int:
    """Return how many events of the stream have taken effect."""
    (status,) = [s for s in store.status(time.time()).streams if s.stream == config.stream]
    return status.counters.accepted


def all_candidates(config: StreamConfig, store: Store) -> Iterator[Candidate]:
    """Yield every candidate of the stream."""
    seq = 0
    while rows := store.candidates_after(config.stream, seq, CANDIDATES):
        yield from (row.candidate for row in rows)
        seq = rows[-1].seq


def _all_records(transport: Transport, tp: TopicPartition) -> Iterator[Record]:
    position = transport.start_position(tp)
    while records := transport.read(tp, position, READ):
        yield from records
        position = records[-1].offset + 1


def _due(store: Store) -> frozenset[str]:
    """Return the verdicts that a finding is due for.

    Where two reads have to agree (an audit that contradicts, a second opinion) it is the second's.
    """
    rows = store.recent_verdicts(100_000)
    real = sorted((row for row in rows if row.kind is VerdictKind.REAL), key=lambda row: row.at)
    standing = (VerdictState.RECORDED, VerdictState.PUBLISHED)
    last = {row.cluster_id: row.verdict_id for row in real if row.state in standing}
    details = {cluster_id: store.cluster(cluster_id, 1) for cluster_id in last}
    decided = {
        verdict_id
        for cluster_id, verdict_id in last.items()
        if (detail := details[cluster_id]) and detail.row.status is ClusterStatus.DECIDED
    }
    retracted = {row.verdict_id for row in real if row.state is VerdictState.RETRACTED}
    return frozenset(decided | retracted)


def messages(store: Store, transport: Transport) -> tuple[int, int, int]:
    """Return findings that are missing, messages that are repeated or out of order, findings."""
    sent: Counter[str] = Counter()
    verified: set[str] = set()
    twice = 0
    sequences = []
    for record in _all_records(transport, TopicPartition(TOPIC, 0)):
        headers = dict(record.headers)
        sent[headers["ce_id"].decode()] += 1
        sequences.append(int(headers["ce_sequence"]))
        if b".verified." in headers["ce_type"]:
            verified.add(json.loads(record.value)["triage"]["decision"]["verdict_id"])
    twice = sum(sent.values()) - len(sent)
    twice += sum(1 for i, sequence in enumerate(sequences) if sequence != i + 1)
    due = _due(store)
    return len(due - verified), twice, len(verified)


if __name__ == "__main__":
    main()
