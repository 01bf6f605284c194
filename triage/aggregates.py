"""A cluster's mean reasons, kept as sums so that new members cost nothing of the old ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from triage.model import Reason
from triage.queries import ClusterReason

SIGNATURE = 3  # features in a signature
SMALL = 0.1  # a mean below this share of the largest one doesn't belong to the signature


@dataclass(slots=True)
class FeatureSum:
    """One feature's contributions over the members."""

    label: str
    count: int = 0
    total: float = 0.0
    squares: float = 0.0
    text: str = ""
    usual: str = ""

    @property
    def mean(self) -> float:
        """Mean contribution."""
        return self.total / self.count if self.count else 0.0

    @property
    def deviation(self) -> float:
        """Standard deviation of the contributions."""
        if not self.count:
            return 0.0
        return math.sqrt(max(0.0, self.squares / self.count - self.mean**2))


@dataclass(slots=True)
class ReasonSums:
    """All features of a cluster.

    ``strongest``: score of the member whose texts are kept.
    """

    features: dict[str, FeatureSum] = field(default_factory=dict)
    strongest: float = -math.inf

    def add(self, reasons: Sequence[Reason], score: float) -> None:
        """Add one member."""
        strongest = score > self.strongest
        if strongest:
            self.strongest = score
        for reason in reasons:
            one = self.features.setdefault(reason.feature, FeatureSum(reason.label))
            one.count += 1
            one.total += reason.contribution
            one.squares += reason.contribution**2
            if strongest:
                one.label, one.text, one.usual = reason.label, reason.text, reason.usual

    def ranked(self) -> Sequence[tuple[str, FeatureSum]]:
        """Return the features, largest absolute mean first."""
        return sorted(self.features.items(), key=lambda item: (-abs(item[1].mean), item[0]))

    def top(self, count: int = 3) -> tuple[tuple[str, float], ...]:
        """Return label and mean of the strongest features."""
        return tuple((one.label, one.mean) for _, one in self.ranked()[:count])

    def signature(self) -> str:
        """Return the strongest signed features, alike for clusters that look alike."""
        return "|".join(sorted(self.signed()))

    def signed(self) -> Sequence[str]:
        """Return the strongest features with their signs, the strongest first."""
        ranked = self.ranked()[:SIGNATURE]
        floor = SMALL * abs(ranked[0][1].mean) if ranked else 0.0
        return [
            ("+" if one.mean > 0 else "-") + name for name, one in ranked if abs(one.mean) > floor
        ]

    def reasons(self) -> tuple[ClusterReason, ...]:
        """Return what the cluster's page shows; low and high are one deviation off the mean."""
        return tuple(
            ClusterReason(
                feature=name,
                label=one.label,
                mean=one.mean,
                low=one.mean - one.deviation,
                high=one.mean + one.deviation,
                text=one.text,
                usual=one.usual,
            )
            for name, one in self.ranked()
        )

    def dump(self) -> Mapping[str, Any]:
        """Return a value that JSON can hold."""
        return {
            "strongest": self.strongest if self.features else None,
            "features": {
                name: [one.label, one.count, one.total, one.squares, one.text, one.usual]
                for name, one in self.features.items()
            },
        }

    @classmethod
    def load(cls, value: Mapping[str, Any]) -> ReasonSums:
        """Return the sums of a dumped value."""
        strongest = value["strongest"]
        return cls(
            {name: FeatureSum(*parts) for name, parts in value["features"].items()},
            -math.inf if strongest is None else strongest,
        )
