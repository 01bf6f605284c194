"""Labels over a change of features: by the name and the definition of each column."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence

import numpy as np

from detectors.features.registry import build
from streaming.config.model import StreamConfig
from triage.model import Label

ColumnKeys = tuple[str, ...]
"""A key per column of a feature vector; equal keys mean equal meaning."""


def columns_of(config: StreamConfig) -> ColumnKeys:
    """Return the keys of a config's columns, in order."""
    keys: list[str] = []
    for params in config.features:
        spec = [
            type(params).__qualname__,
            params.model_dump(mode="json", exclude={"label", "unit"}),
        ]
        digest = hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()[:16]
        keys += [f"{name}:{digest}" for name in build(params).names]
    return tuple(keys)


def share(have: ColumnKeys, want: ColumnKeys) -> float:
    """Return how much of what is wanted is there."""
    return len(set(have) & set(want)) / len(want)


def vector(blob: bytes, have: ColumnKeys, want: ColumnKeys) -> bytes:
    """Return a feature vector with the columns that are wanted; what is not there is missing."""
    places = {key: i for i, key in enumerate(have)}
    values = np.append(np.frombuffer(blob, "<f4"), np.float32(np.nan))
    chosen = [places.get(key, len(have)) for key in want]
    return values[chosen].astype("<f4").tobytes()


def carried(
    labels: Sequence[Label], config: StreamConfig, known: Mapping[str, ColumnKeys]
) -> Sequence[Label]:
    """Return the labels that this config's detectors can learn from.

    Those of the same columns as they are. Of others, as far as ``known`` has their columns, those
    that share some: columns that they lack are missing values, and they weigh by the share that
    they have.
    """
    version = config.features_version()
    if all(label.features_version in ("", version) for label in labels):
        return [label for label in labels if label.features_version]
    want = columns_of(config)
    kept: list[Label] = []
    for label in labels:
        have = known.get(label.features_version, ())
        if label.features_version == version:
            kept.append(label)
        elif label.features_version and (part := share(have, want)):
            moved = vector(label.vector, have, want)
            kept.append(dataclasses.replace(label, vector=moved, weight=label.weight * part))
    return kept
