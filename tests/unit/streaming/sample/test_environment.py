"""Whether a topic is what a config says it is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli.check import command
from streaming.config.load import parse
from streaming.records import OutRecord
from streaming.sample.environment import Environment, look_at
from streaming.transports.embedded import EmbeddedTransport
from tests.support.streams import CONFIG, START, events

EVENTS = events(400)


def filled(
    *, partitions: int = 2, changed: Mapping[str, Any] | None = None, keyed: bool = True, path: str
) -> EmbeddedTransport:
    """Return a log with the events, some of their fields replaced or (None) removed."""
    transport = EmbeddedTransport(path, lambda: 0.0)
    transport.ensure_topic("tests", partitions)
    records = []
    for i, event in enumerate(EVENTS):
        value = {k: v for k, v in {**event, **(changed or {})}.items() if v is not None}
        key = str(event["card"] if keyed else i).encode()
        at = (START + i) * 1_000
        records.append(OutRecord("tests", key, json.dumps(value).encode(), timestamp_ms=at))
    transport.publisher("p").publish(records, 1)
    return transport


def looked(config: str = CONFIG, **topic: Any) -> Environment:
    clock = iter(range(1_000))
    transport = filled(path=":memory:", **topic)
    return look_at(parse(config, "t"), transport, 300, lambda: next(clock))


def test_a_topic_that_fits_is_told_with_its_cost() -> None:
    found = looked()
    assert (found.problems, found.warnings) == ([], [])
    assert found.facts[0].startswith("source: 3")
    assert found.facts[1].startswith("cost: ")
    assert re.fullmatch(r"state: \d\.\d MB in a snapshot of .*", found.facts[2])


@pytest.mark.parametrize(
    ("config", "topic", "problem"),
    [
        ("topic: tests", {}, "source.topic: topic absent: there is no such topic"),
        ("", {"partitions": 3}, "source.partitions: is 2, the topic has 3; write 3"),
        (
            "",
            {"changed": {"amount": "12"}},
            "fields: 100.0% of the records would be dead letters: ",
        ),
        ("", {"changed": {"amount": None}}, "dead letters: missing_field amount 100.0%"),
    ],
)
def test_what_can_not_run_is_a_problem(config: str, topic: dict[str, Any], problem: str) -> None:
    text = CONFIG.replace(config, "topic: absent") if config else CONFIG
    (line,) = looked(text, **topic).problems
    assert problem in line


@pytest.mark.parametrize(
    ("topic", "warning"),
    [
        (
            {"changed": {"speed": None, "sped": 5}},
            'speed: is in none of the records, did you mean "',
        ),
        (
            {"keyed": False},
            "key: 7 of 7 values are in several partitions: the topic is not written",
        ),
        ({"changed": {"at": START + 90_000}}, "time: 100.0% of the events are over an hour ahead"),
        ({"changed": {"id": "same"}}, "event_id.field: 100% of the events have an id that came"),
    ],
)
def test_what_is_most_likely_a_mistake_is_a_warning(topic: dict[str, Any], warning: str) -> None:
    found = looked(**topic)
    assert found.problems == []
    assert any(warning in line for line in found.warnings)


def test_an_empty_topic_says_so() -> None:
    transport = EmbeddedTransport(":memory:", lambda: 0.0)
    transport.ensure_topic("tests", 2)
    found = look_at(parse(CONFIG, "t"), transport, 300, lambda: 0.0)
    assert (found.problems, len(found.warnings)) == ([], 1)


def test_the_command_fails_where_the_topic_does_not_fit(tmp_path: Path) -> None:
    config = tmp_path / "tests.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    filled(path=str(tmp_path / "log.db"), changed={"amount": "12"}).close()
    arguments = [str(config), "--env", "--data", str(tmp_path)]
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 1
    assert "tests.yaml: fields: 100.0% of the records would be dead letters" in done.output
    assert CliRunner().invoke(command, [str(config)]).exit_code == 0
    nowhere = CliRunner().invoke(command, [str(config), "--env", "--data", str(tmp_path / "no")])
    assert nowhere.exit_code == 1
    assert "there is no log.db in" in nowhere.output
