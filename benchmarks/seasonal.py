"""Ordinary events at the wrong hour: which features of time let a detector find them.

``make bench-seasonal``. A generated stream of eight weeks: 60 people in two shifts and an office,
each with hours of their own, and a load that follows the day and is lower at weekends. 0.5 % of the
events are anomalies: half are events of a person at hours at which that person never works (but
others do), half have a load that is ordinary, but not at that hour. Each block of 1,024 events is
scored by the isolation forest, then learned; average precision and AUC after the first two weeks,
five seeds. The last line is one line of JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from benchmarks.intervals import interval
from detectors.base import Vector
from detectors.features.cyclic_time import CyclicTime
from detectors.features.feature_set import FeatureSet
from detectors.features.number import Number
from detectors.features.seasonal import Seasonal
from detectors.online.isolation_forest import IsolationForest
from streaming.evaluate.measures import average_precision, roc_auc

WEEKS, WARM_WEEKS, EVENTS = 8, 2, 60_000
BLOCK = 1024
PEOPLE = 60
SHARE = 0.005
SEEDS = range(5)
START = 1_700_438_400.0  # a Monday, midnight UTC
DAY, HOUR = 86_400.0, 3_600.0
SHIFTS = ((8, 17), (6, 14), (22, 30))  # first and last hour

LOAD = {"kind": "number", "field": "load"}
PARTS: Mapping[str, Sequence[dict[str, Any]]] = {
    "no time": [LOAD],
    "cyclic_time": [
        LOAD,
        {"kind": "cyclic_time", "period": "hour_of_day"},
        {"kind": "cyclic_time", "period": "day_of_week"},
    ],
    "seasonal, everybody": [
        LOAD,
        {"kind": "seasonal"},
        {"kind": "seasonal", "field": "load"},
    ],
    "seasonal": [
        LOAD,
        {"kind": "seasonal", "entity": "person"},
        {"kind": "seasonal", "field": "load", "entity": "person"},
    ],
}


def stream(seed: int) -> tuple[dict[str, Any], Vector, npt.NDArray[np.bool_]]:
    """Return columns, times and truth, in the order of time."""
    rng = np.random.default_rng(seed)
    shift = rng.integers(0, len(SHIFTS), PEOPLE)
    person = rng.integers(0, PEOPLE, EVENTS)
    real = rng.random(EVENTS) < SHARE
    wrong_hour = real & (rng.random(EVENTS) < 0.5)
    first, last = np.array(SHIFTS, np.float64)[shift[person]].T
    hour = rng.uniform(first, last)
    length = last - first
    hour = np.where(wrong_hour, last + rng.uniform(1.0, 23.0 - length), hour)
    day = rng.integers(0, 7 * WEEKS, EVENTS)
    weekend = (day % 7 >= 5) & (rng.random(EVENTS) < 0.8)  # most stay at home then
    day = np.where(weekend, day - day % 7 + rng.integers(0, 5, EVENTS), day)
    times = START + day * DAY + hour * HOUR
    load = _load(times) + rng.normal(0.0, 4.0, EVENTS)
    other = times + rng.uniform(8.0, 16.0, EVENTS) * HOUR
    load = np.where(real & ~wrong_hour, _load(other) + rng.normal(0.0, 4.0, EVENTS), load)
    order = np.argsort(times, kind="stable")
    columns = {"person": [f"p{one}" for one in person[order].tolist()], "load": load[order]}
    return columns, times[order], real[order]


def _load(times: Vector) -> Vector:
    day = (times - START) / DAY
    busy: Vector = 100.0 + 45.0 * np.sin(2.0 * np.pi * (day - 0.25)) - 20.0 * (day % 7 >= 5)
    return busy


def scored(parts: Sequence[dict[str, Any]], seed: int) -> tuple[float, float]:
    """Return average precision and AUC."""
    columns, times, real = stream(seed)
    kinds = TypeAdapter(Number.Params | CyclicTime.Params | Seasonal.Params)
    features = FeatureSet([kinds.validate_python(part) for part in parts])
    X = features.extract(columns, times)
    detector = IsolationForest(features.names, seed=seed)
    scores = np.zeros(len(X))
    for start in range(0, len(X), BLOCK):
        rows = X[start : start + BLOCK]
        scores[start : start + BLOCK] = detector.score_many(rows)
        detector.learn_many(rows)
    judged = times >= START + 7 * WARM_WEEKS * DAY
    return (
        average_precision(scores[judged], real[judged]) or 0.0,
        roc_auc(scores[judged], real[judged]) or 0.0,
    )


def main() -> int:
    """Run everything; the last line is one line of JSON."""
    result: dict[str, Any] = {}
    for name, parts in PARTS.items():
        ap, auc = zip(*(scored(parts, seed) for seed in SEEDS), strict=True)
        result[name] = {"ap": interval(ap), "auc": interval(auc)}
        print(f"{name:20} {result[name]}", flush=True)
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
