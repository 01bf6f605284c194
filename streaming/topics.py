"""The topics that a stream needs on Kafka, and what is wrong with those that are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from streaming.config.model import StreamConfig
from streaming.dead_letters import SUFFIX
from streaming.verified import TOPIC as VERIFIED

DAY_MS = 24 * 3600 * 1000
LEAST_BYTES = 1_000_000  # of the largest record: a dead letter holds the whole of a bad one
MOST_BYTES = 1_048_588  # Kafka's default; of a batch that nothing bounds when decompressed
GZIP, LZ4 = 1_032, 255  # times as much a byte can become
LEAST_RETENTION_MS = DAY_MS  # a worker that comes back replays from its last snapshot
SAFE_REPLICATION = 3


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as it should be; ``configs`` are used where it is made."""

    name: str
    role: str
    partitions: int
    configs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """A topic as it is.

    Attributes:
        bounded: whether who reads it here limits what a batch may decompress to.
    """

    partitions: int
    replication: int
    configs: Mapping[str, str]
    bounded: bool = True


def topics_of(config: StreamConfig) -> Sequence[TopicSpec]:
    """Return the topics of a stream. Cursor topics are made by the publishers themselves."""
    source = str(config.source.topic)
    return (
        TopicSpec(source, "events", config.source.partitions, _kept(7)),
        TopicSpec(source + SUFFIX, "dead letters", 1, _kept(30)),
        TopicSpec(VERIFIED, "verified anomalies", 1, _kept(90)),
    )


def problems(spec: TopicSpec, facts: TopicFacts, replication: int | None) -> Iterator[str]:
    """Yield what is wrong with a topic, each with its remedy.

    ``replication`` is the number of copies that is asked for, None if any will do.
    """
    if facts.partitions != spec.partitions:
        yield (
            f"has {facts.partitions} partitions, not {spec.partitions}: keys would move; say"
            f" {facts.partitions} in the config, or use a new topic"
        )
    policy = facts.configs.get("cleanup.policy", "delete")
    if policy != "delete":
        yield f"has cleanup.policy={policy}: records would vanish by key; set it to delete"
    retention = int(facts.configs.get("retention.ms", -1))
    if 0 <= retention < LEAST_RETENTION_MS:
        yield (
            f"keeps records for {retention / 3600_000:.1f} hours: set retention.ms to at least"
            f" {LEAST_RETENTION_MS}, a day"
        )
    if (largest := int(facts.configs.get("max.message.bytes", LEAST_BYTES))) < LEAST_BYTES:
        yield f"takes records of {largest} bytes: set max.message.bytes to at least {LEAST_BYTES}"
    if largest > MOST_BYTES and not facts.bounded:
        yield (
            f"takes batches of {largest} bytes, of which gzip may make {largest * GZIP / 1e9:.1f}"
            f" GB and lz4 {largest * LZ4 / 1e9:.1f}, and librdkafka has no limit for either: set"
            f" max.message.bytes to {MOST_BYTES}, or read it through kafka://"
        )
    if replication is not None and facts.replication < replication:
        yield f"has {facts.replication} copies, not {replication}: reassign its partitions"
    in_sync = int(facts.configs.get("min.insync.replicas", 1))
    if facts.replication >= SAFE_REPLICATION and in_sync < SAFE_REPLICATION - 1:
        yield "confirms a record that one broker has: set min.insync.replicas to 2"
    if in_sync >= facts.replication > 1:
        yield (
            f"can't be written to while one broker is away: set min.insync.replicas to"
            f" {facts.replication - 1}"
        )


def configs_of(spec: TopicSpec, replication: int | None) -> Mapping[str, str]:
    """Return the settings to make a topic with."""
    safe = replication is not None and replication >= SAFE_REPLICATION
    return {**spec.configs, **({"min.insync.replicas": "2"} if safe else {})}


def _kept(days: int) -> Mapping[str, str]:
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(days * DAY_MS),
        "max.message.bytes": str(1 << 20),
    }
