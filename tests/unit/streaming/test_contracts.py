"""The published contracts: AsyncAPI says what is sent, and new versions break no reader."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from streaming import schemas
from streaming.asyncapi import DEAD_LETTER_HEADERS, document, text
from streaming.compatibility import breaks
from streaming.dead_letters import PREFIX, dead_letter
from streaming.decode import BadRecord
from streaming.records import Record
from streaming.schemas import schema_text
from streaming.verified import SEQUENCE_HEADER
from tests.support.data import REPOSITORY

FOLDER = Path(schemas.__file__).parent


def test_the_document_is_up_to_date() -> None:
    written = (REPOSITORY / "docs" / "asyncapi.json").read_text(encoding="utf-8")
    assert written == text(), "docs/asyncapi.json is stale: run `make docs`"


def test_every_reference_of_the_document_leads_somewhere() -> None:
    whole = document()

    def follow(value: Any) -> None:
        if isinstance(value, dict):
            if str(value.get("$ref", "")).startswith("#/c"):
                place: Any = whole
                for step in value["$ref"][2:].split("/"):
                    place = place[step]
            for key, one in value.items():
                if key != "schemas":  # those refer within themselves
                    follow(one)
        elif isinstance(value, list):
            for one in value:
                follow(one)

    follow(whole)


@pytest.mark.parametrize("kind", ["verified", "revised", "retracted"])
def test_examples_keep_the_schemas_of_header_and_payload(kind: str) -> None:
    whole = document()
    message = whole["components"]["messages"][f"finding_{kind}"]
    (example,) = message["examples"]
    headers = {**example["headers"], SEQUENCE_HEADER: f"{7:020d}"}
    jsonschema.Draft202012Validator(message["headers"]).validate(headers)
    assert headers.keys() == message["headers"]["properties"].keys()
    payload = whole["components"]["schemas"]["verified"]
    jsonschema.Draft202012Validator(payload).validate(example["payload"])


def test_a_dead_letter_has_the_headers_that_are_told() -> None:
    record = Record("t", 1, 2, None, b"rubbish", 0)
    sent = dead_letter(BadRecord(record, "not_json", "", "no"), "v")
    assert {name for name, _ in sent.headers} == {PREFIX + name for name in DEAD_LETTER_HEADERS}


def test_nothing_breaks_the_readers_of_the_last_release() -> None:
    for released in (FOLDER / "released").glob("*.schema.json"):
        old = json.loads(released.read_text(encoding="utf-8"))
        new = json.loads((FOLDER / released.name).read_text(encoding="utf-8"))
        assert list(breaks(old, new)) == []


def remove(schema: dict[str, Any]) -> None:
    del schema["properties"]["severity"]


def demand(schema: dict[str, Any]) -> None:
    schema["required"].append("severity")


def let_go(schema: dict[str, Any]) -> None:
    schema["required"].remove("time")


def retype(schema: dict[str, Any]) -> None:
    schema["properties"]["severity"]["type"] = "integer"


def narrow(schema: dict[str, Any]) -> None:
    schema["properties"]["activity_name"]["enum"].remove("Close")


def tighten(schema: dict[str, Any]) -> None:
    schema["properties"]["severity_id"]["maximum"] = 5


def nested(schema: dict[str, Any]) -> None:
    del schema["properties"]["metadata"]["properties"]["uid"]


def close(schema: dict[str, Any]) -> None:
    schema["additionalProperties"] = False


@pytest.mark.parametrize("change", [remove, demand, let_go, retype, narrow, tighten, nested, close])
def test_what_breaks_a_reader_is_seen(change: Callable[[dict[str, Any]], None]) -> None:
    old = json.loads(schema_text("verified.v1"))
    new = copy.deepcopy(old)
    change(new)
    assert len(list(breaks(old, new))) == 1


def test_optional_parts_larger_enums_and_other_words_break_nobody() -> None:
    old = json.loads(schema_text("verified.v1"))
    new = copy.deepcopy(old)
    new["properties"]["more"] = {"type": "string"}
    new["properties"]["activity_name"]["enum"].append("Other")
    new["description"] = "In other words."
    assert list(breaks(old, new)) == []
