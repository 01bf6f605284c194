from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pyarrow.parquet as pq
import pytest
import yaml

from streaming.config.docs import rendered
from streaming.config.load import load, parse
from streaming.config.schema import json_schema
from streaming.errors import ConfigInvalid
from tests.support.data import REPOSITORY, data_file

EXAMPLES = sorted(
    path
    for path in (REPOSITORY / "examples" / "streams").glob("*.yaml")
    if not path.stem.endswith(".examples")
)
ANSWERS = ("label", "row", "leak_", "part", "capture", "scenario")


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json_schema()


@pytest.fixture(scope="module")
def validator(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_generated_pages_are_up_to_date() -> None:
    for name, content in rendered().items():
        written = (REPOSITORY / "docs" / name).read_text(encoding="utf-8")
        assert written == content, f"docs/{name} is stale: run `make docs`"


def test_every_key_is_described(schema: dict[str, Any]) -> None:
    sections = {"top": schema, **schema["$defs"]}
    without = [
        f"{section}.{key}"
        for section, one in sections.items()
        for key, value in one.get("properties", {}).items()
        if not value.get("description")
    ]
    assert without == []


def test_every_key_of_the_schema_is_in_the_reference(schema: dict[str, Any]) -> None:
    page = rendered()["config.md"]
    keys = [key for one in [schema, *schema["$defs"].values()] for key in one["properties"]]
    assert [key for key in keys if key != "kind" and f"| `{key}` |" not in page] == []


def test_there_are_the_four_examples() -> None:
    names = [path.stem for path in EXAMPLES]
    assert names == ["cloudtrail", "network", "payments", "shuttle"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_right_and_warns_of_nothing(
    path: Path, validator: jsonschema.Draft202012Validator
) -> None:
    config = load(path)
    assert config.stream == path.stem
    assert config.warnings == ()
    assert not [name for name in config.fields if name.lower().startswith(ANSWERS)]
    validator.validate(yaml.safe_load(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("stream", "file"),
    [
        ("network", "kdd99_stream.parquet"),
        ("cloudtrail", "aws_cloudtrail_stratus.parquet"),
    ],
)
def test_an_example_fits_the_data_that_it_is_for(stream: str, file: str) -> None:
    columns = pq.read_schema(data_file(file)).names
    config = load(REPOSITORY / "examples" / "streams" / f"{stream}.yaml")
    assert set(config.fields) <= set(columns)


WRONG = [
    ("strem: a", "strem"),
    ("alert_budget: 50%", "alert_budget"),
    ("alert_budget: 0.5", "alert_budget"),
    ("source: {partitions: 0}", "partitions"),
    ("fields: {x: numbr}", "fields"),
    ("features: [{kind: logg, field: x}]", "features"),
    ("features: [{kind: log}]", "features"),
    ("features: [{kind: log, field: x, fields: [x]}]", "features"),
    ("detectors: [{kind: isolation_forest, tres: 5}]", "detectors"),
    ("detectors: [{kind: isolation_forest, weight: 0}]", "detectors"),
    ("alert_limit: {most: 0}", "alert_limit"),
    ("alert_limit: {most: 5, per: week}", "alert_limit"),
    ("learning: {alert_budget: 0.01}", "learning"),
    ("policy: {undo_grace: -1}", "policy"),
]
SMALL = {
    "stream": "small",
    "fields": {"x": "number"},
    "features": [{"kind": "number", "field": "x"}],
    "detectors": [{"kind": "isolation_forest"}],
}


def test_schema_and_loader_take_the_same_small_file(
    validator: jsonschema.Draft202012Validator,
) -> None:
    validator.validate(SMALL)
    parse(yaml.safe_dump(SMALL), "small.yaml")


@pytest.mark.parametrize(("line", "key"), WRONG, ids=[line for line, _ in WRONG])
def test_what_the_schema_refuses_the_loader_refuses(
    line: str, key: str, validator: jsonschema.Draft202012Validator
) -> None:
    wrong = {**SMALL, **yaml.safe_load(line)}
    assert not validator.is_valid(wrong)
    with pytest.raises(ConfigInvalid, match=key):
        parse(yaml.safe_dump(wrong), "small.yaml")
