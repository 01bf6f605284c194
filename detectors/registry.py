"""The kinds of detectors: one per file of ``detectors/online``."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from detectors import online
from detectors.base import ConfigError, Detector, Features


@dataclass(frozen=True, slots=True)
class DetectorSpec:
    """What to build: a kind with its parameters.

    Attributes:
        kind: name of a file in ``detectors/online``.
        params: of the kind's own ``Params``; None = its defaults.
        weight: its say among several.
    """

    kind: str
    params: BaseModel | None = None
    weight: float = 1.0


def kind_names() -> tuple[str, ...]:
    """Return the names of all kinds without importing one."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(online.__path__)))


@functools.cache
def kind_class(kind: str) -> type[Detector]:
    """Return the detector of a kind; imports only that one, as some take a second."""
    if kind not in kind_names():
        raise ConfigError(f"{kind!r} is no detector; there are {', '.join(kind_names())}")
    for value in vars(importlib.import_module(f"{online.__name__}.{kind}")).values():
        if (
            isinstance(value, type)
            and issubclass(value, Detector)
            and value.__dict__.get("kind") == kind
        ):
            return value
    raise ConfigError(f"detectors/online/{kind}.py holds no detector of that kind")


def kinds() -> Mapping[str, type[Detector]]:
    """Return all detectors by kind; imports every one of them."""
    return {kind: kind_class(kind) for kind in kind_names()}


def build(specs: Sequence[DetectorSpec], feature_names: Features, seed: int) -> Detector:
    """Return the detector that the specs describe: of several, the ensemble of them.

    Raises:
        ConfigError: there is no spec, or its parameters can't be built.
    """
    if not specs:
        raise ConfigError("detectors: name at least one")
    if len(specs) == 1:
        kind = kind_class(specs[0].kind)
        return kind(feature_names, specs[0].params, seed)
    ensemble = kind_class("ensemble")
    members = [
        {
            "kind": spec.kind,
            "weight": spec.weight,
            **(spec.params.model_dump(mode="json") if spec.params else {}),
        }
        for spec in specs
    ]
    return ensemble(feature_names, ensemble.Params.model_validate({"members": members}), seed)
