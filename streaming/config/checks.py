"""What concerns several keys of a config at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from detectors.base import ConfigError
from detectors.features.registry import build as build_feature
from detectors.features.registry import field_problems, fields_used, takes_truths
from detectors.registry import DetectorSpec
from detectors.registry import build as build_detector
from streaming.config.fields import FieldType
from streaming.config.parts import PlacedFeature
from streaming.config.problems import hint
from streaming.config.rule_checks import rule_problems
from streaming.config.yaml_tree import Path, Problem, Tree
from triage.links import BUILT_IN, placeholders

MIN_WARM_UP = 64
"""Events below which the spread of the scores isn't known well enough to alert."""

_ANSWER = re.compile(
    r"(?:(?:is_?)?(?:label|labels|fraud|anomaly|attack|target|verdict)(?:_.*)?|leak_.*)",
    re.IGNORECASE,
)


def problems_of(
    tree: Tree,
    raw: Mapping[str, Any],
    features: Sequence[PlacedFeature],
    detectors: Sequence[DetectorSpec],
) -> Iterator[Problem]:
    """Yield what does not fit together."""
    types = _declared_types(raw.get("fields"))
    yield from _places(tree, raw.get("fields"))
    yield from _named_fields(tree, raw, types)
    yield from _feature_fields(tree, features, types)
    yield from _entities(tree, raw, features)
    yield from _shown_fields(tree, raw, features, types)
    yield from _same_columns(tree, features)
    yield from _warm_up(tree, raw)
    yield from _unbuildable(tree, detectors)
    yield from rule_problems(tree, features, detectors)


def warnings_of(
    tree: Tree, raw: Mapping[str, Any], features: Sequence[PlacedFeature]
) -> Iterator[Problem]:
    """Yield what is allowed but most likely a mistake."""
    for path, params in features:
        for name in fields_used(params).values():
            if looks_like_the_answer(name):
                yield tree.problem(path, f'"{name}" looks like the answer, not like an observation')
        over = getattr(params, "over", None) or ()
        for span in (over,) if isinstance(over, str) else over:
            if span.endswith("events") or "time" in raw:
                continue
            message = f'"{span}" counts the time of arrival: the stream declares no `time`'
            yield tree.problem((*path, "over"), message)


def looks_like_the_answer(name: str) -> bool:
    """Return whether a field's name is one that labels have."""
    return bool(_ANSWER.fullmatch(name))


def _declared_types(fields: Any) -> dict[str, Any]:
    """Return field -> type of what stands under ``fields``; None where that is no type."""
    if not isinstance(fields, dict):
        return {}
    types = {
        name: one.get("type") if isinstance(one, dict) else one for name, one in fields.items()
    }
    return {name: one if one in get_args(FieldType) else None for name, one in types.items()}


def _places(tree: Tree, fields: Any) -> Iterator[Problem]:
    """Yield fields that are read from where another one is, or from within it."""
    known: dict[tuple[str, ...], str] = {}
    for name, one in fields.items() if isinstance(fields, dict) else ():
        given = one.get("path") if isinstance(one, dict) else None
        if given is not None and not _is_path(given):
            continue
        place = tuple(given or (name,))
        for other, taken in known.items():
            short = min(len(place), len(other))
            if place[:short] != other[:short]:
                continue
            what = "is read as" if len(place) == len(other) else "lies within, or around,"
            message = f'{list(place)} {what} the field "{taken}": an event has one value there'
            yield tree.problem(("fields", name, *(["path"] if given else [])), message)
            break
        known[place] = name


def _is_path(given: Any) -> bool:
    return isinstance(given, list) and all(isinstance(key, str) for key in given) and bool(given)


def _named_fields(
    tree: Tree, raw: Mapping[str, Any], types: Mapping[str, Any]
) -> Iterator[Problem]:
    """Yield problems of the keys at the top that name a field."""
    event_id, context = raw.get("event_id"), raw.get("context")
    named: list[tuple[Path, Any, tuple[str, ...]]] = [
        (("key",), raw.get("key"), ("string", "number")),
        (("time",), raw.get("time"), ("time",)),
    ]
    if isinstance(event_id, dict):
        named.append((("event_id", "field"), event_id.get("field"), ("string",)))
    if isinstance(context, list):
        named += [(("context", i), name, ()) for i, name in enumerate(context)]
    for path, name, fitting in named:
        if not isinstance(name, str):
            continue
        if name not in types:
            yield tree.problem(path, _undeclared(name, types))
        elif fitting and types[name] not in (None, *fitting):
            needed = " or ".join(fitting)
            message = f'needs a {needed} field, "{name}" is declared {types[name]}'
            if fitting == ("string",) and types[name] == "number":
                message += (
                    "; declare it as string, which also reads whole numbers and loses no digit"
                )
            yield tree.problem(path, message)


def _feature_fields(
    tree: Tree, features: Sequence[PlacedFeature], types: Mapping[str, Any]
) -> Iterator[Problem]:
    for path, params in features:
        undeclared = {key: name for key, name in fields_used(params).items() if name not in types}
        for key, name in undeclared.items():
            yield tree.problem(_at(path, key), _undeclared(name, types))
        if not undeclared:
            for line in field_problems(params, types):
                key, _, message = line.partition(": ")
                yield tree.problem(_at(path, key), message)


def _entities(
    tree: Tree, raw: Mapping[str, Any], features: Sequence[PlacedFeature]
) -> Iterator[Problem]:
    """Yield features that count what became of events of something that is no entity."""
    fields = raw.get("fields")
    if not isinstance(fields, dict):
        return
    entities = [
        name
        for name, one in fields.items()
        if name == raw.get("key") or (isinstance(one, dict) and one.get("entity") is True)
    ]
    for path, params in features:
        name = getattr(params, "entity", None)
        if takes_truths(params) and name in fields and name not in entities:
            message = f'"{name}" is no entity: declare it with `entity: true`, so that verdicts '
            yield tree.problem((*path, "entity"), f"{message}and late truth are noted under it")


def _shown_fields(
    tree: Tree, raw: Mapping[str, Any], features: Sequence[PlacedFeature], types: Mapping[str, Any]
) -> Iterator[Problem]:
    """Yield fields that can't be masked, and links that name no field or a masked one."""
    policy, fields = raw.get("policy"), raw.get("fields")
    if not isinstance(policy, dict) or not isinstance(fields, dict):
        return
    masked = policy.get("masked")
    masked = masked if isinstance(masked, list) else []
    read = {name for _, params in features for name in fields_used(params).values()}
    for i, name in enumerate(masked):
        path = ("policy", "masked", i)
        one = fields.get(name) if isinstance(name, str) else None
        if isinstance(name, str) and name not in types:
            yield tree.problem(path, _undeclared(name, types))
        elif name in read:
            message = f'"{name}" is read by a feature, so its value is shown as a reason: '
            yield tree.problem(path, f"{message}leave the feature out or the mask")
        elif name == raw.get("key") or (isinstance(one, dict) and one.get("entity") is True):
            message = f'"{name}" is an entity, so it is in titles and links: '
            yield tree.problem(path, f"{message}hash it before it comes here")
        elif isinstance(one, dict) and one.get("cohort") is True:
            message = f'"{name}" is a cohort, which the queue is narrowed to by its values: '
            yield tree.problem(path, f"{message}leave the cohort out or the mask")
    links = policy.get("links")
    for i, link in enumerate(links if isinstance(links, list) else []):
        url = link.get("url") if isinstance(link, dict) else None
        yield from _link(tree, ("policy", "links", i, "url"), url, types, masked)


def _link(
    tree: Tree, path: Path, url: Any, types: Mapping[str, Any], masked: Sequence[Any]
) -> Iterator[Problem]:
    try:
        names = sorted(set(placeholders(url))) if isinstance(url, str) else []
    except ValueError:
        return  # said already: the template itself is wrong
    for name in names:
        if name not in types and name not in BUILT_IN:
            yield tree.problem(path, _undeclared(name, types))
        elif name in masked:
            yield tree.problem(path, f'"{name}" is masked: a link would show it')


def _at(path: Path, key: str) -> Path:
    """Return where a parameter stands: one of ``fields`` is its feature's ``field``."""
    return path if key == "field" and "fields" in path else (*path, key)


def _same_columns(tree: Tree, features: Sequence[PlacedFeature]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for path, params in features:
        for name in build_feature(params).names:
            if name in first:
                message = f'makes the column "{name}" that line {first[name]} makes; add a `name`'
                yield tree.problem(path, message)
            first.setdefault(name, tree.line(path))


def _unbuildable(tree: Tree, detectors: Sequence[DetectorSpec]) -> Iterator[Problem]:
    """Yield detectors whose parameters are of the right form and yet make no detector."""
    for i, spec in enumerate(detectors):
        try:
            build_detector([spec], ["feature"], seed=0)
        except ConfigError as error:
            yield tree.problem(("detectors", i), str(error))


def _warm_up(tree: Tree, raw: Mapping[str, Any]) -> Iterator[Problem]:
    learning = raw.get("learning")
    warm_up = learning.get("warm_up") if isinstance(learning, dict) else None
    if isinstance(warm_up, int) and 1 <= warm_up < MIN_WARM_UP:
        yield tree.problem(("learning", "warm_up"), f"must be at least {MIN_WARM_UP}, is {warm_up}")


def _undeclared(name: str, types: Mapping[str, Any]) -> str:
    return f'"{name}" is not declared under fields{hint(name, types, "declared")}'
