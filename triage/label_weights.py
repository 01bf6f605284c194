"""What each label weighs: by who gave it, and by how much one analyst or one day may move."""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence

from triage.label_log import Entry, in_force
from triage.policy import Policy
from triage.reliability import reliabilities

DAY = 86_400.0  # seconds; a day begins at midnight UTC


def weighed(
    entries: Sequence[Entry], policy: Policy, overruled: Sequence[Entry] = ()
) -> Sequence[Entry]:
    """Return what detectors learn of a log without its retracted rows: in force, weighed, capped.

    ``overruled``: rows of verdicts that somebody else took back, see ``reliabilities``.

    A verdict's label weighs what it weighed when it was given, times its analyst's reliability.
    Then the labels of one analyst of one day are scaled down to ``policy.analyst_day_weight``
    together, and those of all analysts of one day to ``policy.day_weight``. Late truth is none of
    these. The order of the entries makes no difference but to their order.
    """
    trust = reliabilities(entries, overruled)
    kept = [
        entry if entry.source else _scaled(entry, trust[entry.actor].weight)
        for entry in in_force(entries)
    ]
    kept = _capped(kept, lambda entry: (entry.actor, entry.at // DAY), policy.analyst_day_weight)
    return _capped(kept, lambda entry: entry.at // DAY, policy.day_weight)


def _capped(
    entries: Sequence[Entry], group: Callable[[Entry], Hashable], most: float
) -> list[Entry]:
    weights: dict[Hashable, list[float]] = defaultdict(list)
    for entry in entries:
        if not entry.source:
            weights[group(entry)].append(entry.weight)
    # summed exactly: labels that were given back stand in another order
    factors = {name: min(1.0, most / (math.fsum(all_) or most)) for name, all_ in weights.items()}
    return [entry if entry.source else _scaled(entry, factors[group(entry)]) for entry in entries]


def _scaled(entry: Entry, factor: float) -> Entry:
    return entry if factor == 1.0 else dataclasses.replace(entry, weight=entry.weight * factor)
