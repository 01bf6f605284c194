"""The published topics as an AsyncAPI 3 document, ``docs/asyncapi.json`` (by ``make docs``).

Made from what the code sends, so that the two can't differ: the topic's name, the JSON Schema, the
published examples.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from streaming.dead_letters import PREFIX, SUFFIX
from streaming.schemas import example_text, schema_text
from streaming.verified import SCHEMA, SEQUENCE_HEADER, SOURCE, TOPIC, TYPE
from triage.findings import FindingKind

VERSION = "1.0.0"  # of the contract; within 1.x only optional parts are added
KAFKA_BINDING = "0.5.0"
SUMMARIES = {
    FindingKind.VERIFIED: "An analyst found a cluster real.",
    FindingKind.REVISED: "A finding has changed since it was published.",
    FindingKind.RETRACTED: "A verdict was taken back: the finding no longer stands.",
}
DEAD_LETTER_HEADERS = {
    "topic": "Where the record came from.",
    "partition": "Its partition.",
    "offset": "Its offset.",
    "code": "What was wrong, in one word.",
    "field": "The field that it was wrong with; empty if none.",
    "message": "What was wrong, for people.",
    "config": "Version of the stream's config that refused it.",
}


def document() -> Mapping[str, Any]:
    """Return the document."""
    verified = {f"finding_{kind.value}": {"$ref": _message(kind)} for kind in FindingKind}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Streaming anomaly triage",
            "version": VERSION,
            "description": "Verified anomalies, each once and in order for readers with"
            " isolation.level=read_committed; a message that was seen before has a ce_id that was"
            " seen before. The relay that sends them is one at a time.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {
            "verified": {
                "address": TOPIC,
                "description": "With the option prefix=NAME: NAME.verified.v1.",
                "messages": verified,
                "bindings": {"kafka": {"partitions": 1, "bindingVersion": KAFKA_BINDING}},
            },
            "deadLetters": {
                "address": "{topic}" + SUFFIX,
                "parameters": {"topic": {"description": "The stream's topic."}},
                "messages": {"dead_letter": {"$ref": "#/components/messages/dead_letter"}},
                "bindings": {"kafka": {"partitions": 1, "bindingVersion": KAFKA_BINDING}},
            },
        },
        "operations": {
            "sendVerified": {"action": "send", "channel": {"$ref": "#/channels/verified"}},
            "sendDeadLetters": {"action": "send", "channel": {"$ref": "#/channels/deadLetters"}},
        },
        "components": {
            "messages": {
                **{f"finding_{kind.value}": _finding(kind) for kind in FindingKind},
                "dead_letter": _dead_letter(),
            },
            "schemas": {"verified": json.loads(schema_text("verified.v1"))},
        },
    }


def text() -> str:
    """Return the document as it is published."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def _message(kind: FindingKind) -> str:
    return f"#/components/messages/finding_{kind.value}"


def _finding(kind: FindingKind) -> Mapping[str, Any]:
    example = json.loads(example_text(f"verified.v1.{kind.value}"))
    headers = {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"type": "string", "description": "finding/revision; never used twice."},
        "ce_source": {"const": SOURCE},
        "ce_type": {"const": TYPE.format(kind=kind.value)},
        "ce_subject": {"type": "string", "description": "The finding."},
        "ce_time": {"type": "string", "format": "date-time"},
        "ce_dataschema": {"const": SCHEMA},
        "ce_partitionkey": {"type": "string", "description": "The finding."},
        "ce_stream": {"type": "string", "description": "The stream that it was found in."},
        SEQUENCE_HEADER: {
            "type": "string",
            "pattern": "^[0-9]{20}$",
            "description": "Rises by 1 from message to message of the topic.",
        },
        "content-type": {"const": "application/json"},
    }
    return {
        "name": TYPE.format(kind=kind.value),
        "summary": SUMMARIES[kind],
        "contentType": "application/json",
        "headers": {"type": "object", "required": list(headers), "properties": headers},
        "payload": {"$ref": "#/components/schemas/verified"},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": "The finding."},
                "bindingVersion": KAFKA_BINDING,
            }
        },
        "examples": [{"headers": example["headers"], "payload": example["value"]}],
    }


def _dead_letter() -> Mapping[str, Any]:
    headers = {
        PREFIX + name: {"type": "string", "description": told}
        for name, told in DEAD_LETTER_HEADERS.items()
    }
    return {
        "name": "dead_letter",
        "summary": "A record that could not be used, as it was, with the reason.",
        "contentType": "application/octet-stream",
        "headers": {"type": "object", "required": list(headers), "properties": headers},
        "payload": {"description": "The record's bytes, unchanged."},
    }


if __name__ == "__main__":
    Path(sys.argv[1], "asyncapi.json").write_text(text(), encoding="utf-8")
