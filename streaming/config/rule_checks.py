"""Rules of a config against the columns that its features make."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from detectors.features.registry import build as build_feature
from detectors.online.rules import Rules
from detectors.registry import DetectorSpec
from streaming.config.parts import PlacedFeature
from streaming.config.problems import hint
from streaming.config.yaml_tree import Problem, Tree


def rule_problems(
    tree: Tree, features: Sequence[PlacedFeature], detectors: Sequence[DetectorSpec]
) -> Iterator[Problem]:
    """Yield conditions on columns that no feature makes: such a rule would never hit."""
    columns = [name for _, params in features for name in build_feature(params).names]
    for i, spec in enumerate(detectors):
        rules = spec.params.rules if isinstance(spec.params, Rules.Params) else []
        for j, rule in enumerate(rules):
            for k, condition in enumerate(rule.when):
                if condition.feature not in columns:
                    path = ("detectors", i, "rules", j, "when", k, "feature")
                    message = f'"{condition.feature}" is no column of a feature'
                    yield tree.problem(path, message + hint(condition.feature, columns))
