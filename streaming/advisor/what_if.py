"""How a member would score with other values, and the smallest change that makes it normal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from detectors.arrays import Matrix
from detectors.features.feature_set import FeatureSet
from detectors.smallest_change import Values, smallest_change, split_values, thinned
from streaming.advisor.snapshot_model import SnapshotModel, usual_units
from triage.advisor import Changed, Lever, Scored, Stop, WhatIfAnswer
from triage.errors import Invalid
from triage.model import Candidate

LEVERS = 6  # features that can be moved, the strongest
STOPS = 40  # places on a slider

Row = npt.NDArray[np.float32]


def what_if(
    model: SnapshotModel,
    features: FeatureSet,
    candidate: Candidate,
    row: Row,
    changes: Mapping[str, float] | None,
) -> WhatIfAnswer:
    """Answer for one candidate, whose features are ``row``. Raises Invalid on unknown features."""
    columns = _columns(features, candidate, row)
    values = {column: _values(model, row, column) for _, column in columns}
    margin = float(model.margins(row[np.newaxis])[0])
    then = None
    smallest: tuple[Changed, ...] | None = None
    left: Scored | None = None
    found: Row | None = None
    if changes:
        then = _scored(model, _changed(features, candidate, row, changes))
    elif margin < model.line:
        smallest = ()
    else:
        found = smallest_change(row, model.margins, model.line, values, usual_units(model.model))
        if found is not None:
            smallest, left = _told(features, candidate, row, found), _scored(model, found)
    return WhatIfAnswer(
        candidate_id=candidate.candidate_id,
        line=model.line,
        now=_scored(model, row),
        then=then,
        levers=tuple(
            _lever(
                features,
                candidate,
                row,
                name,
                np.append(
                    thinned(values[column], STOPS), row[column] if found is None else found[column]
                ),
            )
            for name, column in columns
        ),
        smallest=smallest,
        left=left,
    )


def _columns(features: FeatureSet, candidate: Candidate, row: Row) -> Sequence[tuple[str, int]]:
    """Return the strongest features towards anomaly that have one column with a value in it."""
    places = features.single_columns()
    found = [
        (reason.feature, places[reason.feature])
        for reason in sorted(candidate.reasons, key=lambda reason: -reason.contribution)
        if reason.contribution > 0 and reason.feature in places
    ]
    return [(name, column) for name, column in found if math.isfinite(row[column])][:LEVERS]


def _values(model: SnapshotModel, row: Row, column: int) -> Values:
    return split_values(model.model.trees, column, float(row[column]))


def _lever(
    features: FeatureSet, candidate: Candidate, row: Row, name: str, values: Values
) -> Lever:
    now = row[features.single_columns()[name]]
    stops = np.unique(np.append(values, now))
    reason = next(reason for reason in candidate.reasons if reason.feature == name)
    return Lever(
        feature=name,
        label=reason.label,
        contribution=reason.contribution,
        stops=tuple(
            Stop(
                float(value), reason.text if value == now else features.text_of(name, float(value))
            )
            for value in stops
        ),
        at=int(np.flatnonzero(stops == now)[0]),
    )


def _changed(
    features: FeatureSet, candidate: Candidate, row: Row, changes: Mapping[str, float]
) -> Row:
    places = features.single_columns()
    changed = row.copy()
    for name, value in changes.items():
        if name not in places:
            known = ", ".join(reason.feature for reason in candidate.reasons[:LEVERS])
            raise Invalid(f"changes: there is no feature {name!r} that can be moved; e.g. {known}")
        if not math.isfinite(value) or abs(value) > np.finfo(np.float32).max:
            raise Invalid(f"changes: {name} must be a finite number")
        changed[places[name]] = value
    return changed


def _told(features: FeatureSet, candidate: Candidate, row: Row, found: Row) -> tuple[Changed, ...]:
    names = {column: name for name, column in features.single_columns().items()}
    reasons = {reason.feature: reason for reason in candidate.reasons}
    return tuple(
        Changed(
            feature=names[column],
            label=reasons[names[column]].label,
            before=reasons[names[column]].text,
            after=features.text_of(names[column], float(found[column])),
            value=float(found[column]),
        )
        for column in np.flatnonzero((row != found) & ~np.isnan(row)).tolist()
    )


def _scored(model: SnapshotModel, row: Row) -> Scored:
    one: Matrix = row[np.newaxis]
    margin = float(model.margins(one)[0])
    return Scored(margin, 1.0 / (1.0 + math.exp(-margin)), margin >= model.line)
