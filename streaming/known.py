"""What labels say of past events, for the features that count it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from detectors.features.base import Truths
from triage.model import Label


def truths_of(labels: Sequence[Label]) -> Truths:
    """Return each labelled event once: by its strongest label, for what they say by weight.

    The order of the labels makes no difference.
    """
    about: dict[str, list[Label]] = defaultdict(list)
    for label in labels:
        if label.weight > 0.0:
            about[label.candidate_id].append(label)
    groups = [about[name] for name in sorted(about)]
    told = [max(label.weight for label in group) for group in groups]
    return Truths(
        entities=[group[0].entities for group in groups],
        times=[group[0].event_time for group in groups],
        told=told,
        real=[weight * _mean(group) for weight, group in zip(told, groups, strict=True)],
    )


def _mean(labels: Sequence[Label]) -> float:
    """Return what the labels of one event say together: 1 real, 0 not."""
    says = math.fsum(label.weight * label.y for label in labels)
    return min(1.0, says / math.fsum(label.weight for label in labels))
