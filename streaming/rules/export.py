"""Rules as JSON, as SQL, and as the piece of config that runs them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from detectors.features.base import FeatureParams
from detectors.features.log import Log
from detectors.features.number import Number
from detectors.features.one_of import OneOf, asks_for_listed
from detectors.features.registry import build
from detectors.online.rules import Condition, Rule

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]")


Told = Sequence[tuple[Rule, Sequence[str], str]]
"""Rules, each with its conditions in words and what speaks for it."""


def as_json(stream: str, features_version: str, rules: Told) -> str:
    """Return the rules with their words. What columns mean says ``features_version``."""
    content = {
        "stream": stream,
        "features_version": features_version,
        "rules": [
            {**plain(rule), "words": list(words), **({"evidence": evidence} if evidence else {})}
            for rule, words, evidence in rules
        ],
    }
    return json.dumps(content, indent=2, ensure_ascii=False)


def plain(rule: Rule) -> Mapping[str, Any]:
    """Return a rule as JSON holds it, limits that it has not left out."""
    return rule.model_dump(mode="json", exclude_none=True)


def as_yaml(stream: str, rules: Told) -> str:
    """Return an item for ``detectors`` of the stream's config."""
    lines = [
        f"# One more item for `detectors:` of {stream}. In shadow a rule only counts its hits",
        "# (`triage rules list`); review them, then set `shadow: false`.",
        "  - kind: rules",
        "    rules:",
    ]
    for rule, words, evidence in rules:
        lines += [f"      # {_comment(' and '.join(words))}"]
        lines += [f"      # {_comment(evidence)}"] if evidence else []
        lines += [f"      - name: {rule.name}", "        when:"]
        lines += [f"          - {_flow(condition)}" for condition in rule.when]
        lines += [
            f"        precision: {rule.precision}",
            f"        expires_after: {rule.expires_after}",
            f"        shadow: {'true' if rule.shadow else 'false'}",
        ]
    return "\n".join(lines)


def as_sql(stream: str, features: Sequence[FeatureParams], rules: Told) -> str:
    """Return one SELECT per rule from a table of the stream's name.

    Conditions on numbers, logarithms and listed values are on the field itself. Other features
    (windows, shares) are columns of their own, which the table has to have; a comment says so.
    """
    columns = {name: feature for feature in features for name in build(feature).names}
    parts = []
    for rule, words, _ in rules:
        where, missing = [], []
        for condition in rule.when:
            plain_field, clause = _clause(condition, columns.get(condition.feature))
            where.append(clause)
            missing += [] if plain_field else [condition.feature]
        lines = [f"-- {rule.name}: {_comment(' and '.join(words))}"]
        lines += [f"-- worked out by the stream's features: {_comment(', '.join(missing))}"] * bool(
            missing
        )
        # Names are quoted, limits are numbers; nothing here is run.
        lines += [f"SELECT * FROM {_quoted(stream)}"]  # noqa: S608
        lines += ["WHERE " + "\n  AND ".join(where) + ";"]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _clause(condition: Condition, feature: FeatureParams | None) -> tuple[bool, str]:
    """Return whether a condition is on a field of the event, and the condition in its unit."""
    low, high, name = condition.at_least, condition.at_most, condition.feature
    if isinstance(feature, Number.Params | Log.Params):
        made, name = build(feature), feature.field
        low = None if low is None else made.natural(low)
        high = None if high is None else made.natural(high)
    if isinstance(feature, OneOf.Params):
        inside = asks_for_listed(low, high)
        if inside is not None:
            values = ", ".join("'" + value.replace("'", "''") + "'" for value in feature.values)
            return True, f"{_quoted(feature.field)} {'IN' if inside else 'NOT IN'} ({values})"
    limits = [(low, ">="), (high, "<=")]
    told = [f"{_quoted(name)} {sign} {limit!r}" for limit, sign in limits if limit is not None]
    return isinstance(feature, Number.Params | Log.Params), " AND ".join(told)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _flow(condition: Condition) -> str:
    given = condition.model_dump(mode="json", exclude_none=True)
    return "{" + ", ".join(f"{key}: {json.dumps(value)}" for key, value in given.items()) + "}"


def _comment(text: str) -> str:
    return _CONTROLS.sub(" ", text)
