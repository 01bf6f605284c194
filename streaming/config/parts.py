"""Reads the two lists whose items have a ``kind`` that decides what else they may say."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import BaseModel

from detectors.features import registry as features
from detectors.features.base import FeatureParams
from detectors.registry import DetectorSpec, kind_class, kind_names
from streaming.config.problems import hint, shown
from streaming.config.sections import Read, validated
from streaming.config.yaml_tree import Path, Problem, Tree

PlacedFeature = tuple[Path, FeatureParams]
"""A feature and where it stands in the file."""


def read_features(tree: Tree, raw: Mapping[str, Any]) -> Read[list[PlacedFeature]]:
    """Read ``features``. One without a label or unit takes those of its field."""
    items, problems = _items(tree, raw, "features", features.kinds())
    found: list[PlacedFeature] = []
    for path, item in items:
        model = features.kinds()[item["kind"]].Params
        if message := _wrong_fields(item, model):
            problems.append(tree.problem((*path, "fields"), message))
            continue
        for place, single in _one_per_field(path, item, model):
            read = validated(tree, path, model, _with_words(single, model, raw))
            problems += read.problems
            if read.value is not None:
                found.append((place, read.value))
    return Read(found, problems)


def read_detectors(tree: Tree, raw: Mapping[str, Any]) -> Read[tuple[DetectorSpec, ...]]:
    """Read ``detectors``; only the kinds that are named get imported."""
    items, problems = _items(tree, raw, "detectors", kind_names())
    found: list[DetectorSpec] = []
    for path, item in items:
        rest = {key: value for key, value in item.items() if key not in ("kind", "weight")}
        weight = item.get("weight", 1)
        if isinstance(weight, bool) or not isinstance(weight, int | float) or weight <= 0:
            message = f"must be a number above 0, is {shown(weight)}"
            problems.append(tree.problem((*path, "weight"), message))
        read = validated(tree, path, kind_class(item["kind"]).Params, rest, also=("weight",))
        problems += read.problems
        if read.value is not None:
            found.append(DetectorSpec(item["kind"], read.value, weight))
    return Read(tuple(found), problems)


def _items(
    tree: Tree, raw: Mapping[str, Any], name: str, kinds: Collection[str]
) -> tuple[list[tuple[Path, dict[str, Any]]], list[Problem]]:
    """Return the items of a known kind with their places, and what is wrong with the others."""
    items = raw.get(name, [])
    if not isinstance(items, list):
        return [], [tree.problem((name,), f"must be a list, not {shown(items)}")]
    placed: list[tuple[Path, dict[str, Any]]] = [((name, i), item) for i, item in enumerate(items)]
    wrong = {path: _kind_problem(tree, path, item, kinds) for path, item in placed}
    return [one for one in placed if not wrong[one[0]]], [one for one in wrong.values() if one]


def _kind_problem(tree: Tree, path: Path, item: Any, kinds: Collection[str]) -> Problem | None:
    if not isinstance(item, dict):
        example = f"{{kind: {next(iter(kinds))}, ...}}"
        return tree.problem(path, f"must be a section like {example}, not {shown(item)}")
    if "kind" not in item:
        return tree.problem((*path, "kind"), f"is missing; one of {', '.join(sorted(kinds))}")
    kind = item["kind"]
    if not isinstance(kind, str) or kind not in kinds:
        return tree.problem((*path, "kind"), f"{shown(kind)} is no kind{hint(kind, kinds)}")
    return None


def _one_per_field(
    path: Path, item: Mapping[str, Any], model: type[BaseModel]
) -> list[tuple[Path, Mapping[str, Any]]]:
    """Write ``fields: [a, b]`` out as one item per field."""
    names = item.get("fields")
    if not isinstance(names, list) or "field" not in model.model_fields:
        return [(path, item)]
    rest = {key: value for key, value in item.items() if key != "fields"}
    return [((*path, "fields", j), {**rest, "field": name}) for j, name in enumerate(names)]


def _wrong_fields(item: Mapping[str, Any], model: type[BaseModel]) -> str:
    """Return what is wrong with the short form of a feature that takes one field."""
    if "fields" not in item or "field" not in model.model_fields:
        return ""
    if "field" in item:
        return "stands beside `field`; keep one of the two"
    if not isinstance(item["fields"], list):
        return f"must be a list like [a, b], not {shown(item['fields'])}"
    return "" if item["fields"] else "is empty; name a field, or remove the feature"


def _with_words(
    item: Mapping[str, Any], model: type[BaseModel], raw: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Add the label and unit of the field; a count counts what the stream's events are called."""
    fields, noun = raw.get("fields"), raw.get("noun")
    field = fields.get(str(item.get("field"))) if isinstance(fields, dict) else None
    about = field if isinstance(field, dict) else {}
    aggregate = item.get("aggregate")
    words: dict[str, Any] = {}
    if "entity" not in model.model_fields:
        words["label"] = about.get("label")
    if aggregate == "count":
        words["unit"] = noun.get("many") if isinstance(noun, dict) else None
    elif aggregate not in ("distinct", "ratio"):  # a tuple: what stands there may be a list
        words["unit"] = about.get("unit")
    fitting = {
        key: value
        for key, value in words.items()
        if isinstance(value, str) and key in model.model_fields
    }
    return {**fitting, **item}
