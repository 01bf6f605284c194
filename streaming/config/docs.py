"""Writes the reference of the config and its JSON Schema: ``python -m streaming.config.docs``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from streaming.config.schema import Schema, json_schema

PAGE = "config.md"
SCHEMA = "stream.schema.json"

HEAD = """# The config of a stream

One YAML file describes one stream. `triage check FILE...` says what is wrong with a file, by line
and key. Complete files to copy are in [`examples/streams`](../examples/streams).

*This page is made from the code by `python -m streaming.config.docs`; change the descriptions
there.* Editors complete and check the file if its first line is

```yaml
# yaml-language-server: $schema=https://example.com/docs/stream.schema.json
```

with the place of your copy of [`stream.schema.json`](stream.schema.json).

The file holds plain YAML: no anchors, aliases or tags, no key twice, `true` and `false` for truth
values, texts in quotes where they look like something else. The SHA-256 of its content is its
version: comments and the order of keys do not change it. Every candidate carries it.
"""


def rendered() -> Mapping[str, str]:
    """Return the content of each file by name."""
    schema = json_schema()
    return {
        PAGE: page(schema),
        SCHEMA: json.dumps(schema, indent=2, ensure_ascii=False) + "\n",
    }


def page(schema: Schema) -> str:
    """Return the reference in Markdown: a table per section, then the kinds."""
    definitions: Mapping[str, Schema] = schema["$defs"]
    parts = [HEAD, "## Top of the file\n", _table(schema)]
    for key, value in schema["properties"].items():
        section = _section(value, definitions)
        if section:
            parts += [f"## `{_place(key)}`\n", _about(value) or _about(section), _table(section)]
            parts += _lists(key, section, definitions)
        elif "items" in value and "oneOf" in value["items"]:
            parts += [f"## `{key}`\n", _about(value), *_kinds(key, definitions)]
    return "\n".join(parts).rstrip() + "\n"


def _lists(key: str, section: Schema, definitions: Mapping[str, Schema]) -> Iterator[str]:
    """Yield a table for each key of the section that holds a list of sections."""
    for name, value in section["properties"].items():
        entry = _section(value.get("items", {}), definitions)
        if entry:
            yield from (f"### `{key}.{name}[]`\n", _about(entry), _table(entry))


def _kinds(key: str, definitions: Mapping[str, Schema]) -> Iterator[str]:
    prefix = f"{key.removesuffix('s')}."
    for name, schema in definitions.items():
        if name.startswith(prefix):
            yield f"### `kind: {name.removeprefix(prefix)}`\n"
            yield f"{schema['description']}\n"
            yield _table(schema, leave_out="kind")
            if examples := schema.get("examples"):
                lines = "\n".join(f"- {_flow(example)}" for example in examples)
                yield f"```yaml\n{lines}\n```\n"


def _table(schema: Schema, leave_out: str = "") -> str:
    properties = {k: v for k, v in schema["properties"].items() if k != leave_out}
    if not properties:
        return "No parameters.\n"
    rows = ["| key | type | default | what |", "|---|---|---|---|"]
    needed = schema.get("required", ())
    for key, value in properties.items():
        default = "*required*" if key in needed else _default(value)
        what = " ".join(_about(value).split())
        rows.append(f"| `{key}` | {_type(value)} | {default} | {what} |")
    return "\n".join(rows) + "\n"


def _section(value: Schema, definitions: Mapping[str, Schema]) -> Schema | None:
    """Return the schema of the section that a key holds, or that each of its entries is."""
    inside = value.get("additionalProperties")
    options = inside["anyOf"] if isinstance(inside, dict) and "anyOf" in inside else [value]
    for option in options:
        if "$ref" in option:
            return definitions[option["$ref"].rpartition("/")[2]]
    return None


def _place(key: str) -> str:
    return "fields.NAME" if key == "fields" else key


def _about(value: Schema) -> str:
    """Return the first paragraph of a description, a line feed at its end, "" if there is none."""
    first = str(value.get("description", "")).split("\n\n", 1)[0]
    return f"{first.replace('|', chr(92) + '|')}\n" if first else ""


def _default(value: Schema) -> str:
    default = value.get("default")
    if default is None or default == "" or isinstance(default, dict):
        return ""
    return f"`{_flow(default)}`"


def _type(value: Schema) -> str:
    """Return a type in words: ``whole number ≥ 1``, or the values that are allowed."""
    if "$ref" in value or "additionalProperties" in value:
        return "section"
    if "enum" in value:
        return ", ".join(f"`{one}`" for one in value["enum"])
    if "anyOf" in value:
        return " or ".join(_type(one) for one in value["anyOf"])
    if value.get("pattern", "").endswith("%$"):
        return "percentage"
    words = {"string": "text", "integer": "whole number", "boolean": "true or false"}
    kind = str(value.get("type", "any"))
    name = {"array": "list", "object": "section", **words}.get(kind, kind)
    return f"{name}{_limits(value)}"


def _limits(value: Schema) -> str:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    limits = [f"{sign} {value[key]:,.12g}" for key, sign in signs.items() if key in value]
    return f" {', '.join(limits)}" if limits else ""


def _flow(value: Any) -> str:
    """Return a value in YAML's one-line form."""
    if isinstance(value, dict):
        ordered = sorted(value.items(), key=lambda pair: pair[0] != "kind")
        return "{" + ", ".join(f"{key}: {_flow(one)}" for key, one in ordered) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(one) for one in value) + "]"
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:g}"
    return json.dumps(value)


def main(folder: Path) -> None:
    """Write both files."""
    for name, content in rendered().items():
        (folder / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs"))
