"""The config of a stream as a frozen value."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field, InstanceOf

from detectors.clustering.leader import ClusteringSettings
from detectors.features.base import FeatureParams
from detectors.features.registry import fields_used, takes_truths
from detectors.learning_settings import LearningSettings
from detectors.registry import DetectorSpec
from streaming.config.fields import (
    EventId,
    FieldName,
    Noun,
    Section,
    Slug,
    Source,
    StreamField,
    Words,
)
from streaming.config.rollout import RolloutSettings
from triage.policy import Policy

SET_BY_LOAD = ("version", "text", "warnings")
"""Attributes of a config that are not keys of the file."""

CONTEXT_FIELDS = 8
"""Fields kept of each event of an entity's history, where the config does not list them."""


class StreamConfig(Section):
    """One stream: what comes in, what is unusual, how the board handles it.

    Made by ``load`` only, which also checks what concerns several keys.

    Attributes:
        version: SHA-256 of the canonical form; comments and the order of keys do not change it.
        text: the file as it was read.
        warnings: what is allowed but most likely a mistake; lines like those of ``ConfigInvalid``.
    """

    stream: Slug = Field(description="Short name of the stream; never change it.")
    title: Words | None = Field(default=None, description="Name of the stream for people.")
    noun: Noun = Field(default=Noun(), description="What an event is called on the board.")
    source: Source = Field(default=Source(), description="Where the events are in the log.")
    key: FieldName | None = Field(
        default=None,
        description="Field of the entity whose events belong together: it chooses the partition, "
        "and its last events are shown with a candidate.",
    )
    event_id: EventId | None = Field(
        default=None,
        description="How repeated events are recognised; left out, none are dropped.",
    )
    time: FieldName | None = Field(
        default=None,
        description="Field of type `time` that says when it happened; left out, the time at which "
        "the log took the event.",
    )
    fields: Mapping[FieldName, StreamField] = Field(
        min_length=1,
        max_length=500,
        description="Fields that are read: name and type, or name and a section.",
    )
    context: Annotated[tuple[FieldName, ...], Field(strict=False)] | None = Field(
        default=None,
        max_length=20,
        description="Fields that are kept of an entity's last 50 events; left out, the first "
        f"{CONTEXT_FIELDS} that features read, and those of records.",
    )
    features: tuple[InstanceOf[FeatureParams], ...] = Field(
        min_length=1,
        max_length=500,
        description="What the detectors see of an event. `fields: [a, b]` is short for one item "
        "per field.",
    )
    detectors: tuple[InstanceOf[DetectorSpec], ...] = Field(
        min_length=1,
        max_length=8,
        description="What scores the events; of several the mean of their standardised scores.",
    )
    learning: LearningSettings = Field(
        default_factory=LearningSettings,
        description="How detectors learn from events and verdicts.",
    )
    clustering: ClusteringSettings = Field(
        default_factory=lambda: ClusteringSettings.model_validate({}),
        description="Which candidates share a cluster.",
    )
    max_bad_share: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="The worker stops where a larger share of a partition's last 1,000 records "
        "can't be used; 1: never, all become dead letters.",
    )
    policy: Policy = Field(default_factory=Policy, description="How verdicts are handled.")
    rollout: RolloutSettings = Field(
        default=RolloutSettings(),
        description="What takes this version back by itself, while it is tried and for a while "
        "after it came into force.",
    )
    seed: int = Field(
        default=1, ge=0, lt=2**31, description="Seed of everything that is drawn by chance."
    )
    version: str = Field(exclude=True)
    text: str = Field(exclude=True, repr=False)
    warnings: tuple[str, ...] = Field(default=(), exclude=True)

    def features_version(self) -> str:
        """Return what tells columns of feature vectors apart: equal means equal meaning."""
        words = {"label", "unit"}  # for people only
        specs = [
            [type(spec).__qualname__, spec.model_dump(mode="json", exclude=words)]
            for spec in self.features
        ]
        return hashlib.sha256(json.dumps(specs, sort_keys=True).encode()).hexdigest()

    def state_version(self) -> str:
        """Return what tells detectors' states apart: equal means that one can go on as the other.

        It leaves out what only names, shows, groups or handles candidates, and the alert budget:
        the threshold follows from margins that are kept.
        """
        parts = {
            "fields": {
                name: [field.type, field.required, *([list(field.path)] if field.path else [])]
                for name, field in self.fields.items()
            },
            "roles": [self.key, self.time, self.event_id and self.event_id.model_dump()],
            "context": list(self.context_fields()),
            "features": self.features_version(),
            "detectors": [
                [spec.kind, spec.weight, spec.params and spec.params.model_dump(mode="json")]
                for spec in self.detectors
            ],
            "learning": self.learning.of_state(),
            "seed": self.seed,
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def learning_settings(self) -> LearningSettings:
        """Return what a ``StreamModel`` is built with."""
        return self.learning

    def name(self) -> str:
        """Return the stream's name for people."""
        return self.title or self.stream

    def entity_fields(self) -> Sequence[str]:
        """Return the fields that name entities, the key first."""
        others = sorted(name for name, field in self.fields.items() if field.entity)
        return tuple(dict.fromkeys([*([self.key] if self.key else []), *others]))

    def cohort_fields(self) -> Sequence[str]:
        """Return the fields that name cohorts."""
        return sorted(name for name, field in self.fields.items() if field.cohort)

    def context_fields(self) -> Sequence[str]:
        """Return the fields kept in an entity's history.

        Those that a record is kept of are among them, so that a missed event counts in it.
        """
        if self.context is not None:
            return self.context
        used = [name for params in self.features for name in fields_used(params).values()]
        plain = [name for name in dict.fromkeys(used) if name not in (self.key, self.time)]
        recorded = {
            name
            for params in self.features
            if takes_truths(params)
            for name in fields_used(params).values()
        }
        later = [name for name in plain[CONTEXT_FIELDS:] if name in recorded]
        return (*plain[:CONTEXT_FIELDS], *later)
