"""The JSON Schema of a stream's config: for editors, and what ``docs/config.md`` is made from."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from detectors.features import registry as features
from detectors.registry import kinds as detector_kinds
from streaming.config.model import SET_BY_LOAD, StreamConfig
from streaming.config.sections import LIFTED, MAX_SHARE

Schema = dict[str, Any]

FIELDS = {
    "type": "array",
    "items": {"type": "string"},
    "minItems": 1,
    "description": "Instead of `field`: one feature for each of these fields.",
}
WEIGHT = {
    "type": "number",
    "exclusiveMinimum": 0,
    "default": 1,
    "description": "Its say where there are several.",
}
SHARE = {
    "anyOf": [
        {"type": "number", "exclusiveMinimum": 0, "maximum": MAX_SHARE},
        {"type": "string", "pattern": r"^(10|[0-9](\.[0-9]{1,9})?)\s*%$"},
    ]
}


def json_schema() -> Schema:
    """Return the schema. Imports every kind of detector."""
    schema = _schema_of(StreamConfig)
    definitions = {
        name: one
        for name, one in schema.pop("$defs").items()
        if name not in {"DetectorSpec", "FeatureParams", "BaseModel"}
    }
    lifted = definitions["LearningSettings"]["properties"]
    properties: Schema = {}
    for name, value in schema["properties"].items():
        if name not in SET_BY_LOAD:
            properties[name] = _described(value, definitions)
        if name == "learning":
            properties |= {key: lifted.pop(key) for key in LIFTED}
    types = definitions["StreamField"]["properties"]["type"]["enum"]
    either = [{"enum": types}, {"$ref": "#/$defs/StreamField"}]
    properties["fields"]["additionalProperties"] = {"anyOf": either}
    properties["alert_budget"] = {**_words_of(properties["alert_budget"]), **SHARE}
    for name, kinds in _kinds().items():
        properties[name]["items"] = {"oneOf": [{"$ref": f"#/$defs/{kind}"} for kind in kinds]}
        definitions |= kinds
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Config of a stream",
        "description": inspect.cleandoc(StreamConfig.__doc__ or "").split("\n", 1)[0],
        "type": "object",
        "additionalProperties": False,
        "required": [name for name in schema["required"] if name not in SET_BY_LOAD],
        "properties": properties,
        "$defs": definitions,
    }


def _kinds() -> Mapping[str, Mapping[str, Schema]]:
    """Return the schemas of what the two lists may hold, by name: ``feature.log``."""
    return {
        "features": {
            f"feature.{kind}": _feature(_kind_schema(kind, feature, feature.Params))
            for kind, feature in features.kinds().items()
        },
        "detectors": {
            f"detector.{kind}": _detector(_kind_schema(kind, detector, detector.Params))
            for kind, detector in sorted(detector_kinds().items())
        },
    }


def _kind_schema(kind: str, described: type, params: type[BaseModel]) -> Schema:
    schema = _schema_of(params)
    properties = {"kind": {"const": kind}, **schema["properties"]}
    properties["kind"] = {"const": kind, "description": "What it is."}
    required = ["kind", *(name for name in schema.get("required", ()) if name != "kind")]
    about = inspect.cleandoc(described.__doc__ or "").split("\n\nExample", 1)[0]
    return {**schema, "description": about, "properties": properties, "required": required}


def _feature(schema: Schema) -> Schema:
    """Allow ``fields`` in place of ``field``."""
    if "field" not in schema["properties"]:
        return schema
    both = {**schema, "properties": {**schema["properties"], "fields": FIELDS}}
    if "field" in schema["required"]:
        both["required"] = [name for name in schema["required"] if name != "field"]
        both["oneOf"] = [{"required": ["field"]}, {"required": ["fields"]}]
    return both


def _detector(schema: Schema) -> Schema:
    return {**schema, "properties": {**schema["properties"], "weight": WEIGHT}}


def _schema_of(model: type[BaseModel]) -> Schema:
    plain = _simple(model.model_json_schema())
    if not isinstance(plain, dict):
        raise TypeError(f"{model.__qualname__} has no schema of its own")
    return plain


def _simple(schema: Any) -> Any:
    """Drop made-up titles and the ``null`` of ``X | None``: a key is left out, never null."""
    if isinstance(schema, list):
        return [_simple(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {
        key: {name: _simple(one) for name, one in value.items()}
        if key in {"properties", "$defs"}
        else value
        if key in {"default", "examples"}
        else _simple(value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str))
    }
    options = plain.get("anyOf")
    if options and {"type": "null"} in options:
        rest = [one for one in options if one != {"type": "null"}]
        del plain["anyOf"]
        plain.pop("default", None)
        plain = {**(rest[0] if len(rest) == 1 else {"anyOf": rest}), **plain}
    return plain


def _described(value: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """Give a section the first line of its model's docstring; its keys have the defaults."""
    if "$ref" not in value:
        return value
    about = definitions[value["$ref"].rpartition("/")[2]].get("description", "")
    plain = {key: one for key, one in value.items() if key != "default"}
    return {"description": about.split("\n", 1)[0], **plain}


def _words_of(schema: Schema) -> Schema:
    return {key: schema[key] for key in ("description", "default") if key in schema}
