"""Topics as they should be, and what is said of those that aren't."""

from __future__ import annotations

import pytest

from streaming.topics import TopicFacts, configs_of, problems, topics_of
from tests.support.streams import small_config

RIGHT = {"cleanup.policy": "delete", "retention.ms": "604800000", "max.message.bytes": "1048588"}


def test_a_stream_needs_three_topics() -> None:
    assert [(spec.name, spec.partitions) for spec in topics_of(small_config())] == [
        ("tests", 2),
        ("tests.dlq", 1),
        ("triage.verified.v1", 1),
    ]


def test_a_topic_that_is_made_as_we_say_is_right() -> None:
    for spec in topics_of(small_config()):
        for copies in (1, 3):
            facts = TopicFacts(spec.partitions, copies, configs_of(spec, copies))
            assert list(problems(spec, facts, copies)) == []


@pytest.mark.parametrize(
    ("partitions", "copies", "configs", "problem"),
    [
        (3, 1, {}, "has 3 partitions, not 2"),
        (2, 1, {"cleanup.policy": "compact"}, "set it to delete"),
        (2, 1, {"cleanup.policy": "compact,delete"}, "set it to delete"),
        (2, 1, {"retention.ms": "3600000"}, "keeps records for 1.0 hours"),
        (2, 1, {"max.message.bytes": "1000"}, "takes records of 1000 bytes"),
        (2, 2, {}, "has 2 copies, not 3"),
        (2, 3, {"min.insync.replicas": "1"}, "set min.insync.replicas to 2"),
        (2, 3, {"min.insync.replicas": "3"}, "while one broker is away"),
    ],
)
def test_what_is_wrong_comes_with_its_remedy(
    partitions: int, copies: int, configs: dict[str, str], problem: str
) -> None:
    (spec, *_) = topics_of(small_config())
    wanted = 3 if copies > 1 else None
    found = list(problems(spec, TopicFacts(partitions, copies, RIGHT | configs), wanted))
    assert len(found) == 1
    assert problem in found[0]


def test_large_batches_are_wrong_where_nothing_bounds_what_becomes_of_them() -> None:
    (spec, *_) = topics_of(small_config())
    large = RIGHT | {"max.message.bytes": "10000000"}
    assert not list(problems(spec, TopicFacts(2, 1, large), None))
    assert not list(problems(spec, TopicFacts(2, 1, RIGHT, bounded=False), None))
    (found,) = problems(spec, TopicFacts(2, 1, large, bounded=False), None)
    assert "gzip may make 10.3 GB" in found
    assert "read it through kafka://" in found


def test_retention_without_limit_is_right() -> None:
    (spec, *_) = topics_of(small_config())
    assert not list(problems(spec, TopicFacts(2, 1, RIGHT | {"retention.ms": "-1"}), None))
