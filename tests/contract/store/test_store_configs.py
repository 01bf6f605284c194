"""What those may rely on who compare a config with the one in force."""

from __future__ import annotations

import hashlib

import pytest

from tests.support.cases import AT, STREAM, Desk, a_candidate
from triage.drift import Drift, PartitionDrift
from triage.errors import Conflict, NotFound
from triage.model import JournalEntry
from triage.policy import Policy
from triage.rollout import Request, Stage, applied, retired, staged, stopped, went_back
from triage.store.base import RetainedState, SnapshotRow, Store
from triage.store.base_configs import NewConfig


def test_the_config_in_force_is_the_one_registered_last(store: Store) -> None:
    assert store.live_config(STREAM) is None
    store.register_config(STREAM, "v1", "one", AT)
    store.register_config(STREAM, "v2", "two", AT)
    store.register_config("other", "v3", "three", AT)
    live = store.live_config(STREAM)
    assert live is not None
    assert (live.version, live.text, live.topic_ids) == ("v2", "two", frozenset())
    store.own(STREAM, 0, "topic-1", "v2")
    store.register_config(STREAM, "v1", "one", AT)
    live = store.live_config(STREAM)
    assert live is not None
    assert (live.version, live.text, live.topic_ids) == ("v1", "one", frozenset({"topic-1"}))


def test_places_of_candidates(desk: Desk) -> None:
    candidates = [a_candidate(number) for number in (3, 7)]
    desk.commit(desk.part(candidates=tuple(candidates), next_offset=10))
    ids = [candidate.candidate_id for candidate in candidates]
    assert desk.store.places([*ids, "unknown"]) == {ids[0]: (0, 3), ids[1]: (0, 7)}
    assert desk.store.places([]) == {}


def test_the_log_of_roll_outs_is_gap_free_audited_and_says_who_and_why(store: Store) -> None:
    store.register_config(STREAM, "v1", "one", AT)
    assert [one.number for one in store.rollouts(STREAM)] == [1]
    asked = Request("eve", "fewer alerts", AT + 1)
    new = NewConfig("v2", "two", "Cards", Policy(guideline="B"))
    entry = store.roll_out(STREAM, lambda log: applied(log, STREAM, "v2", asked), new, "engineer")
    assert entry == store.in_force(STREAM) == store.rollouts(STREAM)[-1]
    assert entry is not None
    assert (entry.number, entry.kind, entry.version, entry.previous) == (2, "apply", "v2", 1)
    assert (entry.author, entry.reason, entry.at) == ("eve", "fewer alerts", AT + 1)
    with store.unit_of_work() as unit:
        assert unit.policy(STREAM).guideline == "B"
    assert store.config_text(STREAM, "v2") == "two"
    assert store.config_text(STREAM, "v3") is None
    assert store.in_force("other") is None


def test_a_retired_stream_leaves_the_board_when_nothing_of_it_waits(desk: Desk) -> None:
    store, asked = desk.store, Request("eve", "mistyped", AT)
    cluster_id = desk.cluster(1)
    store.register_config("other", "v3", "three", AT)
    store.register_config(STREAM, "v3", "three", AT)
    store.roll_out("other", lambda log: retired(log, "other", asked), None, "engineer")
    store.roll_out(STREAM, lambda log: retired(log, STREAM, asked), None, "engineer")
    assert [one.stream for one in store.status(AT).streams] == [STREAM]
    desk.decide(cluster_id)
    assert store.status(AT).streams == []
    assert set(store.streams()) == {STREAM, "other"}
    assert store.config_text("other", "v3") == "three"
    store.roll_out(STREAM, lambda log: went_back(log, STREAM, asked), None, "engineer")
    assert [one.stream for one in store.status(AT).streams] == [STREAM]


def test_a_version_that_is_tried_is_kept_and_does_not_come_into_force(store: Store) -> None:
    store.register_config(STREAM, "v1", "one", AT)
    asked = Request("eve", "", AT)
    new = NewConfig("v2", "two", "Cards", Policy())
    store.roll_out(STREAM, lambda log: staged(log, STREAM, "v2", Stage.SHADOW, asked), new)
    current = store.in_force(STREAM)
    assert current is not None
    assert (current.version, current.beside, current.stage) == ("v1", "v2", "shadow")
    live = store.live_config(STREAM)
    assert live is not None
    assert live.version == "v1"
    assert store.config_versions(STREAM) == ["v1", "v2"]
    stop = store.roll_out(STREAM, lambda log: stopped(log, 2, asked), None)
    assert stop is not None
    assert (stop.kind, stop.version, stop.beside) == ("stop", "v1", "")
    assert store.roll_out(STREAM, lambda log: stopped(log, 2, asked), None) is None


def test_a_refused_roll_out_leaves_nothing_behind(store: Store) -> None:
    store.register_config(STREAM, "v1", "one", AT)
    asked = Request("eve", "", AT)
    new = NewConfig("v1", "one", "t", Policy())
    with pytest.raises(Conflict):
        store.roll_out(STREAM, lambda log: applied(log, STREAM, "v1", asked), new)
    with pytest.raises(NotFound):
        store.roll_out("other", lambda log: went_back(log, "other", asked), None)
    assert len(store.rollouts(STREAM)) == 1
    assert store.config_versions("other") == []


def test_partitions_keep_roll_out_journal_and_retained_states(desk: Desk) -> None:
    for number in range(1, 6):
        blob = f"state {number}".encode()
        kept = RetainedState(f"s{number}", 10 * number, 0, hashlib.sha256(blob).hexdigest(), blob)
        entry = JournalEntry(10 * number, number, number, since=5, base=None if number < 3 else 3)
        row = SnapshotRow(10 * number, number, "sha", blob, number, b"beside")
        desk.commit(
            desk.part(
                next_offset=10 * number,
                rollout=number,
                journal=[entry],
                retained=kept,
                snapshot=row,
                candidates=[a_candidate(number)],
            )
        )
    assert [one.state_version for one in desk.store.retained(STREAM, 0)] == ["s5", "s4", "s3"]
    assert desk.store.retained(STREAM, 0)[0].blob == b"state 5"
    assert desk.store.retained(STREAM, 1) == []
    assert desk.store.journal(STREAM, 0, 30)[0] == JournalEntry(30, 3, 3, 5, 3)
    assert desk.store.snapshots(STREAM, 0)[0] == SnapshotRow(50, 5, "sha", b"state 5", 5, b"beside")
    assert desk.store.turned(STREAM) == [5]
    assert desk.store.own(STREAM, 0, "topic-1", "v1").rollout == 5
    assert sorted(desk.store.candidate_offsets(STREAM, 0, 3)) == [3, 4, 5]


def test_what_is_in_drift_is_what_the_last_commit_that_spoke_of_it_said(desk: Desk) -> None:
    gone = Drift("amount", "missing", "in 0% of the records, was in 100%", 5)
    new = Drift("country\0", "new", "in 100% of the records", 9)
    desk.commit(desk.part(next_offset=10, drifts=[gone, new]))
    desk.commit(desk.part(next_offset=12))
    assert [one.drift.field for one in desk.store.drifts(STREAM)] == ["amount", "country\ufffd"]
    assert desk.store.drifts(STREAM)[0] == PartitionDrift(0, gone)
    assert desk.store.drifts("other") == []
    desk.commit(desk.part(next_offset=14, drifts=[]))
    assert desk.store.drifts(STREAM) == []
