"""The rules of a stream's config, and what each has hit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from detectors.base import Detector
from detectors.features.feature_set import FeatureSet
from detectors.online.ensemble import Ensemble
from detectors.online.rules import Rule, Rules
from streaming.advisor.keeper import AdvisorStore
from streaming.rules.mined import condition_text, live_config, snapshot_models
from triage.errors import NotAvailable


@dataclass(frozen=True, slots=True)
class DeployedRule:
    """A rule of the config in force.

    Attributes:
        words: its conditions as a person reads them.
        hits: events that met it, over all partitions, as of their newest snapshots; ``seen``: of so
            many. Both None where no snapshot of this config is there yet.
        state: ``shadow``, ``in force``, ``expired`` (in every partition) or ``not begun``.
    """

    rule: Rule
    words: tuple[str, ...]
    hits: int | None
    seen: int | None
    state: str


def deployed_rules(store: AdvisorStore, stream: str) -> Sequence[DeployedRule]:
    """Return the rules of the config in force, in its order. Raises NotFound."""
    config = live_config(store, stream)
    features = FeatureSet(config.features)
    rules = [
        rule
        for spec in config.detectors
        if isinstance(spec.params, Rules.Params)
        for rule in spec.params.rules
    ]
    if not rules:
        return []
    try:
        models = snapshot_models(store, config, features)
    except NotAvailable:
        models = {}
    running = [list(_rules(model.detector)) for model in models.values()]
    return [
        _deployed(rule, [each[place] for each in running], features)
        for place, rule in enumerate(rules)
    ]


def _deployed(
    rule: Rule,
    running: Sequence[tuple[Rules, int]],
    features: FeatureSet,
) -> DeployedRule:
    state = "shadow" if rule.shadow else "not begun"
    if not rule.shadow and running:
        alive = any(detector.seen <= rule.expires_after for detector, _ in running)
        state = "in force" if alive else "expired"
    return DeployedRule(
        rule=rule,
        words=tuple(condition_text(condition, features) for condition in rule.when),
        hits=sum(detector.hits[place] for detector, place in running) if running else None,
        seen=sum(detector.seen for detector, _ in running) if running else None,
        state=state,
    )


def _rules(detector: Detector) -> Iterable[tuple[Rules, int]]:
    """Yield each rule of a detector, as the detector that holds it and its place there."""
    members = detector.members if isinstance(detector, Ensemble) else [detector]
    for member in members:
        if isinstance(member, Rules):
            yield from ((member, place) for place in range(len(member.params.rules)))
