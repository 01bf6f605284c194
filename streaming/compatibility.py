"""Is a new version of a JSON Schema safe for readers that we don't know?

Within a major version old readers must understand new messages and new readers old ones. So only
optional properties may be added and enums may grow (a reader takes a value that it doesn't know as
"other"); nothing is removed, renamed, retyped, or made stricter or looser.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

NOTES = frozenset({"title", "description", "examples", "$comment"})
NESTED = ("properties", "$defs")

Schema = Mapping[str, Any]


def breaks(old: Schema, new: Schema, where: str = "") -> Iterator[str]:
    """Yield what a reader of ``old`` could stumble over in ``new``, with its place."""
    for key in sorted((old.keys() | new.keys()) - NOTES - {*NESTED, "items", "enum"}):
        if old.get(key) != new.get(key):
            if key == "required":
                yield from _required(old.get(key, []), new.get(key, []), where)
            else:
                yield f"{where or '/'}: {key} was {old.get(key)!r}, is {new.get(key)!r}"
    if "enum" in old or "enum" in new:
        yield from _enum(old, new, where)
    for nest in NESTED:
        before, after = old.get(nest, {}), new.get(nest, {})
        for name in before:
            if name not in after:
                yield f"{where}/{name}: was removed"
            else:
                yield from breaks(before[name], after[name], f"{where}/{name}")
    if isinstance(old.get("items"), Mapping) and isinstance(new.get("items"), Mapping):
        yield from breaks(old["items"], new["items"], f"{where}/items")
    elif old.get("items") != new.get("items"):
        yield f"{where}/items: was {old.get('items')!r}, is {new.get('items')!r}"


def _required(old: list[str], new: list[str], where: str) -> Iterator[str]:
    for name in sorted(set(new) - set(old)):
        yield f"{where}/{name}: is required now; old messages don't have it"
    for name in sorted(set(old) - set(new)):
        yield f"{where}/{name}: is no longer required; readers rely on it"


def _enum(old: Schema, new: Schema, where: str) -> Iterator[str]:
    if "enum" not in old or "enum" not in new:
        yield f"{where or '/'}: enum was {old.get('enum')!r}, is {new.get('enum')!r}"
    elif gone := [value for value in old["enum"] if value not in new["enum"]]:
        yield f"{where or '/'}: no longer has {gone!r}"
