"""Roll-outs of a partition: what goes on, what learns, and that going back is the identity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from streaming.config.load import parse
from streaming.config.model import StreamConfig
from streaming.past import Past
from streaming.pipeline import Outcome, PartitionPipeline
from streaming.records import Record
from streaming.replay import from_the_beginning, replay
from streaming.track import Track, in_canary
from streaming.turn import new_track, plan, take
from tests.support.past import MemoryPast
from tests.support.streams import CONFIG, as_records, events, small_config
from triage.model import Candidate, JournalEntry, Label
from triage.rollout import Rollout, RolloutKind, Stage

pytestmark = pytest.mark.slow

OLD = small_config()
OTHER_SEED = small_config(seed="8")
SMALLER = small_config(alert_budget="1%")
OTHER_COLUMNS = parse(
    CONFIG.replace("over: 1h", "over: 2h").replace("  - {kind: number, field: speed}\n", ""), "new"
)
RECORDS = as_records(events(900))


def label(candidate: Candidate, y: float, config: StreamConfig = OLD) -> Label:
    return Label(
        candidate.candidate_id,
        "v",
        y,
        1.0,
        candidate.vector,
        config.features_version(),
        candidate.event_time,
        candidate.entities,
    )


FOUND = PartitionPipeline(OLD, 0, "topic-id").process(RECORDS).candidates
LABELS = {1: [label(FOUND[0], 0.0)], 2: [label(FOUND[0], 0.0), label(FOUND[1], 1.0)]}


def chain(*versions: StreamConfig) -> list[Rollout]:
    """Return a log in which these come into force; one that was there before: by going back."""
    log: list[Rollout] = []
    for number, config in enumerate(versions, 1):
        log.append(Rollout("tests", number, RolloutKind.APPLY, config.version, previous=number - 1))
    return log


class Broken(PartitionPipeline):
    """A version whose code fails on the data."""

    def process(self, records: Sequence[Record]) -> Outcome:
        raise ZeroDivisionError("of the tried version")


class Scene:
    """A partition that takes records, labels and roll-outs in turn, and keeps its journal."""

    def __init__(self, configs: Sequence[StreamConfig], log: list[Rollout] | None = None) -> None:
        self.memory = MemoryPast(configs, RECORDS, [JournalEntry(0, 0, 1)], LABELS, log or [])
        self.past: Past = self.memory.past()
        self.track: Track = new_track(self.past, self.past.book.rollout(1))
        self.position = 0
        self.candidates: list[Candidate] = []

    def go_on(self, to: int) -> None:
        self.candidates += self.track.process(RECORDS[self.position : to]).candidates
        self.position = to

    def learn(self, labels: int) -> None:
        self.track.apply_labels(LABELS[labels], labels, self.past.book)
        number = self.track.rollout.number
        self.memory.entries.append(JournalEntry(self.position, labels, number))

    def turn(self, number: int) -> JournalEntry:
        entry = plan(self.track, self.past.book.rollout(number), self.position, self.past)
        offsets = [candidate.offset for candidate in self.candidates]
        turned = take(self.track, entry, self.past, offsets)
        if turned.retained:
            self.memory.kept.insert(0, turned.retained)
        if turned.late:
            self.candidates += turned.late.candidates
        self.memory.entries.append(entry)
        return entry

    def replayed(self) -> tuple[list[Candidate], Track]:
        """Return what comes of the journal alone."""
        self.memory.kept = []
        steps = list(from_the_beginning(self.memory.past(), self.position))
        found = [c for _, outcome in steps if outcome for c in outcome.candidates]
        return found, steps[-1][0]


def same(one: Track, other: Track) -> bool:
    return one.snapshot() == other.snapshot()


@settings(max_examples=25, deadline=None)
@given(
    applied=st.integers(0, 500),
    between=st.integers(0, 300),
    new=st.sampled_from([OTHER_SEED, SMALLER, OTHER_COLUMNS]),
    labels=st.lists(st.integers(0, 800), min_size=2, max_size=2).map(sorted),
)
def test_apply_then_back_is_the_identity_on_state(
    applied: int, between: int, new: StreamConfig, labels: list[int]
) -> None:
    """Also with events and verdicts in between: as if the change had never been."""
    plain, changed = Scene([OLD]), Scene([OLD, new], chain(OLD, new, OLD))
    turns = {applied: 2, applied + between: 3}
    steps = sorted({*labels, *turns, 900})
    assume(len({*labels, *turns}) == 4)  # which of several at one offset is first is another point
    for scene in (plain, changed):
        for position in steps:
            scene.go_on(position)
            if position in labels:
                scene.learn(labels.index(position) + 1)
            if scene is changed and position in turns:
                scene.turn(turns[position])
    assert same(plain.track, changed.track)
    places = {(c.offset, c.margin) for c in changed.candidates if c.config_version == OLD.version}
    assert places <= {(c.offset, c.margin) for c in plain.candidates}
    found, track = changed.replayed()
    assert {c.candidate_id: c.margin for c in found} == {
        c.candidate_id: c.margin for c in changed.candidates
    }
    assert same(track, changed.track)


def test_going_back_brings_up_what_the_version_in_between_missed() -> None:
    """Nothing is lost by a bad version, and nothing comes twice."""
    blind = small_config(alert_budget="0.01%", seed="8")
    plain, scene = Scene([OLD]), Scene([OLD, blind], chain(OLD, blind, OLD))
    plain.go_on(900)
    scene.go_on(500)
    scene.turn(2)
    scene.go_on(800)
    missing = {c.offset for c in plain.candidates if c.offset < 800}
    missing -= {c.offset for c in scene.candidates}
    assert missing
    entry = scene.turn(3)
    assert (entry.base, entry.since) == (500, 500)
    scene.go_on(900)
    offsets = [c.offset for c in scene.candidates]
    assert len(offsets) == len(set(offsets))
    assert {c.offset for c in plain.candidates} <= set(offsets)


def test_a_version_with_another_state_learns_from_the_log_and_alerts_at_once() -> None:
    scene = Scene([OLD, OTHER_SEED])
    scene.go_on(600)
    scene.learn(1)
    entry = scene.turn(2)
    assert (entry.since, entry.base) == (0, None)
    assert scene.track.live.warm_up_left == 0
    assert scene.track.label_position == 1


def test_what_the_log_no_longer_has_is_not_learned() -> None:
    scene = Scene([OLD, OTHER_SEED])
    scene.go_on(600)
    scene.memory.begins_at = 550
    assert scene.turn(2).since == 550
    assert scene.track.live.warm_up_left == OTHER_SEED.learning.warm_up - 50


@pytest.mark.parametrize("stage", [Stage.SHADOW, Stage.CANARY])
@pytest.mark.parametrize("new", [SMALLER, OTHER_SEED, OTHER_COLUMNS])
def test_a_tried_version_goes_live_with_what_it_has_learned(
    stage: Stage, new: StreamConfig
) -> None:
    log = chain(OLD, OLD, new)
    log[1] = Rollout("tests", 2, RolloutKind.APPLY, OLD.version, new.version, stage)
    plain, scene = Scene([OLD]), Scene([OLD, new], log)
    plain.go_on(900)
    scene.go_on(400)
    scene.turn(2)
    scene.go_on(650)
    assert scene.track.beside is not None
    tried = scene.track.beside.snapshot()
    if stage is Stage.SHADOW:
        expected = [(c.offset, c.margin) for c in plain.candidates if c.offset < 650]
        assert [(c.offset, c.margin) for c in scene.candidates] == expected
    entry = scene.turn(3)
    assert entry.since is None
    assert scene.track.live.snapshot() == tried
    scene.go_on(900)
    found, track = scene.replayed()
    assert [c.candidate_id for c in found] == [c.candidate_id for c in scene.candidates]
    assert same(track, scene.track)


def test_in_canary_each_key_has_the_candidates_of_one_version() -> None:
    new = parse(CONFIG.replace("seed: 7", "seed: 8\nrollout: {canary: 0.5}"), "new")
    log = chain(OLD, OLD)
    log[1] = Rollout("tests", 2, RolloutKind.APPLY, OLD.version, new.version, Stage.CANARY)
    scene = Scene([OLD, new], log)
    scene.go_on(300)
    scene.turn(2)
    scene.go_on(900)
    late = [c for c in scene.candidates if c.offset >= 300]
    assert {c.config_version for c in late} == {OLD.version, new.version}
    for candidate in late:
        assert (candidate.config_version == new.version) == in_canary(candidate.entity, 0.5)


def test_an_error_of_a_tried_version_does_not_reach_the_one_in_force() -> None:
    log = chain(OLD, OLD)
    log[1] = Rollout("tests", 2, RolloutKind.APPLY, OLD.version, SMALLER.version, Stage.SHADOW)
    scene = Scene([OLD, SMALLER], log)
    scene.go_on(300)
    scene.turn(2)
    scene.track.beside = None if scene.track.beside is None else Broken(SMALLER, 0, "topic-id")
    outcome, compared = scene.track.process_beside(
        RECORDS[300:400], scene.track.process_live(RECORDS[300:400])
    )
    assert len(outcome.accepted) == 100
    assert compared is not None
    assert compared.failed == "ZeroDivisionError: of the tried version"
    assert scene.track.pipelines == [scene.track.live]


def test_labels_count_by_the_columns_that_are_still_there() -> None:
    scene = Scene([OLD, OTHER_COLUMNS])
    scene.go_on(600)
    scene.turn(2)
    # log_amount is still there; the count over 2h is another column
    vectors = [np.frombuffer(candidate.vector, "<f4") for candidate in FOUND[:2]]
    blobs = [np.array([one[0], np.nan], "<f4").tobytes() for one in vectors]
    before = scene.track.live.posteriors(blobs)
    scene.learn(2)
    after = scene.track.live.posteriors(blobs)
    assert after[1] > before[1]


def test_a_replay_from_within_equals_the_whole() -> None:
    scene = Scene([OLD, OTHER_SEED], chain(OLD, OTHER_SEED, OLD))
    scene.go_on(300)
    row = scene.track.row(300)
    scene.turn(2)
    scene.go_on(500)
    scene.learn(1)
    scene.turn(3)
    scene.go_on(900)
    again = new_track(scene.past, scene.past.book.rollout(1))
    again.restore(row)
    list(replay(again, scene.past, 300, 900, scene.memory.entries[1:]))
    assert same(again, scene.track)
