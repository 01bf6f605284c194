"""Reads the sections whose keys are declared in other packages, and a few short spellings."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from detectors.learning_settings import LearningSettings
from streaming.config.problems import from_pydantic, shown
from streaming.config.yaml_tree import Path, Problem, Tree

LIFTED = ("alert_budget", "alert_limit", "explanations")
"""Learning settings that stand at the top of the file: everybody looks for them."""

MAX_SHARE = 0.1
"""Largest alert budget; of more candidates nobody reads enough to learn anything."""

_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,9})?)\s*%")

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Read(Generic[T]):
    """What a part of the file came to."""

    value: T
    problems: list[Problem]


def validated(
    tree: Tree,
    path: Path,
    model: type[M],
    value: Mapping[str, Any],
    also: Collection[str] = (),
) -> Read[M | None]:
    """Validate in JSON mode: strict about types, but a list may fill a tuple.

    ``also``: keys beside those of ``model`` that are valid there.
    """
    try:
        return Read(model.model_validate_json(json.dumps(value)), [])
    except ValidationError as error:
        return Read(None, from_pydantic(tree, path, model, error, also))


def read_section(tree: Tree, raw: Mapping[str, Any], name: str, model: type[M]) -> Read[M | None]:
    """Read a section; where it is left out, all its defaults hold."""
    return validated(tree, (name,), model, raw.get(name, {}))


def read_learning(tree: Tree, raw: Mapping[str, Any]) -> Read[LearningSettings | None]:
    """Read ``learning`` together with its settings that stand at the top."""
    section = raw.get("learning", {})
    if not isinstance(section, dict):
        return validated(tree, ("learning",), LearningSettings, section)
    problems = [
        tree.problem(("learning", name), "belongs at the top of the file, not under learning")
        for name in LIFTED
        if name in section
    ]
    values = {key: value for key, value in section.items() if key not in LIFTED}
    values |= {key: raw[key] for key in LIFTED if key in raw}
    if "alert_budget" in values:
        budget = read_share(tree, ("alert_budget",), values.pop("alert_budget"))
        problems += budget.problems
        values |= {} if budget.value is None else {"alert_budget": budget.value}
    read = validated(tree, ("learning",), LearningSettings, values)
    moved = [tree.problem(_lifted(one.path), one.message) for one in read.problems]
    return Read(read.value, problems + moved)


def _lifted(path: Path) -> Path:
    return path[1:] if len(path) > 1 and path[1] in LIFTED else path


def read_share(tree: Tree, path: Path, value: Any) -> Read[float | None]:
    """Read a share of the events: ``0.5%`` or 0.005."""
    share = value
    if isinstance(value, str) and (percent := _PERCENT.fullmatch(value)):
        share = float(percent[1]) / 100
    if isinstance(share, bool) or not isinstance(share, int | float):
        return Read(None, [tree.problem(path, f"must be a share like 0.5%, not {shown(value)}")])
    if not 0 < share <= MAX_SHARE:
        limits = f"must be more than 0% and at most {MAX_SHARE:.0%} of the events"
        return Read(None, [tree.problem(path, f"{limits}, is {shown(value)}")])
    return Read(share, [])


def read_fields(raw: Mapping[str, Any]) -> Any:
    """Write ``name: string`` out as a section, and require what nothing works without."""
    fields = raw.get("fields")
    if not isinstance(fields, dict):
        return fields
    event_id = raw.get("event_id")
    needed = [raw.get("time"), event_id.get("field") if isinstance(event_id, dict) else None]
    return {name: _field(field, name in needed) for name, field in fields.items()}


def read_source(raw: Mapping[str, Any]) -> Any:
    """Name the topic after the stream where the file names none."""
    source = raw.get("source", {})
    if isinstance(source, dict) and isinstance(raw.get("stream"), str):
        return {"topic": raw["stream"], **source}
    return source


def _field(field: Any, needed: bool) -> Any:
    section = {"type": field} if isinstance(field, str) else field
    return {**section, "required": True} if needed and isinstance(section, dict) else section
