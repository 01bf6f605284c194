"""From confirmed anomalies of a stream to rules that a person can review."""

from __future__ import annotations

import hashlib
import itertools
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detectors.arrays import Matrix
from detectors.base import Vector
from detectors.features.feature_set import FeatureSet
from detectors.learning.rule_mining import Box, Flags, Judged, Known, mine
from detectors.model import StreamModel
from detectors.online.rules import Condition, Rule
from streaming.advisor.keeper import AdvisorStore
from streaming.advisor.snapshot_model import restored
from streaming.carry import carried
from streaming.config.load import parse
from streaming.config.model import StreamConfig
from streaming.config_book import ConfigBook
from streaming.pipeline import vectors
from triage.errors import NotAvailable, NotFound
from triage.model import Label

CONFIRMED = 0.5  # weight from which on a label of what was read is trusted
FEWEST_EVENTS = 10_000  # until a rule expires, at least


@dataclass(frozen=True, slots=True)
class MinedRule:
    """A rule, what speaks for it, and whether that is enough.

    Attributes:
        words: its conditions as a person reads them.
        judged: see ``Judged``.
        why_not: why it is not kept; empty if it is.
    """

    rule: Rule
    words: tuple[str, ...]
    judged: Judged
    why_not: str


@dataclass(frozen=True, slots=True)
class Mining:
    """What was mined, from how much.

    Attributes:
        confirmed, dismissed: verdicts (or late truths) that said real, or not.
        ordinary: recent events below the alert line, presumed normal.
    """

    stream: str
    features_version: str
    confirmed: int
    dismissed: int
    ordinary: int
    rules: tuple[MinedRule, ...]


def mine_rules(store: AdvisorStore, stream: str, precision: float, most: int) -> Mining:
    """Return the rules that the label log of a stream gives, kept ones and refused ones.

    The same labels, snapshots and config give the same rules.

    Args:
        store: read only.
        stream: its name.
        precision: lower bound of precision that a rule needs.
        most: rules at most.

    Raises:
        NotFound: there is no such stream.
        NotAvailable: no partition has a usable snapshot.
    """
    config = live_config(store, stream)
    features = FeatureSet(config.features)
    models = snapshot_models(store, config, features)
    told = store.labels_at(stream, store.label_position(stream))
    read = [one for one in carried(told, config, ConfigBook(store, stream)) if not one.inferred]
    labels = [label for label in read if label.weight >= CONFIRMED]
    ordinary = _ordinary(models.values(), labels, len(features.names))
    known, growing = _known(labels, _sides(read), ordinary)
    expires = max(FEWEST_EVENTS, _events(store, stream))
    found = [
        _told(one, features, expires, precision)
        for one in mine(known, growing, most)
        if one.box.limited()
    ]
    return Mining(
        stream=stream,
        features_version=config.features_version(),
        confirmed=len(np.unique(known.groups[known.real])),
        dismissed=len(np.unique(known.groups[known.benign])),
        ordinary=int(np.count_nonzero(known.groups < 0)),
        rules=tuple(found),
    )


def live_config(store: AdvisorStore, stream: str) -> StreamConfig:
    """Return the config in force. Raises NotFound if the stream never ran."""
    live = store.live_config(stream)
    if live is None:
        known = ", ".join(store.streams()) or "none"
        raise NotFound(f"there is no stream {stream!r} in this store; there are: {known}")
    return parse(live.text, stream)


def snapshot_models(
    store: AdvisorStore, config: StreamConfig, features: FeatureSet
) -> Mapping[int, StreamModel]:
    """Return the model of each partition that has a usable snapshot. Raises NotAvailable."""
    found: dict[int, StreamModel] = {}
    trouble = f"{config.stream} has no snapshot yet: its detector is still warming up"
    for partition in store.snapshot_marks(config.stream):
        row = store.snapshots(config.stream, partition)[0]
        try:
            found[partition] = restored(config, partition, row, features)
        except NotAvailable as error:
            trouble = str(error)
    if not found:
        raise NotAvailable(trouble)
    return found


def _ordinary(models: Iterable[StreamModel], labels: Sequence[Label], width: int) -> Matrix:
    """Return recent events below the alert line that nobody confirmed to be anything."""
    labelled = {label.vector for label in labels}
    parts = [vectors([], width)]
    for model in models:
        rows = model.budget.rows
        below = rows[model.margins(rows) < model.threshold]
        parts.append(below[[row.astype("<f4").tobytes() not in labelled for row in below]])
    return np.concatenate(parts)


def _known(
    labels: Sequence[Label], sides: Mapping[str, bool], ordinary: Matrix
) -> tuple[Known, Flags]:
    """Return all rows, and those that rules are grown on: about half, whole verdicts."""
    groups = {name: i for i, name in enumerate(sorted({label.verdict_id for label in labels}))}
    width = ordinary.shape[1]
    real = np.array([label.y >= 0.5 for label in labels], bool)
    none = np.zeros(len(ordinary), bool)
    known = Known(
        X=np.concatenate([vectors([label.vector for label in labels], width), ordinary]),
        groups=np.concatenate(
            [
                np.array([groups[label.verdict_id] for label in labels], np.int64),
                np.full(len(ordinary), -1, np.int64),
            ]
        ),
        real=np.concatenate([real, none]),
        benign=np.concatenate([~real, none]),
    )
    growing = [sides[label.verdict_id] for label in labels]
    growing += [zlib.crc32(row.tobytes()) % 2 == 0 for row in ordinary]
    return known, np.array(growing, bool)


def _sides(labels: Sequence[Label]) -> Mapping[str, bool]:
    """Return whether rules are grown on a verdict, else judged: by turns, as the log has them.

    Those that said real take turns of their own, so that of a few neither side is left with none.
    Neither a later verdict nor what a label weighs by now changes a side; a retraction deals those
    after it anew.
    """
    sides: dict[str, bool] = {}
    turns = {True: itertools.cycle((True, False)), False: itertools.cycle((True, False))}
    for label in labels:
        if label.verdict_id not in sides:
            sides[label.verdict_id] = next(turns[label.y >= 0.5])
    return sides


def _events(store: AdvisorStore, stream: str) -> int:
    """Return how many events a partition has seen: a rule may live as long as what made it."""
    marks = store.snapshot_marks(stream).values()
    return sum(mark.next_offset for mark in marks) // max(1, len(marks))


def rule_of(box: Box, features: FeatureSet, precision: float, expires: int) -> Rule:
    """Return a box as a rule in shadow; its name follows from its limits."""
    return Rule(
        name=_name(box, features),
        when=[
            Condition(
                feature=features.names[column],
                at_least=_limit(box.low[column]),
                at_most=_limit(box.high[column]),
            )
            for column in box.limited()
        ],
        precision=max(0.001, round(precision - 0.0005, 3)),
        expires_after=expires,
        shadow=True,
    )


def _told(judged: Judged, features: FeatureSet, expires: int, needed: float) -> MinedRule:
    rule = rule_of(judged.box, features, judged.precision, expires)
    return MinedRule(
        rule=rule,
        words=tuple(condition_text(condition, features) for condition in rule.when),
        judged=judged,
        why_not=_why_not(judged, needed),
    )


def _why_not(judged: Judged, needed: float) -> str:
    if judged.contradicted:
        return f"{judged.contradicted} items inside were confirmed not to be anomalies"
    if judged.precision < needed:
        return (
            f"its precision may be as low as {judged.precision:.2f}, {needed:g} is needed: "
            f"{judged.right} confirmed clusters that were not used to mine are inside"
        )
    return ""


def condition_text(condition: Condition, features: FeatureSet) -> str:
    """Return a condition as a person reads it."""

    def text(value: float) -> str:
        if condition.feature in features.single_columns():
            return features.text_of(condition.feature, value) or f"{value:g}"
        return f"{value:g}"

    low, high = condition.at_least, condition.at_most
    label = condition.feature
    if condition.feature in features.names:
        label = features.labels[features.names.index(condition.feature)]
    if label_in := condition.feature in features.single_columns() and features.limited(
        condition.feature, low, high
    ):
        return f"{label} {label_in}"
    if low is not None and high is not None:
        return f"{label} between {text(low)} and {text(high)}"
    return (
        f"{label} at least {text(low)}"
        if low is not None
        else f"{label} at most {text(high or 0.0)}"
    )


def _limit(value: float) -> float | None:
    """Return a limit in as few digits as tell it from its neighbours, None if there is none."""
    return float(str(np.float32(value))) if np.isfinite(value) else None


def _name(box: Box, features: FeatureSet) -> str:
    names = [features.names[column] for column in box.limited()]
    words = re.sub(r"[^a-z0-9]+", "-", "-".join(names).lower()).strip("-")[:44].strip("-")
    content = ",".join(map(str, _limits(box)))
    return f"{words or 'rule'}-{hashlib.sha256(content.encode()).hexdigest()[:6]}"


def _limits(box: Box) -> Sequence[float]:
    both: Vector = np.concatenate([box.low, box.high])
    limits: list[float] = both.tolist()
    return limits
