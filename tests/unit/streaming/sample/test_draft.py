"""The drafted config: the parts that fields get, and that it is right whatever they hold."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.sample import command
from detectors.features.window import Window
from streaming.config.load import load, parse
from streaming.config.model import StreamConfig
from streaming.config.yaml_tree import read_tree
from streaming.errors import SourceInvalid
from streaming.pipeline import PartitionPipeline
from streaming.records import OutRecord
from streaming.sample.draft import draft, flow, quoted, slug
from streaming.sample.draw import STRETCHES, Sample, draw_from_source, draw_from_topic
from streaming.sample.profile import profile_of
from streaming.sample.roles import Roles, roles_of
from streaming.sample.trial import dead_letters
from streaming.transports.embedded import EmbeddedTransport
from tests.support.data import data_file
from tests.support.streams import as_records, events
from tests.unit.streaming.sample.drawn import sample_of

HOSTILE = [
    *("", " ", "a: b", "- a", "x\n  y: 1", "#", "'", '"', "\\", "{a", "[", "&a", "*a", "!!x", "%"),
    *("null", "true", "yes", "1e3", "~", "\x00", "\x7f", "\x85", "\u2028", "\u202e", "\x1b[31m"),
    *("🦆", "ü", "a" * 200, "a" * 201, "?", "@", "`", "a b", "log_a", "kind", "fields", "\ufeff"),
]
NAMES = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=12))
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(HOSTILE),
    st.text(max_size=12),
    st.just("2026-03-02T10:00:00Z"),
    st.lists(st.integers(), max_size=1),
)


def drafted(sample: Sample, **arguments: Any) -> tuple[StreamConfig, Roles]:
    profile = profile_of(sample)
    roles = roles_of(profile, **arguments)
    return parse(draft(sample, profile, roles), "draft"), roles


def kinds(config: StreamConfig) -> list[tuple[str, str | None]]:
    return [(params.kind, getattr(params, "field", None)) for params in config.features]  # type: ignore[attr-defined]


@given(
    st.lists(st.tuples(NAMES, st.lists(VALUES, min_size=1, max_size=4)), min_size=1, max_size=6),
    st.integers(1, 60),
    st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_whatever_the_events_hold_the_draft_is_right_and_runs(
    columns: Sequence[tuple[str, Sequence[Any]]], count: int, cells: bool
) -> None:
    rows = [{name: values[i % len(values)] for name, values in columns} for i in range(count)]
    rows = [msgspec.json.decode(msgspec.json.encode(row)) for row in rows]
    sample = sample_of(rows, cells=cells)
    try:
        config, roles = drafted(sample)
    except SourceInvalid:
        return  # no field can be a feature
    assert set(config.fields) == set(roles.types) <= set(rows[0])
    assert config.warnings == ()
    if not cells:
        outcome = PartitionPipeline(config, 0, "t").process(as_records(rows))
        assert outcome.bad == ()


@given(st.text())
def test_quoted_is_yaml_and_nothing_in_it_moves_a_terminal(text: str) -> None:
    assert quoted(text).isprintable()
    value, problems = read_tree(f"a: {quoted(text)}    # {quoted(text)}\nb: {flow({'c': text})}\n")
    assert not problems
    assert value.value == {"a": text, "b": {"c": text}}


def test_payments_get_the_parts_that_a_person_would_give_them() -> None:
    rows = [{**row, "shop": f"s{i % 90}", "label": 0} for i, row in enumerate(events(3000))]
    config, roles = drafted(sample_of(rows))
    assert (config.key, config.time) == ("card", "at")
    assert config.event_id is not None
    assert config.event_id.field == "id"
    assert list(roles.left_out) == ["label"]
    assert kinds(config)[:3] == [("log", "amount"), ("number", "speed"), ("frequency", "card")]
    assert ("window", "amount") in kinds(config)
    assert config.learning.warm_up < 300  # a short stream


def _utc(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat()


def table(**columns: Sequence[Any]) -> Sample:
    count = max(map(len, columns.values()))
    return sample_of(
        [{name: values[i % len(values)] for name, values in columns.items()} for i in range(count)]
    )


@pytest.mark.parametrize(
    ("name", "values", "part"),
    [
        ("row", range(100), "left out: counts the events"),
        ("event_id", range(100), "event_id"),
        ("port", [22, 80, 443], "category"),
        ("status", [200, 404], "category"),
        ("bytes", [0, 1, 2, 900_000], "amount"),
        ("rate", [0.1, 0.2, 0.3], "number"),
        ("is_admin", [True, False], "number"),
        ("comment", [f"text {i}" for i in range(100)], "left out: hardly ever repeats"),
        ("constant", [5], "left out: always has the same value"),
        ("label_kind", ["a", "b"], "left out: looks like the answer, not like an observation"),
        ("host", [f"h{i}" for i in range(10)], "entity"),
        ("colour", [f"h{i}" for i in range(10)], "category"),
    ],
)
def test_each_field_gets_its_part(name: str, values: Sequence[Any], part: str) -> None:
    roles = roles_of(profile_of(table(**{"filler": range(100), name: list(values)})))
    found = [
        *(["event_id"] if roles.event_id == name else []),
        *(["entity"] if name in roles.entities else []),
        *(["category"] if name in roles.categories and name not in roles.entities else []),
        *(["amount"] if name in roles.amounts else []),
        *(["number"] if name in roles.numbers else []),
        *([f"left out: {roles.left_out[name]}"] if name in roles.left_out else []),
    ]
    assert found == [part]


def test_an_unwanted_field_is_no_feature() -> None:
    config, roles = drafted(table(a=[1, 2], b=[1, 2]), unwanted=["b"])
    assert list(config.fields) == ["a"]
    assert roles.left_out == {"b": "is not wanted"}


def test_two_fields_whose_columns_would_be_called_alike_are_told_apart() -> None:
    config, _ = drafted(table(bytes=[0, 1, 900_000], log_bytes=[1, 2, 3]))
    assert len(config.features) == 2


@pytest.mark.parametrize(
    ("gap", "over"), [(1, "1m"), (600, "1m"), (2_000, "10m"), (12_000, "1h"), (4e6, "7d")]
)
def test_a_second_event_within_a_window_is_unusual(gap: float, over: str) -> None:
    """``gap``: seconds between two events of one card."""
    rows = [
        {"card": f"c{i % 10}", "at": _utc(1.7e9 + i * gap / 10), "x": i % 7} for i in range(400)
    ]
    config, _ = drafted(sample_of(rows))
    (count,) = (one for one in config.features if isinstance(one, Window.Params) and not one.field)
    assert count.over == over


@pytest.mark.parametrize(
    ("topic", "partitions", "total", "warm_up", "budget"),
    [
        (None, 1, 2_000, 128, 0.02),
        ("t", 1, 2_000, 128, 0.005),
        ("t", 4, 2_000, 128, 0.005),
        (None, 1, 30_000, 1_024, 0.005),
        ("t", 4, 30_000, 256, 0.005),
        ("t", 4, 300_000, 2_048, 0.005),
    ],
)
def test_alerts_begin_early_in_what_each_partition_has(
    topic: str | None, partitions: int, total: int, warm_up: int, budget: float
) -> None:
    sample = dataclasses.replace(
        table(x=[*range(25)] * 2), topic=topic, partitions=partitions, total=total
    )
    config, _ = drafted(sample)
    assert (config.learning.warm_up, config.learning.alert_budget) == (warm_up, budget)


def test_no_feature_is_said_with_the_reasons() -> None:
    with pytest.raises(SourceInvalid, match='no field can be a feature: "a" always has the same'):
        drafted(table(a=[1]))


@pytest.mark.parametrize(
    ("text", "name"), [("A file (1)", "a-file-1"), ("é", "events"), ("x" * 99, "x" * 63)]
)
def test_the_stream_gets_a_short_name(text: str, name: str) -> None:
    assert slug(text) == name


def test_a_file_is_drawn_from_its_whole_length(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(json.dumps({"n": i}) for i in range(5_000)) + "\n{half\n")
    sample = draw_from_source(str(path), 200, lambda _: None)
    drawn = [event["n"] for event in sample.events()]
    assert len(sample.stretches) == STRETCHES
    assert (drawn[0], sample.total, sample.broken) == (0, 5_001, 1)
    assert drawn[-1] > 4_990
    for stretch in sample.stretches:
        assert all(b["n"] - a["n"] == 1 for a, b in pairwise(stretch))


def test_a_topic_is_drawn_from_its_newest_events() -> None:
    transport = EmbeddedTransport(":memory:", lambda: 0.0)
    transport.ensure_topic("t", 2)
    values = [OutRecord("t", None, b'{"n": %d}' % i, partition=i % 2) for i in range(1_000)]
    transport.publisher("p").publish(values, 1)
    sample = draw_from_topic(transport, "t", 100, lambda _: None)
    assert [event["n"] for event in sample.stretches[1]] == list(range(901, 1_000, 2))
    assert (sample.total, sample.topic, sample.partitions) == (1_000, "t", 2)
    text = draft(sample, profile_of(sample), Roles(types={"n": "number"}, numbers=["n"]))
    config = parse(text, "draft")
    assert (config.source.topic, config.source.partitions) == ("t", 2)


def test_the_command_writes_a_config_that_is_right_and_never_over_another(tmp_path: Path) -> None:
    source, output = tmp_path / "my events.csv", tmp_path / "s.yaml"
    rows = events(500)
    lines = [",".join(rows[0]), *(",".join(str(v) for v in row.values()) for row in rows)]
    source.write_text("\n".join(lines), encoding="utf-8")
    done = CliRunner().invoke(command, [str(source), "--output", str(output)])
    assert done.exit_code == 0, done.output
    assert "Tried on 500 events: none would be a dead letter." in done.output
    assert load(output).stream == "my-events"
    done = CliRunner().invoke(command, [str(source), "--output", str(output)])
    assert done.exit_code == 1
    assert "is there already" in done.output


@pytest.mark.parametrize(
    ("file", "key", "time"),
    [
        ("aws_cloudtrail_stratus.parquet", "principal", "event_time"),
        ("lanl_user_day.parquet", None, None),
        ("nab.parquet", "series", "event_time"),
    ],
)
def test_real_files_are_drafted_without_a_dead_letter(
    file: str, key: str | None, time: str | None
) -> None:
    sample = draw_from_source(str(data_file(file)), 3_000, lambda _: None)
    config, _ = drafted(sample)
    assert (config.key, config.time) == (key, time)
    assert dead_letters(config, sample)[1] == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name a file, or a topic"),
        (["x.csv", "--topic", "t"], "name a file, or a topic"),
        (["absent.jsonl"], "no such file"),
        (["payments_simulator", "--rows", "200", "--output", "no/s.yaml"], "there is no folder no"),
        (["payments_simulator", "--rows", "200", "--leave-out", "amuont"], 'no field "amuont"'),
    ],
)
def test_mistakes_of_the_command_are_answered(arguments: list[str], message: str) -> None:
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code != 0
    assert message in done.output


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.jsonl",
            b'{"a": NaN}\n' * 9,
            'none of 9 records is a JSON object .*begins "{"a": NaN}"',
        ),
        ("a.jsonl", '{"a": 1}\n'.encode("utf-16"), "is a JSON object in UTF-8; the first begins"),
        (
            "a.jsonl",
            b"\x1b[2J\n",
            'the first begins "\ufffd\\[2J": mend that, or name another file',
        ),
        ("a.csv", b"a,b\n1\n2\n", 'none of 2 records is a row with a cell .*begins "1"'),
    ],
)
def test_of_a_file_that_is_something_else_the_first_record_is_shown(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SourceInvalid, match=message):
        draw_from_source(str(path), 1_000, lambda _: None)


def test_broken_records_are_not_blamed_on_the_types(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join([*map(json.dumps, events(300)), '"text"']), encoding="utf-8")
    done = CliRunner().invoke(command, [str(path)])
    assert "dead letters would be 1 wrong_type. Those are no JSON objects" in done.output
