"""Faults at which the service must halt, say why, and go on when its remedy is followed.

Each is one story on Kafka and PostgreSQL: the service works, the fault comes, the process concerned
ends with status 3 and a message, what the message says is done, the service works on. The verifier
then goes through everything as after the other faults.
"""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.kill import READ, accepted, all_candidates, messages
from benchmarks.story import PARTITIONS, Act, Outcome, Story, opened, verified
from streaming.records import Position, TopicPartition
from tests.support.kafka_clients import delete_records, delete_topic
from triage.store.base import Store

KEPT = 1_000  # offsets of each partition that retention leaves


def remake_topic(story: Story) -> Outcome:
    """The topic is deleted and made anew; remedy: the stream gets a new name."""
    story.start()
    story.feed()
    story.work_off()
    story.stop()
    delete_topic(story.broker.address, story.topic)
    story.transport.ensure_topic(story.topic, PARTITIONS)
    story.fleet.start("worker-0")
    story.halted("worker-0", ["was deleted and made anew", "give the stream a new name"])

    story.config = story.write_config(f"{story.name}-2")
    story.fleet = story.new_fleet()
    story.events = 0  # those of the old topic are gone with it
    return go_on(story), verified(story)


def overtake(story: Story) -> Outcome:
    """Retention deletes what was not processed; remedy: a person accepts the gap."""
    story.start()
    story.feed()
    story.fleet.kill(*story.fleet.names)
    story.feed(work=False)
    starts = {
        number: story.transport.end_position(TopicPartition(story.topic, number)) - KEPT
        for number in range(PARTITIONS)
    }
    delete_records(story.broker.address, story.topic, starts)
    story.fleet.start("worker-0")
    story.halted("worker-0", ["triage accept-gap"])
    stream = ("--stream", str(story.config_path))
    listed = story.triage("accept-gap", *stream, *story.places(), status=1)
    if listed.count("are lost") != PARTITIONS:
        raise RuntimeError(f"not all gaps are listed: {listed}")
    stopped = story.positions()
    with opened(story.store_url) as store:
        before = accepted(store, story.config)
    story.triage("accept-gap", *stream, *story.places(), "--yes")

    seconds = go_on(story)
    with opened(story.store_url) as store:
        return seconds, around_the_gap(story, store, stopped, starts, before)


def restore_older(story: Story) -> Outcome:
    """The database is an older backup; remedy: ``triage reconcile``."""
    backup = str(story.config_path.with_name("backup"))
    story.start()
    story.feed()
    story.feed(work=False)
    story.work_off()
    story.triage("backup", backup, *story.places())
    story.decide_until_sent()
    story.work_off()
    story.stop()
    story.store_url = story.new_database(f"{story.name}-2")
    story.triage("restore", backup, *story.places())
    story.fleet = story.new_fleet()
    story.fleet.start("relay")
    story.decide_until_sent()
    story.halted("relay", ["restored from an older copy", "triage reconcile"])
    story.triage("reconcile", *story.places(), "--unknown", "retract")

    return go_on(story), verified(story)


def go_on(story: Story) -> float:
    """Let the service work on new events; return how long it took until it did."""
    seconds = story.start()
    story.feed()
    story.work_off()
    story.stop()
    return seconds


def around_the_gap(
    story: Story,
    store: Store,
    stopped: Mapping[int, Position],
    starts: Mapping[int, Position],
    before: int,
) -> Mapping[str, int]:
    """Count what is in the log after the gap; nothing of the gap may have had an effect."""
    there = 0
    for number, start in starts.items():
        position = start
        while records := story.transport.read(TopicPartition(story.topic, number), position, READ):
            there += len(records)
            position = records[-1].offset + 1
    difference = accepted(store, story.config) - before - there
    candidates = list(all_candidates(story.config, store))
    within = sum(stopped.get(c.partition, 0) <= c.offset < starts[c.partition] for c in candidates)
    missing, repeated, findings = messages(store, story.transport)
    return {
        "candidates": len(candidates),
        "verdicts": len(store.recent_verdicts(100_000)),
        "findings": findings,
        "lost": max(0, -difference) + missing,
        "twice": max(0, difference) + repeated,
        "different": within,
    }


HALTS: Mapping[str, Act] = {
    "topic_made_anew": remake_topic,
    "retention_overtook": overtake,
    "older_database": restore_older,
}
