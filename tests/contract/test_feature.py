"""What every kind of feature promises; a new file in the folder is picked up by itself."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.base import Snapshot, SnapshotError
from detectors.features.base import Columns, Feature, FeatureParams, FieldType, Truths
from detectors.features.registry import build, field_problems, fields_used, kinds

MAX_EVENTS = 60

Events = tuple[dict[str, Any], npt.NDArray[np.float64]]


def _examples() -> list[Any]:
    return [
        pytest.param(feature.Params.model_validate(example), id=f"{kind}-{i}")
        for kind, feature in kinds().items()
        for i, example in enumerate(_schema_examples(feature))
    ]


def _schema_examples(feature: type[Feature]) -> list[Any]:
    examples: list[Any] = feature.Params.model_json_schema()["examples"]
    return examples


every_example = pytest.mark.parametrize("params", _examples())

_VALUES: dict[FieldType, st.SearchStrategy[Any]] = {
    "number": st.floats() | st.sampled_from([0.0, 1.0, 10.0, -5.0, 1e-300, 1e300]),
    "boolean": st.sampled_from([0.0, 1.0, float("nan")]),
    "string": st.none() | st.sampled_from(["a", "b", "c", "d", "", "x" * 500]) | st.text(),
    "time": st.floats(allow_infinity=True) | st.floats(1.6e9, 1.7e9),
}


def _columns(params: FeatureParams, rows: int, draw: st.DrawFn) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    accepted = next(f for f in kinds().values() if type(params) is f.Params).accepted(params)
    for parameter, field in fields_used(params).items():
        kind: FieldType = draw(st.sampled_from(sorted(accepted[parameter])))
        values = draw(st.lists(_VALUES[kind], min_size=rows, max_size=rows))
        columns[field] = values if kind == "string" else np.array(values, np.float64)
    return columns


@st.composite
def events(draw: st.DrawFn, params: FeatureParams) -> Events:
    rows = draw(st.integers(0, MAX_EVENTS))
    steps = st.sampled_from([0.0, 1.0, 30.0, 4_000.0, 1e5, -1.0, -9_000.0])
    times = 1.7e9 + np.cumsum([draw(steps) for _ in range(rows)])
    return _columns(params, rows, draw), np.asarray(times, np.float64)


def _part(given_events: Events, part: slice) -> tuple[Columns, npt.NDArray[np.float64]]:
    columns, times = given_events
    return {name: column[part] for name, column in columns.items()}, times[part]


@every_example
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_splitting_a_batch_anywhere_changes_nothing(
    params: FeatureParams, data: st.DataObject
) -> None:
    batch = data.draw(events(params))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(batch[1])), max_size=4)))
    whole = build(params).extract(*batch)
    parts = build(params)
    bounds = [0, *cuts, len(batch[1])]
    split = [parts.extract(*_part(batch, slice(a, b))) for a, b in itertools.pairwise(bounds)]
    assert np.concatenate(split).tobytes() == whole.tobytes()


@every_example
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_snapshot_taken_anywhere_goes_on_as_if_nothing_happened(
    params: FeatureParams, data: st.DataObject
) -> None:
    batch = data.draw(events(params))
    cut = data.draw(st.integers(0, len(batch[1])))
    first = build(params)
    first.extract(*_part(batch, slice(None, cut)))
    second = build(params)
    second.extract(*_part(batch, slice(cut, None)))  # a state that has to be replaced
    second.restore(_copy(first.snapshot()))
    rest = _part(batch, slice(cut, None))
    assert second.extract(*rest).tobytes() == first.extract(*rest).tobytes()


def _copy(snapshot: Snapshot) -> Snapshot:
    return Snapshot(dict(snapshot.meta), {k: v.copy() for k, v in snapshot.arrays.items()})


@every_example
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_columns_are_finite_or_missing_and_can_be_shown(
    params: FeatureParams, data: st.DataObject
) -> None:
    batch = data.draw(events(params))
    feature = build(params)
    before = {name: np.array(column, copy=True) for name, column in batch[0].items()}
    X = feature.extract(*batch)
    assert X.shape == (len(batch[1]), len(feature.names))
    assert X.dtype == np.float32
    assert not np.isinf(X).any()
    for name, column in batch[0].items():
        np.testing.assert_array_equal(before[name], column)
    for i, row in enumerate(X.tolist()):
        fields = {name: column[i] for name, column in batch[0].items()}
        assert feature.show(row, fields)
        assert "inf" not in feature.show(row, {})
        assert isinstance(feature.usual(row, row), str)


def _known(params: FeatureParams, data: st.DataObject) -> Truths:
    """Return truths about what the feature keeps apart."""
    names = data.draw(st.lists(st.sampled_from(["a", "b", "", "x" * 500]), max_size=20))
    times = [1.7e9 + data.draw(st.sampled_from([-9_000.0, 0.0, 4_000.0])) for _ in names]
    real = [data.draw(st.sampled_from([0.0, 0.5, 1.0])) for _ in names]
    field = getattr(params, "entity", "")
    return Truths([{field: name} for name in names], times, real, [1.0] * len(names))


@every_example
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_truths_count_from_where_they_are_set_and_survive_a_snapshot(
    params: FeatureParams, data: st.DataObject
) -> None:
    feature, other = build(params), build(params)
    if not feature.takes_truths:
        return
    batch = data.draw(events(params))
    cut = data.draw(st.integers(0, len(batch[1])))
    before, after = _part(batch, slice(None, cut)), _part(batch, slice(cut, None))
    known = _known(params, data)
    blind = build(params).extract(*before)
    assert feature.extract(*before).tobytes() == blind.tobytes()
    feature.set_truths(known)
    other.restore(_copy(feature.snapshot()))
    X = feature.extract(*after)
    assert np.isnan(X[~np.isfinite(X)]).all()
    assert other.extract(*after).tobytes() == X.tobytes()


@every_example
def test_no_events_give_no_rows(params: FeatureParams) -> None:
    columns = {field: np.empty(0) for field in fields_used(params).values()}
    feature = build(params)
    assert feature.extract(columns, np.empty(0)).shape == (0, len(feature.names))


@every_example
def test_a_snapshot_of_another_kind_is_refused(params: FeatureParams) -> None:
    with pytest.raises(SnapshotError):
        build(params).restore(Snapshot({"what": 1}, {"x": np.zeros(3)}))


@every_example
def test_fields_of_accepted_types_only_pass_the_check(params: FeatureParams) -> None:
    feature = next(f for f in kinds().values() if type(params) is f.Params)
    every: tuple[FieldType, ...] = ("number", "boolean", "string", "time")
    for parameter, field in fields_used(params).items():
        accepted = feature.accepted(params)[parameter]
        for kind in every:
            problems = field_problems(params, {field: kind})
            assert bool(problems) == (kind not in accepted)
            assert all(p.startswith(f"{parameter}: ") and kind in p for p in problems)


def test_every_file_of_a_kind_has_examples() -> None:
    assert {"number", "log", "frequency", "cyclic_time", "window", "record", "seasonal"} <= set(
        kinds()
    )
    for kind, feature in kinds().items():
        assert _schema_examples(feature), kind
