"""Writes a commented config from what a sample shows."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np

from detectors.features.registry import build, kinds
from streaming.errors import SourceInvalid
from streaming.sample.draw import Sample
from streaming.sample.profile import RHYTHM, FieldProfile, Profile, rhythm
from streaming.sample.roles import Roles

MAX_LEFT_OUT = 40  # fields whose reason is told one by one
MAX_SHOWN = 50  # characters of a name or value in a comment
MAX_RATIOS, MAX_DISTINCT = 2, 2  # windows of an entity; more of them are for people to choose
WINDOWS = (
    *(("1m", 60.0), ("10m", 600.0), ("1h", 3_600.0), ("6h", 21_600.0), ("1d", 86_400.0)),
    ("7d", 604_800.0),
)
COMMON = 0.01  # share of the events from which a value is named
RARE = 1_000  # values of an entity; of more of them, each is rare
OF_A_GAP = 1.0 / 3.0  # of the usual time between two events: several in a window are news
LONG = 40_000  # events of a partition; a shorter one has to learn faster
BUDGETS = ((3_000, "2%"), (20_000, "1%"))  # so that a few dozen candidates come of a short file
BUDGET = "0.5%"

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


@dataclass(frozen=True, slots=True)
class _Feature:
    """A feature and why it is there."""

    params: dict[str, Any]
    why: str


def draft(sample: Sample, profile: Profile, roles: Roles, name: str | None = None) -> str:
    """Return the text of a config that passes ``triage check``.

    Names and values of the sample are hostile: in the YAML they stand in quotes, in comments too.
    Raises SourceInvalid if no field can be a feature.
    """
    features = _named(list(_features(sample, profile, roles)))
    if not features:
        raise SourceInvalid(_no_feature(sample, roles))
    stream = slug(name or PurePath(sample.name.partition("?")[0]).stem)
    lines = [*_head(sample, stream), *_top(sample, profile, roles)]
    lines += ["", "# What is read of an event; other fields are ignored.", "fields:"]
    lines += [_declaration(sample, roles, profile.fields[field]) for field in roles.types]
    lines += [*_left_out(roles), "", "# What the detectors see.", "features:"]
    lines += [f"  - {flow(feature.params)}{_comment(feature.why)}" for feature in features]
    lines += ["", "detectors:", "  - {kind: isolation_forest}", "  - {kind: deviation}"]
    lines += _learning(sample, profile)
    return "\n".join(lines) + "\n"


def slug(text: str) -> str:
    """Return a short name of the text."""
    return re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-_")[:63].strip("-_") or "events"


def quoted(text: str) -> str:
    """Return the text in double quotes as YAML and a terminal take it: one line, nothing hidden."""
    return f'"{"".join(map(_escaped, text))}"'


def scalar(value: Any) -> str:
    """Return a value as YAML; a text without quotes only if nobody can take it for another."""
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return quoted(value) if isinstance(value, str) else json.dumps(value)


def flow(params: Mapping[str, Any]) -> str:
    """Return a section on one line."""
    return "{" + ", ".join(f"{key}: {scalar(value)}" for key, value in params.items()) + "}"


def about(own: FieldProfile) -> str:
    """Return what the sample says of a field: range, commonest values, gaps."""
    parts = []
    if own.kind == "time":
        parts.append(f"{_day(own.low)} to {_day(own.high)}")
    elif own.kind in {"number", "boolean"}:
        parts.append(f"{_number(own.low)} to {_number(own.high)}, half below {_number(own.middle)}")
    if own.kind == "string" or own.distinct <= 20:
        parts.append(f"{own.distinct:,} values" if own.distinct != 1 else "1 value")
    if own.kind == "string":
        common = [f"{shown(value)} {share:.0%}" for value, share in own.common if share >= COMMON]
        parts.append(f"mostly {', '.join(common)}" if common else "")
    parts.append(f"{own.missing:.1%} missing" if own.missing else "")
    return "; ".join(part for part in parts if part)


def shown(text: str) -> str:
    """Return the text in quotes, cut to a length, for comments and messages."""
    return f'"{quoted(text)[1 : MAX_SHOWN - 2]}..."' if len(text) > MAX_SHOWN else quoted(text)


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    if char.isprintable():
        return char
    return f"\\u{ord(char):04x}" if ord(char) <= 0xFFFF else f"\\U{ord(char):08x}"


def _head(sample: Sample, stream: str) -> Iterator[str]:
    count = sum(map(len, sample.stretches))
    of_all = f" of {sample.total:,}" if sample.total and sample.total > count else ""
    yield f"# Drafted from {count:,}{of_all} events of {quoted(sample.name)}."
    yield "# A beginning, made from what the values look like: strike what says nothing, and what"
    yield "# would give the answer away. docs/config.md explains every key."
    yield ""
    yield f"stream: {scalar(stream)}"
    yield f"title: {quoted(stream.replace('-', ' ').replace('_', ' ').strip().capitalize())}"
    if sample.topic is not None:
        yield f"source: {{topic: {quoted(sample.topic)}, partitions: {sample.partitions}}}"


def _top(sample: Sample, profile: Profile, roles: Roles) -> Iterator[str]:
    yield ""
    if roles.key:
        own = profile.fields[roles.key]
        why = f"whose events belong together: {own.distinct:,} values"
        yield f"key: {scalar(roles.key)}{_comment(why)}"
    else:
        yield "# key: FIELD    whose events belong together; none of the fields looked like it"
    if roles.event_id:
        yield f"event_id: {{field: {scalar(roles.event_id)}}}{_comment('no value came twice')}"
    if roles.time:
        yield f"time: {scalar(roles.time)}"
    else:
        yield "# time: FIELD   when it happened; without it, when the log took the event"


def _declaration(sample: Sample, roles: Roles, own: FieldProfile) -> str:
    kind = roles.types[own.name]
    entity = own.name in roles.entities
    options = ["entity: true"] if entity else []
    if path := sample.paths.get(own.name):
        options.append(f"path: [{', '.join(map(scalar, path))}]")
    declared = f"{{type: {kind}, {', '.join(options)}}}" if options else kind
    return f"  {scalar(own.name)}: {declared}{_comment(about(own))}"


def _left_out(roles: Roles) -> Iterator[str]:
    if not roles.left_out:
        return
    yield "  # Left out:"
    for name, why in list(roles.left_out.items())[:MAX_LEFT_OUT]:
        yield f"  #   {shown(name)}: {why}"
    if (more := len(roles.left_out) - MAX_LEFT_OUT) > 0:
        yield f"  #   and {more:,} more"


def _features(sample: Sample, profile: Profile, roles: Roles) -> Iterator[_Feature]:
    for name in roles.amounts:
        yield _Feature({"kind": "log", "field": name}, "a long tail")
    for name in roles.numbers:
        yield _Feature({"kind": "number", "field": name}, "")
    for name in roles.categories:
        distinct = profile.fields[name].distinct
        if name not in roles.entities or distinct <= RARE:
            why = f"how rare each of {distinct:,} values is"
            yield _Feature({"kind": "frequency", "field": name}, why)
    yield from _rhythm(sample, profile, roles)
    for entity in roles.entities:
        yield from _windows(sample, profile, roles, entity)


def _rhythm(sample: Sample, profile: Profile, roles: Roles) -> Iterator[_Feature]:
    if roles.time is None:
        return
    times, hour = rhythm(sample, profile.fields[roles.time].values)
    if times >= RHYTHM:
        why = f"{times:.1f} times the usual rate at {hour}:00 UTC"
        yield _Feature({"kind": "cyclic_time", "period": "hour_of_day"}, why)


def _windows(sample: Sample, profile: Profile, roles: Roles, entity: str) -> Iterator[_Feature]:
    """Yield what an entity did lately; of all but the key only how much."""
    base = {"kind": "window", "entity": entity}
    lately = "100 events"
    if roles.time:
        lately = _window(sample, profile, roles.time, entity)
        yield _Feature({**base, "aggregate": "count", "over": lately}, "the pace of each")
    if entity != roles.key:
        return
    sizes = [name for name in (*roles.amounts, *roles.numbers) if _is_size(profile.fields[name])]
    for name in sizes[:MAX_RATIOS]:
        params = {**base, "aggregate": "ratio", "field": name, "over": "100 events"}
        yield _Feature(params, "against its own usual")
    several = [
        name
        for name in roles.categories
        if name not in roles.entities and profile.fields[name].distinct > 4
    ]
    for name in [*roles.entities[1:], *several][:MAX_DISTINCT]:
        params = {**base, "aggregate": "distinct", "field": name, "over": lately}
        yield _Feature(params, "how many different ones")


def _is_size(own: FieldProfile) -> bool:
    return own.kind == "number" and own.low >= 0 and own.distinct > 20


def _window(sample: Sample, profile: Profile, time: str, entity: str) -> str:
    """Return the longest span in which a second event is unusual, by the rate within stretches.

    A burst stands out of it, and it is full soon: a long window grows for days after the start, and
    what grows looks unusual.
    """
    times = profile.fields[time].values
    spans, start = [], 0
    for stretch in sample.stretches:
        own = times[start : start + len(stretch)]
        own = own[np.isfinite(own)]
        spans.append(float(np.ptp(own)) if len(own) else 0.0)
        start += len(stretch)
    gap = sum(spans) * profile.fields[entity].distinct / max(1, profile.events)
    fitting = [text for text, size in WINDOWS if size <= OF_A_GAP * gap]
    return fitting[-1] if fitting else WINDOWS[0][0]


def _named(features: Sequence[_Feature]) -> list[_Feature]:
    """Give a name to each feature whose columns another one makes already."""
    seen: set[str] = set()
    named = []
    for feature in features:
        params, number = feature.params, 2
        while seen & set(columns := _columns(params)):
            params = {**feature.params, "name": f"{columns[0][:150]}_{number}"}
            number += 1
        seen |= set(columns)
        named.append(_Feature(params, feature.why))
    return named


def _columns(params: Mapping[str, Any]) -> Sequence[str]:
    return build(kinds()[params["kind"]].Params.model_validate(dict(params))).names


def _learning(sample: Sample, profile: Profile) -> Iterator[str]:
    total = sample.total or profile.events
    each = total // sample.partitions
    if each < LONG:
        block = 2 ** int(np.clip(math.log2(max(1, each / 40)), 6, 9))
        window = max(500, each // 4)
        yield ""
        settings = f"{{block: {block}, warm_up: {2 * block}, threshold_window: {window}}}"
        yield f"learning: {settings}{_comment('so that alerts begin soon; more is steadier')}"
    of_file = () if sample.topic is not None else BUDGETS
    budget = next((text for events, text in of_file if total < events), BUDGET)
    yield ""
    yield f"alert_budget: {budget}{_comment('at most this share of the events comes to the board')}"


def _no_feature(sample: Sample, roles: Roles) -> str:
    reasons = [f"{shown(n)} {why}" for n, why in list(roles.left_out.items())[:8]]
    return f"{sample.name}: no field can be a feature: {'; '.join(reasons) or 'there is none'}"


def _comment(text: str) -> str:
    return f"    # {text}" if text else ""


def _number(value: float) -> str:
    return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:.4g}"


def _day(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%d %H:%M")
