"""What each label weighs: by who gave it, and by how much one analyst or one day may move."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Sequence

from triage.label_log import Entry, in_force
from triage.policy import Policy
from triage.reliability import reliabilities

DAY = 86_400.0  # seconds; a day begins at midnight UTC


def weighed(
    entries: Sequence[Entry], policy: Policy, overruled: Sequence[Entry] = ()
) -> Sequence[tuple[Entry, float]]:
    """Return what detectors learn of a log without its retracted rows, each with its weight.

    ``overruled``: rows of verdicts that somebody else took back, see ``reliabilities``.

    A verdict's label weighs what it weighed when it was given, times its analyst's reliability.
    Then the labels of one analyst of one day are scaled down to ``policy.analyst_day_weight``
    together, and those of all analysts of one day to ``policy.day_weight``. Late truth is none of
    these. The order of the entries makes no difference but to their order.
    """
    trust = {name: one.weight for name, one in reliabilities(entries, overruled).items()}
    kept = in_force(entries)
    given = [entry for entry in kept if not entry.source]
    weights = [entry.weight * trust[entry.actor] for entry in given]
    days = [entry.at // DAY for entry in given]
    actors = [(entry.actor, day) for entry, day in zip(given, days, strict=True)]
    weights = _capped(weights, actors, policy.analyst_day_weight)
    weights = _capped(weights, days, policy.day_weight)
    scaled = iter(weights)
    return [(entry, entry.weight if entry.source else next(scaled)) for entry in kept]


def _capped(weights: Sequence[float], groups: Sequence[Hashable], most: float) -> list[float]:
    """Return the weights, scaled down where those of a group are more together."""
    together: dict[Hashable, list[float]] = defaultdict(list)
    for weight, group in zip(weights, groups, strict=True):
        together[group].append(weight)
    # summed exactly: labels that were given back stand in another order
    factors = {name: min(1.0, most / (math.fsum(all_) or most)) for name, all_ in together.items()}
    return [weight * factors[group] for weight, group in zip(weights, groups, strict=True)]
