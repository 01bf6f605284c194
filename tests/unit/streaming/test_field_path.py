"""Fields that lie within other objects of an event are as good as those at its top."""

from __future__ import annotations

import datetime as dt
import decimal
import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.config.changes import Effect, changes_of, effect_of
from streaming.config.fields import StreamField
from streaming.config.load import parse
from streaming.decode import Decoder
from streaming.drift import DriftWatch
from streaming.errors import ConfigInvalid, SourceInvalid
from streaming.field_path import Path as FieldPath
from streaming.field_path import folded, leaves, value_at
from streaming.pipeline import PartitionPipeline
from streaming.records import Record
from streaming.sample.draft import draft
from streaming.sample.draw import draw_from_source
from streaming.sample.profile import profile_of
from streaming.sample.roles import roles_of
from streaming.sample.trial import dead_letters
from streaming.sources._lines import KeyReader
from streaming.sources.registry import open_source
from tests.support.streams import CONFIG, events

TYPES = {"id": "string", "n": "number", "ok": "boolean", "at": "time"}
KEYS = st.text(
    st.characters(codec="utf-8", exclude_characters='"\\', min_codepoint=32), min_size=1, max_size=3
)
VALUES = st.sampled_from(["x", 7, 1.5, True, None, "2026-03-02T10:00:00Z", [1], "y" * 9_000])


@st.composite
def places(draw: st.DrawFn) -> Mapping[str, FieldPath]:
    """Paths of the fields, none at or within another's place."""
    paths: dict[str, FieldPath] = {}
    for name in TYPES:
        above = draw(st.lists(KEYS, max_size=3))
        paths[name] = (*above, f"{draw(KEYS)}-{name}")
    return paths


def fields(paths: Mapping[str, FieldPath], required: str = "") -> dict[str, StreamField]:
    return {
        name: StreamField.model_validate(
            {"type": kind, "required": name == required, "path": paths.get(name)}
        )
        for name, kind in TYPES.items()
    }


def as_records(values: Sequence[Mapping[str, Any]], first: int = 0) -> list[Record]:
    return [
        Record("t", 0, offset, None, json.dumps(value).encode())
        for offset, value in enumerate(values, first)
    ]


@given(
    places(),
    st.lists(st.dictionaries(st.sampled_from(list(TYPES)), VALUES), max_size=4),
    st.sampled_from(["", *TYPES]),
)
def test_they_are_decoded_as_the_others_are(
    paths: Mapping[str, FieldPath], values: Sequence[Mapping[str, Any]], required: str
) -> None:
    flat, nested = Decoder(fields({}, required)), Decoder(fields(paths, required))
    plain = flat.decode(as_records(values))
    deep = nested.decode(as_records([folded(value, paths) for value in values]))
    bad = [[one.record.offset for one in decoded.bad] for decoded in (plain, deep)]
    assert bad[0] == bad[1]  # of several faults of one record the first to be met is told
    assert [flat.fields(one) for one in plain.events] == [nested.fields(one) for one in deep.events]
    if plain.events:
        columns = [flat.columns(plain.events), nested.columns(deep.events)]
        assert repr(columns[0]) == repr(columns[1])


@given(places(), st.dictionaries(st.sampled_from(list(TYPES)), VALUES))
def test_leaves_and_folded_undo_each_other(
    paths: Mapping[str, FieldPath], values: Mapping[str, Any]
) -> None:
    event = folded(values, paths)
    assert dict(leaves(event)) == {paths[name]: value for name, value in values.items()}
    assert all(value_at(event, paths[name]) == value for name, value in values.items())
    assert value_at(event, ("no", "such"), "absent") == "absent"


@pytest.mark.parametrize(
    ("event", "required", "told"),
    [
        ({"a": None}, False, None),
        ({"a": {}}, False, None),
        ({}, False, None),
        ({"a": "x"}, False, ("wrong_type", "where")),
        ({"a": {"b": 1.5}}, False, ("wrong_type", "who")),
        ({"a": {"b": "y" * 9_000}}, False, ("too_long", "who")),
        ({"a": {"b": 1}}, True, None),
        ({"a": {}}, True, ("missing_field", "who")),
        ({}, True, ("missing_field", "who")),
        ({"a": None}, True, ("wrong_type", "who")),
    ],
)
def test_what_is_wrong_is_told_by_the_fields_name(
    event: Mapping[str, Any], required: bool, told: tuple[str, str] | None
) -> None:
    where = StreamField(type="string", path=("a", "c"))
    who = StreamField(type="string", path=("a", "b"), required=required)
    decoded = Decoder({"where": where, "who": who}).decode(as_records([event]))
    assert [(one.code, one.field) for one in decoded.bad] == ([told] if told else [])


def nested_config() -> tuple[str, Mapping[str, FieldPath]]:
    """The tests' stream with each of its fields one or two objects deep."""
    paths: dict[str, FieldPath] = {
        "id": ("meta", "id"),
        "at": ("meta", "when", "at"),
        "card": ("actor", "card"),
        "amount": ("body", "amount"),
        "speed": ("body", "x-speed"),
    }
    config = parse(CONFIG, "flat")
    declared = {
        name: {"type": field.type, "required": field.required, "entity": field.entity}
        | ({"path": paths[name]} if name in paths else {})
        for name, field in config.fields.items()
    }
    before, _, rest = CONFIG.partition("fields:\n")
    after = rest[rest.index("features:") :]
    return f"{before}fields: {json.dumps(declared)}\n{after}", paths


def test_a_stream_of_nested_events_is_scored_as_the_flat_one() -> None:
    text, paths = nested_config()
    flat, nested = parse(CONFIG, "flat"), parse(text, "nested")
    rows = events(1_500)
    one = PartitionPipeline(flat, 0, "t").process(as_records(rows))
    other = PartitionPipeline(nested, 0, "t").process(
        as_records([folded(row, paths) for row in rows])
    )
    assert other.bad == ()
    told = [[(c.offset, c.margin, c.entity, c.record) for c in o.candidates] for o in (one, other)]
    assert told[0] == told[1] != []


def test_what_drifts_is_told_by_the_fields_name_and_its_objects_are_not_new() -> None:
    text, paths = nested_config()
    watch = DriftWatch(parse(text, "nested").fields)
    whole = [folded(row, paths) for row in events(8_000)]
    gone = [{**event, "body": {"amount": 1.0}} for event in whole]
    watch.add(as_records([{"meta": event["meta"]} for event in whole[:4_000]] + whole))
    assert {drift.kind for drift in watch.open} == set()
    watch.add(as_records(gone, 12_000))
    assert ("speed", "missing") in {(drift.field, drift.kind) for drift in watch.open}


@pytest.mark.parametrize("beside", [{"id": "e1"}, {f"k{i}": i for i in range(220)}])
def test_a_namesake_or_a_wide_event_hides_no_drift(beside: Mapping[str, Any]) -> None:
    watch = DriftWatch({"id": StreamField(type="string", path=("user", "id"))})
    there = [{**beside, "user": {"id": "x"}}] * 8_000
    watch.add(as_records(there + [{**beside, "user": {}}] * 4_000))
    assert ("id", "missing") in {(drift.field, drift.kind) for drift in watch.open}


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('{"actor": {"card": "c1", "x": [1]}}', b"c1"),
        ('{"actor": {"card": 7}}', b"7"),
        ('{"actor": {"card": null}}', None),
        ('{"actor": {"card": []}}', None),
    ],
)
def test_the_key_of_a_line_is_found_within_it(tmp_path: Path, line: str, key: bytes | None) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text(f"{line}\n", encoding="utf-8")
    with closing(open_source(str(file), parse(nested_config()[0], "nested"))) as source:
        (row,) = source.read(0, 9).rows
    assert row.key == key


@pytest.mark.parametrize("line", ['{"actor": {"cord": 7}}', '{"actor": "c1"}', '{"card": 7}'])
def test_a_key_that_no_line_has_is_refused(tmp_path: Path, line: str) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(SourceInvalid, match=r"actor\.card"):
        open_source(str(file), parse(nested_config()[0], "nested"))


def test_a_table_of_cells_holds_no_objects(tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_text("meta,actor,body,shop\n1,2,3,4\n", encoding="utf-8")
    with pytest.raises(SourceInvalid, match="path of several keys"):
        open_source(str(file), parse(nested_config()[0], "nested"))


def test_a_key_that_no_line_has_is_not_needed_by_pipes() -> None:
    assert KeyReader(("a", "b")).of(b'{"a": "x"}') is None
    assert KeyReader(("a", "b")).of(b'{"a": null}') is None
    assert KeyReader(("a", "b")).of(b"{}") is None


def test_in_structs_types_are_bent_as_at_the_top(tmp_path: Path) -> None:
    path = tmp_path / "events.parquet"
    moment = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    values = {
        "price": pa.array([decimal.Decimal("1.50")]),
        "text": pa.array(["7"]),
        "flag": pa.array([1], pa.int8()),
        "day": pa.array([moment.date()]),
        "code": pa.array([5.0]),
        "share": pa.array([0.85], pa.float32()),
        "seen": pa.array([1_700_000_000_123_456_789], pa.timestamp("ns")),
    }
    kinds = ("number", "number", "boolean", "time", "string", "number", "time")
    pq.write_table(
        pa.table({"in": pa.StructArray.from_arrays(values.values(), list(values))}), path
    )
    fields = "\n".join(
        f"  {name}: {{type: {kind}, path: [in, {name}]}}"
        for name, kind in zip(values, kinds, strict=True)
    )
    config = parse(
        f"stream: s\nfields:\n{fields}\nfeatures: [{{kind: number, field: price}}]\n"
        "detectors: [{kind: isolation_forest}]\n",
        "c.yaml",
    )
    with closing(open_source(str(path), config)) as source:
        (row,) = source.read(0, 9).rows
    decoder = Decoder(config.fields)
    decoded = decoder.decode([Record("t", 0, 0, None, row.value)])
    assert not decoded.bad
    found = decoder.fields(decoded.events[0])
    assert (found["price"], found["text"], found["flag"], found["code"]) == (1.5, 7.0, True, "5")
    assert (found["share"], found["day"][:10], found["seen"][:10]) == (
        0.85,
        "2026-03-02",
        "2023-11-14",
    )


def test_a_value_that_is_mostly_an_object_is_drafted_as_one(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    rows = [
        {"user": None if i % 10 == 0 else {"id": f"u{i % 40}", "age": i % 50}, "x": i % 9}
        for i in range(600)
    ]
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    sample = draw_from_source(str(file), 600, lambda events: None)
    profile = profile_of(sample)
    config = parse(draft(sample, profile, roles_of(profile)), "draft")
    assert set(config.fields) == {"user_id", "user_age", "x"}
    assert dead_letters(config, sample) == (600, {})


def test_a_column_of_structs_holds_them(tmp_path: Path) -> None:
    text, paths = nested_config()
    rows = [folded(row, paths) for row in events(50)]
    path = tmp_path / "events.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    config = parse(text, "nested")
    with closing(open_source(str(path), config)) as source:
        found = source.read(0, 50).rows
    assert [json.loads(row.value)["actor"] for row in found] == [row["actor"] for row in rows]
    assert [row.key for row in found] == [row["actor"]["card"].encode() for row in rows]
    records = [Record("t", 0, i, row.key, row.value) for i, row in enumerate(found)]
    assert not Decoder(config.fields).decode(records).bad


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("other: {type: number, path: [speed]}", 'is read as the field "speed"'),
        ("other: {type: number, path: [speed, x]}", 'lies within, or around, the field "speed"'),
        ("other: {type: number, path: []}", "path"),
        ("other: {type: number, path: [a, 7]}", "path"),
        ('other: {type: number, path: [a, "b\\"c"]}', "can't hold"),
    ],
)
def test_a_path_that_can_not_be_is_refused(field: str, message: str) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        parse(CONFIG.replace("features:", f"  {field}\nfeatures:"), "c.yaml")
    assert any(message in problem for problem in refused.value.problems), refused.value.problems


def test_another_place_is_another_contract() -> None:
    old, new = parse(CONFIG, "old"), parse(nested_config()[0], "new")
    changes = changes_of(old, new)
    assert effect_of(old, new, changes) is Effect.CHANGES_THE_CONTRACT
    assert old.state_version() != new.state_version()


def test_a_draft_of_nested_events_reads_them(tmp_path: Path) -> None:
    _, paths = nested_config()
    file = tmp_path / "events.jsonl"
    lines = [
        json.dumps({**folded(row, paths), "card": "top", "deep": {'a"b': 1, "list": [i]}})
        for i, row in enumerate(events(3_000))
    ]
    file.write_text("\n".join(lines), encoding="utf-8")
    sample = draw_from_source(str(file), 3_000, lambda events: None)
    profile = profile_of(sample)
    roles = roles_of(profile)
    config = parse(draft(sample, profile, roles), "draft")
    assert (config.key, config.time) == ("actor_card", "meta_when_at")
    assert config.fields["actor_card"].path == ("actor", "card")
    assert roles.left_out["deep_list"] == "holds lists, or objects too deep"
    assert dead_letters(config, sample) == (3_000, {})
