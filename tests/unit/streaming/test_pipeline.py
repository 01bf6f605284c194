"""Records in, candidates out: whatever the split, whatever the crash."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.base import SnapshotError
from streaming.config.load import parse
from streaming.config.model import StreamConfig
from streaming.pipeline import PartitionPipeline, sigmoid
from streaming.records import Record
from streaming.replay import from_the_beginning
from tests.support import streams
from tests.support.past import MemoryPast
from tests.support.streams import STRANGE_EVERY, as_records, event, events, small_config
from triage.model import Candidate, JournalEntry, Label

CONFIG = small_config()
LIMITED = small_config(seed="7\nalert_limit: {most: 16, per: hour}")
AGEING = small_config(learning="{block: 64, warm_up: 128, label_half_life: 90s}")
RECORDS = as_records(events(700))


def pipeline(partition: int = 0, config: StreamConfig = CONFIG) -> PartitionPipeline:
    return PartitionPipeline(config, partition, "topic-id")


def run(target: PartitionPipeline, *batches: Sequence[Record]) -> list[Candidate]:
    return [candidate for batch in batches for candidate in target.process(batch).candidates]


def label(candidate: Candidate, y: float) -> Label:
    version = candidate.features_version
    return Label(
        candidate.candidate_id,
        "v",
        y,
        1.0,
        candidate.vector,
        version,
        candidate.event_time,
        candidate.entities,
    )


def test_strange_events_become_candidates_and_none_before_the_warm_up_ends() -> None:
    target = pipeline()
    assert target.warm_up_left == CONFIG.learning.warm_up
    candidates = run(target, RECORDS)

    assert target.warm_up_left == 0
    assert min(c.offset for c in candidates) >= CONFIG.learning.warm_up
    found = {c.offset for c in candidates}
    strange = set(range(STRANGE_EVERY - 1, 700, STRANGE_EVERY))
    strange = {offset for offset in strange if offset >= CONFIG.learning.warm_up}
    assert len(found & strange) >= 0.8 * len(strange)


def test_a_candidate_has_everything_that_the_board_shows() -> None:
    candidate = max(run(pipeline(), RECORDS), key=lambda c: c.margin)

    assert candidate.stream == "tests"
    assert candidate.config_version == CONFIG.version
    assert candidate.entity == candidate.entities["card"]
    assert set(candidate.entities) == {"card", "shop"}
    assert candidate.event_id == f"e{candidate.offset}"
    assert candidate.posterior == pytest.approx(1 / (1 + np.exp(-candidate.margin)))
    assert candidate.margin >= candidate.threshold
    top = candidate.reasons[0]
    assert (top.label, top.contribution > 0) == ("amount", True)
    assert "€" in top.text
    assert "€" in top.usual
    assert top.ratio is not None
    assert top.ratio > 5
    assert candidate.method == "TreeSHAP"
    assert len(candidate.context) > 5
    assert all(e["time"] <= candidate.event_time for e in candidate.context)
    assert len(np.frombuffer(candidate.vector, "<f4")) == 3


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.integers(0, 700), max_size=6),
    st.integers(0, 6),
    st.sampled_from([CONFIG, LIMITED, AGEING]),
)
def test_any_split_and_any_crash_give_the_same_candidates_and_state(
    cuts: list[int], crash: int, config: StreamConfig
) -> None:
    whole = pipeline(0, config)
    expected = run(whole, RECORDS)

    edges = [0, *sorted(cuts), 700]
    target, got = pipeline(0, config), []
    for i, (start, stop) in enumerate(itertools.pairwise(edges)):
        if i == crash:
            restored = pipeline(0, config)
            restored.restore(target.snapshot())
            target = restored
        got += run(target, RECORDS[start:stop])

    assert got == expected
    assert target.snapshot() == whole.snapshot()


def test_a_limit_holds_candidates_back_and_counts_them() -> None:
    free = pipeline().process(RECORDS)
    held = pipeline(0, LIMITED).process(RECORDS)
    assert free.counters.held_back == 0
    assert 4 <= held.counters.candidates <= 4 + 16 * 700 / 3600
    assert held.counters.candidates + held.counters.held_back == free.counters.candidates
    assert all(one.margin >= one.threshold for one in held.candidates)
    np.testing.assert_array_equal(held.margins, free.margins)


def test_a_limit_can_come_and_go_over_a_snapshot() -> None:
    free, held = pipeline(), pipeline(0, LIMITED)
    free.process(RECORDS[:300])
    held.restore(free.snapshot())
    assert run(held, RECORDS[300:])
    free.restore(held.snapshot())


def test_bad_and_repeated_records_are_counted_and_touch_nothing() -> None:
    target, spoilt = pipeline(), []
    for record in RECORDS:
        spoilt += [record, Record("tests", 0, record.offset, None, b"rubbish"), record]
    outcome = target.process(spoilt)

    assert outcome.counters.accepted == 700
    assert outcome.counters.dead_lettered == 700
    assert outcome.counters.duplicates == 700
    assert [c.candidate_id for c in outcome.candidates] == [
        c.candidate_id for c in run(pipeline(), RECORDS)
    ]


@pytest.mark.parametrize("missing", ["id", "at"])
def test_an_event_without_its_id_or_its_time_is_bad(missing: str) -> None:
    whole = event(1, 3.0, 50.0)
    outcome = pipeline().process(as_records([{k: v for k, v in whole.items() if k != missing}]))
    (bad,) = outcome.bad
    assert (bad.code, bad.field) == ("missing_field", missing)


def test_labels_move_their_candidates_and_dropping_them_moves_them_back() -> None:
    target = pipeline()
    candidates = run(target, RECORDS)
    blobs = [c.vector for c in candidates]
    before = target.posteriors(blobs)

    target.apply_labels([label(candidates[0], 0.0)], 1)
    during = target.posteriors(blobs)
    target.apply_labels([], 2)

    assert during[0] < before[0]
    assert target.model_version == 2
    assert np.array_equal(target.posteriors(blobs), before)


@pytest.mark.parametrize("config", [CONFIG, AGEING])
def test_replaying_the_journal_gives_the_same_candidates_and_state(config: StreamConfig) -> None:
    live, got = pipeline(0, config), []
    got += run(live, RECORDS[:300])
    by_position = {3: [label(got[0], 1.0)], 5: [label(got[0], 1.0), label(got[1], 0.0)]}
    live.apply_labels(by_position[3], 3)
    got += run(live, RECORDS[300:450])
    live.apply_labels(by_position[5], 5)
    got += run(live, RECORDS[450:])

    past = MemoryPast([config], RECORDS, [JournalEntry(0, 0, 1)], by_position)
    past.entries += [JournalEntry(300, 3, 1), JournalEntry(450, 5, 1)]
    steps = list(from_the_beginning(past.past(), 700))
    assert [c for _, outcome in steps if outcome for c in outcome.candidates] == got
    assert steps[-1][0].live.snapshot() == live.snapshot()


def test_old_labels_fade_also_where_no_label_comes_and_a_restart_changes_nothing() -> None:
    faded, kept = pipeline(0, AGEING), pipeline()
    got = run(kept, RECORDS[:300])
    run(faded, RECORDS[:300])
    wrong = [label(one, 0.0) for one in got]
    shifts = []
    for stop in (400, 550, 700):
        for one in (faded, kept):
            one.apply_labels(wrong, 1)  # as at a start: in force already, so nothing is fitted
            run(one, RECORDS[stop - 100 : stop])
        blobs = [got[0].vector]
        shifts.append(faded.posteriors(blobs) - kept.posteriors(blobs))
    assert 0 < shifts[0] < shifts[1] < shifts[2]

    again = pipeline(0, AGEING)
    again.restore(faded.snapshot())
    again.apply_labels(wrong, 1)
    assert again.snapshot() == faded.snapshot()


def test_labels_make_the_record_of_their_entities_from_where_they_take_effect() -> None:
    speed, record = "{kind: number, field: speed}", "{kind: record, entity: shop, over: [1d]}"
    config = parse(streams.CONFIG.replace(speed, record), "tests.yaml")
    live, got = pipeline(config=config), []
    got += run(live, RECORDS[:400])
    told = Label("never a candidate", "", 1.0, 1.0, b"", "", got[0].event_time, {"shop": "s1"})
    live.apply_labels([told], 1)
    before = len(got)
    got += run(live, RECORDS[400:550])
    live.apply_labels([], 2)
    taken_back = len(got)
    got += run(live, RECORDS[550:])

    records = [np.frombuffer(one.vector, "<f4")[1] for one in got]
    expected = [0.5 if one.entities["shop"] == "s1" else 0.0 for one in got[before:taken_back]]
    assert 0.5 in expected
    assert records == [0.0] * before + expected + [0.0] * (len(got) - taken_back)

    again = pipeline(config=config)
    run(again, RECORDS[:400])
    again.apply_labels([told], 1)
    restored = pipeline(config=config)
    restored.restore(again.snapshot())
    assert run(restored, RECORDS[400:550]) == got[before:taken_back]


def test_a_snapshot_of_something_else_is_refused() -> None:
    blob = pipeline(0).snapshot()
    with pytest.raises(SnapshotError, match="partition"):
        pipeline(1).restore(blob)
    with pytest.raises(SnapshotError, match="is of state"):
        PartitionPipeline(small_config(seed="8"), 0, "topic-id").restore(blob)
    for damaged in (b"", blob[:-100], blob[:200] + b"x" + blob[201:]):
        with pytest.raises(SnapshotError):
            pipeline(0).restore(damaged)


def test_time_may_go_backwards() -> None:
    backwards = as_records(list(reversed(events(700))))
    assert run(pipeline(), backwards) == run(pipeline(), backwards[:100], backwards[100:])


def test_a_stream_without_key_time_and_event_id_works() -> None:
    lines = ("key:", "time:", "event_id:", "  - {kind: window")
    text = "\n".join(line for line in CONFIG.text.splitlines() if not line.startswith(lines))
    config = parse(text, "plain.yaml")
    whole = PartitionPipeline(config, 0, "t")
    split = PartitionPipeline(config, 0, "t")
    expected = run(whole, RECORDS)
    assert expected
    assert run(split, RECORDS[:333], RECORDS[333:]) == expected
    assert expected[0].entity == ""
    assert expected[0].event_time == RECORDS[expected[0].offset].timestamp_ms / 1000
    assert len(expected[0].context) == 50


def test_an_event_with_missing_values_is_scored() -> None:
    values = [*events(400), {"id": "x", "at": 1_700_001_000, "amount": 5.0}]
    assert pipeline().process(as_records(values)).counters.accepted == 401


def test_sigmoid_does_not_overflow() -> None:
    assert sigmoid(np.array([-1e9, 0.0, 1e9])).tolist() == [0.0, 0.5, 1.0]


def test_event_helper_and_config_agree() -> None:
    assert set(event(1, 1.0, 1.0)) == set(CONFIG.fields)


def test_a_candidate_tells_which_labels_had_moved_it() -> None:
    target = pipeline()
    before = run(target, RECORDS[:450])
    assert all(candidate.influences == () for candidate in before)
    target.apply_labels([label(before[0], 1.0)], 1)
    after = run(target, RECORDS[450:])
    told = [each for candidate in after for each in candidate.influences]
    assert told
    assert {(each.candidate_id, each.y) for each in told} == {(before[0].candidate_id, 1.0)}
    assert all(each.shift > 0 for each in told)


def test_a_candidate_names_its_cohorts() -> None:
    role = "  speed: number\n  role: {type: string, cohort: true}"
    config = parse(CONFIG.text.replace("  speed: number", role), "tests.yaml")
    values = [{**value, "role": f"r{i % 2}"} for i, value in enumerate(events(600))]
    found = run(pipeline(config=config), as_records(values))
    assert {one.offset: one.cohorts for one in found} == {
        one.offset: {"role": f"r{one.offset % 2}"} for one in found
    }
    assert found
    assert all("role" not in one.entities for one in found)
