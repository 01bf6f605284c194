"""Fields that change are noticed, told once, and don't flood the queue."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streaming.config.fields import StreamField
from streaming.drift import KNOWN, SAMPLE, WINDOW, DriftWatch, Seen
from streaming.pipeline import PartitionPipeline
from streaming.records import Record
from tests.support.house import House, house_in, stored_and_replayed_agree
from tests.support.streams import as_records, event, small_config
from triage.drift import SCHEMA_DRIFT, Drift
from triage.model import Candidate, VerdictKind
from triage.queries import QueueFilter

CONFIG = small_config()
SPAN = SAMPLE * WINDOW
USUAL = (KNOWN + 2) * SPAN
Change = Callable[[dict[str, object]], dict[str, object]]


def stream(change: Change, usual: int = USUAL, after: int = 4 * SPAN) -> list[dict[str, object]]:
    """Return quiet events, from ``usual`` on as ``change`` makes them."""
    rng = np.random.default_rng(3)
    amounts = np.exp(rng.normal(3.0, 0.3, usual + after)).round(2).tolist()
    speeds = rng.normal(50.0, 5.0, usual + after).round(2).tolist()
    quiet = [event(i, a, s) for i, (a, s) in enumerate(zip(amounts, speeds, strict=True))]
    return quiet[:usual] + [change(dict(one)) for one in quiet[usual:]]


def without(name: str) -> Change:
    return lambda one: {key: value for key, value in one.items() if key != name}


def put(name: str, value: Callable[[dict[str, object]], object]) -> Change:
    return lambda one: {**one, name: value(one)}


def number(one: dict[str, object]) -> float:
    return float(str(one["speed"]))


def third(one: dict[str, object]) -> object:
    return None if int(str(one["id"])[1:]) // SAMPLE % 3 == 0 else one["speed"]


def watched(records: Sequence[Record]) -> DriftWatch:
    watch = DriftWatch(CONFIG.fields)
    watch.add(records)
    return watch


@pytest.mark.parametrize(
    ("change", "field", "kind", "detail"),
    [
        (without("speed"), "speed", "missing", "in 0% of the records, was in 100%"),
        (put("speed", third), "speed", "nulls", "records, was 0%"),
        (put("speed", lambda one: str(one["speed"])), "speed", "retyped", "100% are text, was"),
        (put("speed", lambda one: 100 * number(one)), "speed", "range", "half are below 5"),
        (put("country", lambda _: "NL"), "country", "new", "no field of the config"),
    ],
)
def test_a_change_is_noticed_within_three_windows(
    change: Change, field: str, kind: str, detail: str
) -> None:
    (drift,) = watched(as_records(stream(change))).open
    assert (drift.field, drift.kind) == (field, kind)
    assert detail in drift.detail
    assert USUAL < drift.since <= USUAL + 3 * SPAN


def test_what_stays_as_it_is_drifts_never() -> None:
    assert watched(as_records(stream(lambda one: one, after=20 * SPAN))).open == ()


def test_what_always_grows_is_no_drift() -> None:
    def counted(one: dict[str, object]) -> object:
        return 1000 + int(str(one["id"])[1:])

    grows = [put("speed", counted)(one) for one in stream(lambda one: one, after=10 * SPAN)]
    assert watched(as_records(grows)).open == ()


def test_a_drift_ends_when_it_is_mended_or_has_become_usual() -> None:
    broken = stream(without("speed"), after=6 * SPAN)
    mended = as_records(broken + stream(lambda one: one, usual=0, after=3 * SPAN))
    assert watched(mended).open == ()
    assert watched(as_records(stream(without("speed"), after=60 * SPAN))).open == ()


@settings(max_examples=10, deadline=None)
@given(cuts=st.lists(st.integers(1, USUAL + 4 * SPAN), max_size=4).map(sorted), kind=st.booleans())
def test_state_and_candidates_follow_from_the_records_alone(cuts: list[int], kind: bool) -> None:
    records = ALL[kind]
    whole, split = watched(records), watched([])
    for start, stop in itertools.pairwise([0, *cuts, len(records)]):
        split.add(records[start:stop])
        again = watched([])
        again.restore(split.snapshot())
        split = again
    assert split.snapshot() == whole.snapshot()
    assert split.open == whole.open != ()


ALL = {
    False: as_records(stream(without("speed"))),
    True: as_records(stream(put("speed", lambda one: 100 * number(one)))),
}


@pytest.mark.slow
def test_hostile_records_are_no_harm() -> None:
    values: list[object] = [
        b"",
        b"[1, 2]",
        b"{" * 1000,
        b"\xff\xfe",
        {"a" * 5000: 1},
        {f"k{i}": 10**300 for i in range(3000)},
        b'{"speed": 1e999}',
        b'{"speed": 123456789012345678901234567890}',
        b'{"speed": -%b}' % (b"9" * 400),
    ]
    watch = watched(as_records(values * (2 * SPAN)))
    assert len(json.dumps(watch.snapshot().meta)) < 2_000_000


def candidates(records: Sequence[Record], step: int) -> list[Candidate]:
    pipeline = PartitionPipeline(CONFIG, 0, "topic-id")
    return [
        candidate
        for start in range(0, len(records), step)
        for candidate in pipeline.process(records[start : start + step]).candidates
    ]


def test_one_candidate_tells_of_it_and_those_that_it_explains_are_held_back() -> None:
    records = as_records(stream(without("speed")))
    found = candidates(records, 500)
    assert [c.candidate_id for c in found] == [c.candidate_id for c in candidates(records, 77)]
    (told,) = [c for c in found if c.detector == SCHEMA_DRIFT]
    assert told.reasons[0].label == "speed"
    later = [c for c in found if c.offset > told.offset]
    assert all(c.reasons[0].feature != "speed" for c in later)


@pytest.fixture
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return house_in(tmp_path_factory.mktemp("drift") / "house")


def test_two_partitions_make_one_cluster_that_suggests_a_pipeline_fault(house: House) -> None:
    worker, grouper = house.worker(), house.grouper()
    house.send(stream(without("speed"), usual=3 * USUAL, after=9 * SPAN))
    house.run(worker, steps=200)
    while grouper.step():
        pass
    drifts = house.store.drifts("tests")
    assert [(one.partition, one.drift.field) for one in drifts] == [(0, "speed"), (1, "speed")]
    assert isinstance(drifts[0].drift, Drift)
    rows = [r for r in house.store.queue(QueueFilter(), 0, 200).rows if "Data changed" in r.title]
    (row,) = rows
    assert row.title == "Data changed: speed"
    assert (row.size, row.suggested) == (2, VerdictKind.PIPELINE_FAULT)
    assert stored_and_replayed_agree(house)
    worker.close()


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from("abcd"),
            st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-1, 1) | st.text("x"),
        ),
        max_size=40,
    ),
    st.integers(0, 40),
)
def test_a_snapshot_between_any_two_records_changes_nothing(
    events: list[dict[str, object]], cut: int
) -> None:
    values = [
        Record("t", 0, SAMPLE * n, None, json.dumps(e).encode()) for n, e in enumerate(events)
    ]
    whole, first, second = DriftWatch({}), DriftWatch({}), DriftWatch({})
    whole.add(values)
    first.add(values[:cut])
    second.restore(first.snapshot())
    second.add(values[cut:])
    assert second.snapshot().meta == whole.snapshot().meta


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    odd=st.lists(st.sampled_from(["null", "text", "yes", "far", "near", "gone"]), min_size=3),
)
def test_a_field_that_is_passed_over_would_not_have_been_found(seed: int, odd: list[str]) -> None:
    """What judges all fields at once only spares the others: nothing is lost by it."""
    rng = np.random.default_rng(seed)
    records: list[Record] = []
    for _ in range(KNOWN + 8):
        part = rng.choice([0.3, 0.8])
        how = {name: odd[rng.integers(len(odd))] for name in "abc" if rng.random() < 0.25}
        values = rng.normal(size=(WINDOW, 3)).round(3).tolist()
        for row, share in zip(values, rng.random(WINDOW).tolist(), strict=True):
            one = dict(zip("abc", row, strict=True))
            for name, kind in how.items() if share < part else ():
                one[name] = {"null": None, "text": "x", "yes": True, "far": 50.0}.get(kind, 1.7)
                if kind == "gone":
                    del one[name]
            offset = SAMPLE * len(records)
            records.append(Record("t", 0, offset, None, json.dumps(one).encode()))
    declared = dict.fromkeys("abd", StreamField(type="number"))
    quick, thorough = DriftWatch(declared), Thorough(declared)
    assert quick.add(records) == thorough.add(records)
    assert quick.snapshot() == thorough.snapshot()


class Thorough(DriftWatch):
    """Judges every field."""

    def _doubtful(self, now: Seen) -> frozenset[str]:
        return frozenset({*now.rows, *(name for window in self._usual for name in window.rows)})
