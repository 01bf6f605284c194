"""The kinds of features: one per file of this folder."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping, Sequence

from detectors import features
from detectors.base import ConfigError
from detectors.features.base import Feature, FeatureParams, FieldType


@functools.cache
def kinds() -> Mapping[str, type[Feature]]:
    """Return the features by kind, in the order of their names."""
    found: dict[str, type[Feature]] = {}
    for module in sorted(pkgutil.iter_modules(features.__path__), key=lambda info: info.name):
        content = vars(importlib.import_module(f"{features.__name__}.{module.name}"))
        found |= {
            value.kind: value
            for value in content.values()
            if isinstance(value, type)
            and issubclass(value, Feature)
            and getattr(value, "kind", None) == module.name
        }
    return found


def build(params: FeatureParams) -> Feature:
    """Return the feature that the parameters describe."""
    for feature in kinds().values():
        if type(params) is feature.Params:
            return feature(params)
    raise ConfigError(f"no feature takes {type(params).__qualname__}")


def field_problems(params: FeatureParams, types: Mapping[str, FieldType]) -> Sequence[str]:
    """Return what is wrong with the fields that the parameters name, given the declared types.

    One line each, beginning with the parameter: ``field: feature log needs a number field,
    'country' is a string``. An undeclared field is for the caller to report: it knows the spelling
    of the declared ones.
    """
    for kind, feature in kinds().items():
        if type(params) is feature.Params:
            return [
                f"{parameter}: feature {kind} needs a {' or '.join(sorted(accepted))} field, "
                f"{getattr(params, parameter)!r} is a {types[getattr(params, parameter)]}"
                for parameter, accepted in feature.accepted(params).items()
                if types.get(getattr(params, parameter)) not in (None, *accepted)
            ]
    raise ConfigError(f"no feature takes {type(params).__qualname__}")


def fields_used(params: FeatureParams) -> Mapping[str, str]:
    """Return parameter -> field for each parameter that names a field."""
    for feature in kinds().values():
        if type(params) is feature.Params:
            named = {parameter: getattr(params, parameter) for parameter in feature.accepts}
            return {parameter: name for parameter, name in named.items() if name is not None}
    raise ConfigError(f"no feature takes {type(params).__qualname__}")


def takes_truths(params: FeatureParams) -> bool:
    """Say whether the feature counts what became of its entity's past events."""
    return any(
        feature.takes_truths for feature in kinds().values() if type(params) is feature.Params
    )
