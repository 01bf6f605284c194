"""Fills a store with clusters as three real streams would make them: payments, network, cloudtrail.

All is drawn from ``seed``; the same call gives the same store. Times end at ``at``.
"""

from __future__ import annotations

import math
import random
import struct
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from triage.commands import RecordVerdict
from triage.findings import Finding, Message
from triage.handlers import Triage
from triage.model import Actor, Candidate, ClusterStatus, Counters, Reason, VerdictKind
from triage.policy import Policy
from triage.queries import QueueFilter
from triage.store.base import GROUPER_LEASE, ClusterUpdate, PartitionCommit, Store

AT = 1_790_000_000.0  # a Monday in 2026
SPACE = uuid.UUID("9b3f0c5e-3df0-4a57-8a53-1d4c6f4f6f01")
PARTITIONS = 2
CONTEXT = 40


@dataclass(frozen=True)
class Shape:
    """How one feature looks in a kind of anomaly: contribution, and texts by a value drawn."""

    feature: str
    label: str
    contribution: float
    low: float
    high: float
    text: str
    usual: str
    middle: float | None = None
    entity: str | None = None


@dataclass(frozen=True)
class Kind:
    """A kind of anomaly. ``sentence`` takes n and the entities."""

    stream: str
    detector: str
    key: str
    sentence: str
    subtitle: str
    most: int
    margin: float
    shapes: tuple[Shape, ...]


HOUR = Shape("hour", "hour of day", 0.3, 0, 5, "0{v:.0f}:14", "8–22", None)
PACE = Shape("pace", "customer's own pace", -0.4, 0, 2, "{v:.0f} in 24 h", "0–3", 1)

KINDS = (
    Kind(
        "payments",
        "Isolation forest",
        "terminal",
        "{n} payments at terminal {terminal}, amount 8x usual",
        "{customers}",
        40,
        2.2,
        (
            Shape("amount", "amount vs own 30 days", 1.7, 250, 700, "{v:.2f} €", "20–55 €", 37),
            Shape(
                "terminal_fraud",
                "terminal: payments in 1 h",
                0.9,
                9,
                30,
                "{v:.0f}",
                "0–6",
                3,
                "terminal",
            ),
            Shape("distance", "distance from home", 0.6, 80, 900, "{v:.0f} km", "0–40 km", 20),
            HOUR,
            PACE,
        ),
    ),
    Kind(
        "payments",
        "Isolation forest",
        "customer",
        "Customer {customer}: {n} payments in 6 min, 4 new terminals",
        "customer {customer}",
        12,
        1.6,
        (
            Shape("count_1h", "payments in 1 h", 1.4, 5, 14, "{v:.0f}", "0–2", 1, "customer"),
            Shape(
                "distinct_terminals", "terminals in 1 h", 1.1, 3, 8, "{v:.0f}", "0–1", 1, "customer"
            ),
            Shape("amount", "amount vs own 30 days", 0.4, 40, 130, "{v:.2f} €", "20–55 €", 37),
            HOUR,
        ),
    ),
    Kind(
        "payments",
        "Isolation forest",
        "customer",
        "{n} payments by customer {customer}, amounts far below usual",
        "customer {customer}",
        20,
        -0.6,
        (
            Shape("amount", "amount vs own 30 days", -0.7, 0.5, 3, "{v:.2f} €", "20–55 €", 37),
            Shape(
                "gap", "time since last payment", 1.0, 1, 9, "{v:.0f} s", "2–40 h", None, "customer"
            ),
            PACE,
            HOUR,
        ),
    ),
    Kind(
        "network",
        "Half-space trees",
        "service",
        "Bursts of failed logins, service {service}, {n} connections",
        "{n} connections",
        160,
        1.2,
        (
            Shape("failed_logins", "failed logins", 1.8, 2, 5, "{v:.0f}", "0", None),
            Shape("serror_rate", "SYN errors to the host", 0.8, 0.6, 1, "{v:.0%}", "0–5 %", 0.02),
            Shape("src_bytes", "bytes sent", -0.3, 10, 90, "{v:.0f} B", "180–1,400 B", 300),
            Shape("duration", "duration", 0.2, 20, 300, "{v:.0f} s", "0–4 s", 2),
        ),
    ),
    Kind(
        "network",
        "Isolation forest",
        "service",
        "{n} connections, service {service}, bytes received 40x usual",
        "{n} connections",
        60,
        0.1,
        (
            Shape(
                "dst_bytes",
                "bytes received",
                1.5,
                60_000,
                400_000,
                "{v:,.0f} B",
                "300–6,000 B",
                4000,
            ),
            Shape(
                "service_rarity",
                "service is rare",
                0.5,
                0.0001,
                0.002,
                "{v:.2%} of events",
                "",
                None,
            ),
            Shape("duration", "duration", 0.4, 20, 300, "{v:.0f} s", "0–4 s", 2),
        ),
    ),
    Kind(
        "cloudtrail",
        "Isolation forest",
        "principal",
        "CreateAccessKey by {principal} from a new network",
        "principal {principal}",
        5,
        0.9,
        (
            Shape(
                "event_name", "event name is rare", 1.3, 0.0001, 0.004, "CreateAccessKey", "", None
            ),
            Shape("source_ip", "source IP is rare", 1.0, 0.0001, 0.004, "203.0.113.9", "", None),
            Shape("errors_1h", "errors in 1 h", 0.5, 2, 20, "{v:.0f}", "0–1", 0.5, "principal"),
        ),
    ),
    Kind(
        "cloudtrail",
        "Isolation forest",
        "principal",
        "ListBuckets spike by {principal}, {n} calls",
        "principal {principal}",
        60,
        -1.4,
        (
            Shape("calls_1h", "calls in 1 h", 1.1, 40, 90, "{v:.0f}", "0–12", 6, "principal"),
            Shape("event_name", "event name is rare", -0.2, 0.05, 0.2, "ListBuckets", "", None),
        ),
    ),
)

TITLES = {
    "payments": "Card payments",
    "network": "Network connections",
    "cloudtrail": "Cloud API calls",
}


def seed_store(store: Store, clusters: int = 200, seed: int = 0, at: float = AT) -> Sequence[str]:
    """Fill the store; return the cluster ids, oldest first.

    About one cluster of eight is decided, one of forty waits for a second opinion (both by
    ``anna`` and ``ben``, role analyst). Counters, positions and changes are filled too.
    """
    rng = random.Random(seed)
    epochs = _begin(store, at)
    leases = {
        stream: store.acquire_lease(f"{GROUPER_LEASE}{stream}", "seed", at - 1, 1.0) or 0
        for stream in TITLES
    }
    seq = max(store.grouped_up_to(stream) for stream in TITLES)
    ids: list[str] = []
    for start in range(0, clusters, 100):
        made = [
            make_cluster(rng, number, at - 7200 * (1 - number / clusters))
            for number in range(start, min(clusters, start + 100))
        ]
        for stream in TITLES:
            fresh = [c for _, group in made for c in group if c.stream == stream]
            _commit(store, stream, fresh, epochs, at)
            seq += len(fresh)
        for stream, lease in leases.items():
            groups = [update for update, _ in made if update.stream == stream]
            store.save_groups(stream, groups, seq, lease, at)
        ids.extend(update.cluster_id for update, _ in made)
    _decide(store, rng, clusters, at)
    return ids


def plain_message(finding: Finding) -> Message:
    """Encode a finding for tests that don't look into the message."""
    value = f"{finding.finding_id}/{finding.revision} {finding.kind}: {finding.title}"
    return Message("verified", finding.finding_id.encode(), value.encode())


def make_cluster(
    rng: random.Random, number: int, at: float
) -> tuple[ClusterUpdate, Sequence[Candidate]]:
    """Make one cluster with its members, the last at ``at``."""
    kind = rng.choice(KINDS)
    size = max(1, min(kind.most, round(rng.lognormvariate(1.2, 1.0))))
    entities = {
        "terminal": str(rng.randint(100, 999)),
        "customer": str(rng.randint(1000, 9999)),
        "service": rng.choice(("ftp", "http", "smtp", "telnet", "private", "ecr_i")),
        "principal": rng.choice(("ci-deploy", "auditor", "backup", "j.doe", "terraform")),
    }
    margin = rng.gauss(kind.margin, 1.0)
    members = [
        _candidate(rng, kind, entities, number, i, at - (size - 1 - i) * rng.uniform(5, 60), margin)
        for i in range(size)
    ]
    customers = len({member.entity for member in members})
    words = {
        "n": size,
        "customers": f"{customers} customer" + "s" * (customers != 1),
        **entities,
    }
    title = kind.sentence.format(**words)
    if size == 1:
        title = title.replace("1 payments", "1 payment").replace("1 connections", "1 connection")
    update = ClusterUpdate(
        cluster_id=str(uuid.uuid5(SPACE, f"cluster {number}")),
        stream=kind.stream,
        detector=kind.detector,
        key=f"{kind.key}={entities[kind.key]}",
        title=title,
        subtitle=kind.subtitle.format(**words),
        members=tuple(member.candidate_id for member in members),
    )
    return update, members


def _candidate(
    rng: random.Random,
    kind: Kind,
    entities: Mapping[str, str],
    number: int,
    index: int,
    time: float,
    margin: float,
) -> Candidate:
    mine = _entities(rng, kind, entities)
    margin += rng.gauss(0, 0.3)
    reasons = sorted(
        (_reason(rng, shape) for shape in kind.shapes),
        key=lambda reason: -abs(reason.contribution),
    )
    record = _record(rng, kind, mine, reasons, time, strange=True)
    return Candidate(
        candidate_id=str(uuid.uuid5(SPACE, f"candidate {number} {index}")),
        stream=kind.stream,
        config_version="c0ffee12",
        features_version="f00d",
        detector=kind.detector,
        partition=number % PARTITIONS,
        offset=number * 1000 + index,
        event_id=f"e{number}-{index}",
        event_time=time,
        entity=next(iter(mine.values())),
        entities=mine,
        score=margin + 2.5,
        margin=margin,
        posterior=1 / (1 + math.exp(-margin)),
        threshold=-1.5,
        model_version=0,
        vector=struct.pack(f"<{len(reasons)}f", *(reason.value or 0.0 for reason in reasons)),
        reasons=tuple(reasons),
        method="TreeSHAP",
        context=tuple(
            {
                "time": time - 600 * (CONTEXT - i) - rng.uniform(0, 300),
                "fields": _record(rng, kind, mine, reasons, time, strange=False),
            }
            for i in range(CONTEXT)
        ),
        record=record,
    )


def _entities(rng: random.Random, kind: Kind, entities: Mapping[str, str]) -> Mapping[str, str]:
    """Return the event's entity fields, the stream's key first."""
    if kind.stream == "network":
        return {"service": entities["service"]}
    if kind.stream == "cloudtrail":
        return {"principal": entities["principal"], "source_ip": f"203.0.113.{rng.randint(1, 9)}"}
    if kind.key == "terminal":
        return {"customer": str(rng.randint(1000, 1015)), "terminal": entities["terminal"]}
    return {"customer": entities["customer"], "terminal": str(rng.randint(100, 999))}


def _reason(rng: random.Random, shape: Shape) -> Reason:
    value = rng.uniform(shape.low, shape.high)
    return Reason(
        feature=shape.feature,
        label=shape.label,
        contribution=shape.contribution * rng.uniform(0.7, 1.3),
        value=value,
        text=shape.text.format(v=value),
        usual=shape.usual,
        ratio=value / shape.middle if shape.middle else None,
        entity=shape.entity,
    )


def _record(
    rng: random.Random,
    kind: Kind,
    entities: Mapping[str, str],
    reasons: Sequence[Reason],
    time: float,
    strange: bool,
) -> Mapping[str, object]:
    values = {reason.feature: reason.value for reason in reasons}
    if kind.stream == "payments":
        amount = (values.get("amount") or 30.0) if strange else rng.uniform(18, 60)
        return {**entities, "amount": round(amount, 2), "currency": "EUR"}
    if kind.stream == "network":
        sent = (values.get("src_bytes") or 300.0) if strange else rng.uniform(180, 1400)
        return {**entities, "protocol": "tcp", "src_bytes": round(sent), "flag": "SF"}
    name = next((r.text for r in reasons if r.feature == "event_name"), "ListBuckets")
    called = name if strange else rng.choice(("GetObject", "PutObject", "AssumeRole"))
    return {**entities, "event_name": called, "error": ""}


def _begin(store: Store, at: float) -> Mapping[tuple[str, int], int]:
    epochs = {}
    for stream, title in TITLES.items():
        guideline = f"Real: what {title.lower()} of a healthy day never show. Read three members."
        store.register_config(
            stream, "c0ffee12", f"stream: {stream}\n", at - 8000, title, Policy(guideline=guideline)
        )
        for partition in range(PARTITIONS):
            state = store.own(stream, partition, f"topic-{stream}", "c0ffee12")
            epochs[stream, partition] = state.epoch
    return epochs


def _commit(
    store: Store,
    stream: str,
    fresh: Sequence[Candidate],
    epochs: Mapping[tuple[str, int], int],
    at: float,
) -> None:
    parts = []
    for partition in range(PARTITIONS):
        mine = [candidate for candidate in fresh if candidate.partition == partition]
        events = 500 * (len(mine) + 1)
        parts.append(
            PartitionCommit(
                partition=partition,
                epoch=epochs[stream, partition],
                config_version="c0ffee12",
                next_offset=max((candidate.offset for candidate in mine), default=0) + 1,
                label_position=0,
                counters=Counters(accepted=events, dead_lettered=3, candidates=len(mine)),
                candidates=mine,
                last_event_time=max((candidate.event_time for candidate in mine), default=at),
            )
        )
    store.commit(stream, parts, at)


def _decide(store: Store, rng: random.Random, clusters: int, at: float) -> None:
    triage = Triage(store, plain_message)
    analysts = (Actor("anna", "analyst"), Actor("ben", "analyst"))
    waiting = store.queue(QueueFilter(status=ClusterStatus.OPEN), 0, clusters).rows
    chosen = rng.sample(list(waiting), clusters * 3 // 20)
    for number, row in enumerate(chosen):
        kind = VerdictKind.UNSURE if number % 6 == 5 else _likely(rng, row.posterior)
        detail = store.cluster(row.cluster_id, 3)
        assert detail is not None
        command = RecordVerdict(
            cluster_id=row.cluster_id,
            kind=kind,
            revision=row.revision,
            read=tuple(member.candidate.candidate_id for member in detail.members),
            idempotency_key=f"seed-{row.cluster_id}",
            reason="seen in the seed",
            scope="this entity" if kind is VerdictKind.EXPECTED else "",
            expires_at=at + 30 * 86_400 if kind is VerdictKind.EXPECTED else None,
        )
        triage.handle(command, analysts[number % 2], at - 60 + number * 0.1)


def _likely(rng: random.Random, posterior: float) -> VerdictKind:
    if rng.random() < posterior:
        return VerdictKind.REAL
    return rng.choice((VerdictKind.SPURIOUS, VerdictKind.EXPECTED, VerdictKind.PIPELINE_FAULT))
