"""A rule drawn around one cluster, and what it would hit of all that is known."""

from __future__ import annotations

import numpy as np

from detectors.arrays import Matrix
from detectors.learning.rule_mining import CONFIDENCE, Box, grown, lower_bound
from streaming.advisor.view import StreamView
from streaming.rules.export import as_yaml
from streaming.rules.mined import CONFIRMED, FEWEST_EVENTS, condition_text, rule_of
from triage.advisor import RuleDraft

MOST_ORDINARY = 4_000  # recent events that it is drawn against and tried on, of all partitions


def draft_rule(view: StreamView, stream: str, cluster_id: str, members: Matrix) -> RuleDraft | None:
    """Return a rule around the members, None if no readable box tells them from other events.

    It is drawn against half of the recent ordinary events and all that was dismissed; confirmed
    items and the other half only judge it.
    """
    ordinary = _ordinary(view)
    labels = next(iter(view.partitions.values())).model.labels
    known = labels.weight >= CONFIRMED
    dismissed = labels.X[known & (labels.y < 0.5)]
    box = grown(members, np.concatenate([ordinary[::2], dismissed]))
    if box is None or not box.limited():
        return None
    return _tried(view, stream, cluster_id, members, box, ordinary[1::2])


def _tried(
    view: StreamView, stream: str, cluster_id: str, members: Matrix, box: Box, unused: Matrix
) -> RuleDraft:
    labels = next(iter(view.partitions.values())).model.labels
    own = frozenset(
        name
        for part in view.partitions.values()
        for name, cluster in zip(part.waiting.ids, part.waiting.clusters, strict=True)
        if cluster == cluster_id
    )
    said: dict[str, bool] = {}
    for i in np.flatnonzero(box.holds(labels.X) & (labels.weight >= CONFIRMED)).tolist():
        if labels.ids[i] not in own:
            said[view.labelled.get(labels.ids[i], labels.ids[i])] = bool(labels.y[i] >= 0.5)
    confirmed = sum(said.values())
    wrong = int(np.count_nonzero(box.holds(unused)))
    precision = lower_bound(confirmed, len(said) + wrong, 1.0 - CONFIDENCE)
    hits = [
        cluster
        for part in view.partitions.values()
        for cluster, inside in zip(
            part.waiting.clusters, box.holds(part.waiting.X).tolist(), strict=True
        )
        if inside and cluster != cluster_id
    ]
    rule = rule_of(box, view.features, precision, FEWEST_EVENTS)
    words = tuple(condition_text(condition, view.features) for condition in rule.when)
    evidence = f"{confirmed} confirmed, {len(said) - confirmed} dismissed, {wrong} ordinary inside"
    return RuleDraft(
        words=words,
        config=as_yaml(stream, [(rule, words, evidence)]),
        inside=int(np.count_nonzero(box.holds(members))),
        members=len(members),
        confirmed=confirmed,
        dismissed=len(said) - confirmed,
        open_clusters=len(set(hits)),
        open_candidates=len(hits),
        wrong=wrong,
        ordinary=len(unused),
        precision=precision,
    )


def _ordinary(view: StreamView) -> Matrix:
    """Return recent events below the alert line, evenly of all partitions."""
    each = MOST_ORDINARY // max(1, len(view.partitions))
    parts = []
    for part in view.partitions.values():
        rows = part.model.model.budget.rows
        rows = rows[:: max(1, len(rows) // each)]
        parts.append(rows[part.model.margins(rows) < part.model.line])
    return np.concatenate(parts)
