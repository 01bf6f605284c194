"""Turns what pydantic refuses into lines that say where, what, and how to mend it."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from streaming.config.yaml_tree import Path, Problem, Tree

MAX_LISTED = 12
"""Valid names written out in a message when none is near."""

_SHAPES: Mapping[str, str] = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "model_type": "a section of keys and values",
    "model_attributes_type": "a section of keys and values",
    "dict_type": "a section of keys and values",
    "list_type": "a list",
    "tuple_type": "a list",
    "finite_number": "a finite number",
}
_LIMITS: Mapping[str, tuple[str, str]] = {
    "greater_than": ("must be more than {}", "gt"),
    "greater_than_equal": ("must be at least {}", "ge"),
    "less_than": ("must be less than {}", "lt"),
    "less_than_equal": ("must be at most {}", "le"),
    "too_short": ("must have {} or more entries", "min_length"),
    "too_long": ("must have at most {} entries", "max_length"),
    "string_too_short": ("must have {} or more characters", "min_length"),
    "string_too_long": ("must have at most {} characters", "max_length"),
}


def nearest(name: object, known: Iterable[str]) -> str | None:
    """Return the known name that a person most likely meant, None if none is near."""
    by_lower = {one.lower(): one for one in known}
    close = difflib.get_close_matches(str(name).lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[close[0]] if close else None


def hint(name: object, known: Collection[str], what: str = "known here") -> str:
    """Return ``, did you mean "x"?`` or, where nothing is near, the list of what is known."""
    if near := nearest(name, known):
        return f', did you mean "{near}"?'
    if not known:
        return ""
    names = sorted(known)
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    return f"; {what}: {', '.join(names[:MAX_LISTED])}{more}"


def from_pydantic(
    tree: Tree,
    prefix: Path,
    model: type[BaseModel],
    error: ValidationError,
    also: Collection[str] = (),
) -> list[Problem]:
    """Return a problem for each thing that ``model`` refused of the value at ``prefix``.

    A key that is missing because it is misspelt is one problem, not two. ``also``: keys at
    ``prefix`` that are valid though ``model`` doesn't know them.
    """
    problems: list[Problem] = []
    meant: set[Path] = set()
    errors = error.errors(include_url=False)
    for one in errors:
        if one["type"] == "extra_forbidden":
            *section, key = one["loc"]
            known = [*_keys_at(model, tuple(section)), *(also if not section else ())]
            free = [name for name in known if (*prefix, *section, name) not in tree.lines]
            meant.add((*section, nearest(key, free) or ""))
            problems.append(tree.problem((*prefix, *one["loc"]), f"unknown key{hint(key, free)}"))
    others = [one for one in errors if one["type"] != "extra_forbidden"]
    return problems + [
        _problem(tree, prefix, model, one)
        for one in others
        if not (one["type"] == "missing" and one["loc"] in meant)
    ]


def _problem(tree: Tree, prefix: Path, model: type[BaseModel], error: ErrorDetails) -> Problem:
    loc = tuple(step for step in error["loc"] if step != "[key]")
    path: Path = (*prefix, *loc)
    kind, context, found = error["type"], error.get("ctx", {}), error["input"]
    if kind == "missing":
        about = _about(model, loc)
        return tree.problem(path, f"is missing; add it{f': {about}' if about else ''}")
    return tree.problem(path, _message(kind, context, found, error["msg"]))


def _message(kind: str, context: Mapping[str, Any], found: Any, otherwise: str) -> str:
    if kind in _SHAPES:
        return f"must be {_SHAPES[kind]}, not {shown(found)}"
    if kind in _LIMITS:
        template, key = _LIMITS[kind]
        return f"{template.format(f'{context[key]:.12g}')}, is {shown(found)}"
    if kind in {"literal_error", "enum"}:
        known = [one.strip("'") for one in context["expected"].replace(" or ", ", ").split(", ")]
        return f"{shown(found)} is not one of {', '.join(known)}{_did_you_mean(found, known)}"
    if kind in {"value_error", "assertion_error"}:
        return str(context["error"])
    return f"{otherwise[:1].lower()}{otherwise[1:]}, is {shown(found)}"


def _did_you_mean(found: Any, known: Collection[str]) -> str:
    near = nearest(found, known)
    return f', did you mean "{near}"?' if near else ""


def shown(value: Any) -> str:
    """Return a value as a message shows it, cut to a readable length."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a section"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, str):
        return f'"{value[:57]}..."' if len(value) > 60 else f'"{value}"'
    return str(value)


def _keys_at(model: type[BaseModel], loc: Path) -> list[str]:
    """Return the keys that ``model`` knows at a place inside itself."""
    here: Any = model
    for step in loc:
        here = _inner(here, step)
        if here is None:
            return []
    if not _is_model(here):
        return []
    return [name for name, info in here.model_fields.items() if not info.exclude]


def _about(model: type[BaseModel], loc: Path) -> str:
    """Return the description of the field at a place inside ``model``."""
    here: Any = model
    for step in loc[:-1]:
        here = _inner(here, step)
    if not _is_model(here) or str(loc[-1]) not in here.model_fields:
        return ""
    return here.model_fields[str(loc[-1])].description or ""


def _inner(here: Any, step: str | int) -> Any:
    """Return the type that a step leads to: a field of a model, an item of a list or mapping."""
    if _is_model(here):
        found = here.model_fields.get(str(step))
        return _unwrap(found.annotation) if found else None
    arguments = [one for one in typing.get_args(here) if one is not Ellipsis]
    return _unwrap(arguments[-1]) if arguments else None


def _unwrap(annotation: Any) -> Any:
    """Return the type inside ``Annotated`` and ``X | None``."""
    while True:
        origin = typing.get_origin(annotation)
        if origin is typing.Annotated:
            annotation = typing.get_args(annotation)[0]
        elif origin in {typing.Union, types.UnionType}:
            inner = [one for one in typing.get_args(annotation) if one is not type(None)]
            annotation = inner[0]
        else:
            return annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
