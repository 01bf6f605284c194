"""What the scoring worker may rely on."""

from __future__ import annotations

import dataclasses
import hashlib

import pytest

from tests.support.cases import AT, STREAM, Desk, a_candidate
from triage.errors import Fenced, StateDiverged, TopicReplaced
from triage.model import Counters, JournalEntry, VerdictKind
from triage.policy import Policy
from triage.store.base import NewDeadLetter, SnapshotRow, Store


def a_snapshot(offset: int) -> SnapshotRow:
    blob = f"state at {offset}".encode()
    return SnapshotRow(offset, 0, hashlib.sha256(blob).hexdigest(), blob)


class TestOwning:
    def test_first_sight_creates_the_partition(self, store: Store) -> None:
        state = store.own(STREAM, 3, "topic-1", "v1")
        assert (state.partition, state.epoch, state.next_offset) == (3, 1, 0)
        assert state.counters == Counters()
        assert state.last_event_time is None

    def test_each_owner_has_a_larger_epoch(self, store: Store) -> None:
        epochs = [store.own(STREAM, 0, "topic-1", "v1").epoch for _ in range(3)]
        assert epochs == [1, 2, 3]

    def test_a_replaced_topic_stops(self, store: Store) -> None:
        store.own(STREAM, 0, "topic-1", "v1")
        with pytest.raises(TopicReplaced, match=r"topic-1.*topic-2.*new name"):
            store.own(STREAM, 0, "topic-2", "v1")
        assert store.own(STREAM, 0, "topic-1", "v1").epoch == 2  # the refused one took nothing

    def test_the_config_version_is_that_of_the_last_commit(self, desk: Desk) -> None:
        assert desk.store.own(STREAM, 0, "topic-1", "v2").config_version == "v1"
        desk.epochs[0] += 1
        desk.commit(desk.part(config_version="v2"))
        assert desk.store.own(STREAM, 0, "topic-1", "v3").config_version == "v2"


class TestCommit:
    def test_position_and_counters(self, desk: Desk) -> None:
        desk.commit(
            desk.part(
                next_offset=10,
                counters=Counters(accepted=7, late=1, dead_lettered=2),
                warm_up_left=5,
                last_event_time=AT,
            )
        )
        desk.commit(desk.part(next_offset=12, counters=Counters(accepted=2), last_event_time=AT))
        state = desk.store.own(STREAM, 0, "topic-1", "v1")
        assert state.next_offset == 12
        assert state.counters == Counters(accepted=9, late=1, dead_lettered=2)
        assert (state.warm_up_left, state.last_event_time) == (0, AT)

    def test_an_old_epoch_is_fenced_and_writes_nothing(self, desk: Desk) -> None:
        desk.store.own(STREAM, 0, "topic-1", "v1")
        with pytest.raises(Fenced, match="epoch 1"):
            desk.commit(desk.part(next_offset=99, candidates=[a_candidate(1)]))
        assert desk.store.own(STREAM, 0, "topic-1", "v1").next_offset == 0
        assert desk.store.candidates_after(STREAM, 0, 10) == []

    def test_one_fenced_partition_undoes_the_whole_commit(self, store: Store) -> None:
        desk = Desk(store, partitions=2)
        store.own(STREAM, 1, "topic-1", "v1")
        with pytest.raises(Fenced):
            desk.commit(
                desk.part(0, next_offset=5, candidates=[a_candidate(1)]),
                desk.part(1, next_offset=5),
            )
        assert store.own(STREAM, 0, "topic-1", "v1").next_offset == 0
        assert store.candidates_after(STREAM, 0, 10) == []

    def test_a_candidate_comes_back_as_it_was(self, desk: Desk) -> None:
        odd = a_candidate(
            1,
            entity="a\0b\ud800",
            entities={"customer": "a\0b\ud800"},
            event_id=None,
            record={"text": "\0\ud800 \u202e<b>", "n": None, "deep": [1, {"x": 1.5}]},
            margin=-0.1 + 1e-17,
        )
        desk.commit(desk.part(candidates=[odd]))
        assert desk.store.candidates_after(STREAM, 0, 10)[0].candidate == odd

    def test_the_same_candidate_again_is_no_error(self, desk: Desk) -> None:
        again = a_candidate(1)
        desk.commit(desk.part(candidates=[again, a_candidate(2)]))
        desk.commit(desk.part(candidates=[again, a_candidate(3)]))
        assert [row.candidate.offset for row in desk.store.candidates_after(STREAM, 0, 10)] == [
            1, 2, 3,
        ]  # fmt: skip

    def test_the_same_candidate_with_another_score_stops(self, desk: Desk) -> None:
        once = a_candidate(1)
        desk.commit(desk.part(candidates=[once]))
        other = dataclasses.replace(once, score=once.score + 1e-3)
        with pytest.raises(StateDiverged, match=once.candidate_id):
            desk.commit(desk.part(next_offset=7, candidates=[other]))
        assert desk.store.own(STREAM, 0, "topic-1", "v1").next_offset == 0

    def test_the_newest_three_snapshots_are_kept(self, store: Store) -> None:
        desk = Desk(store, partitions=2)
        for offset in range(5):
            desk.commit(desk.part(0, snapshot=a_snapshot(offset)))
        desk.commit(desk.part(0), desk.part(1, snapshot=a_snapshot(76)))
        desk.commit(desk.part(1, snapshot=a_snapshot(77)))
        assert store.snapshots(STREAM, 0) == [a_snapshot(4), a_snapshot(3), a_snapshot(2)]
        assert store.snapshots(STREAM, 1) == [a_snapshot(77), a_snapshot(76)]

    def test_the_journal_keeps_its_order(self, desk: Desk) -> None:
        entries = [JournalEntry(5, 1), JournalEntry(5, 2), JournalEntry(9, 4)]
        desk.commit(desk.part(journal=entries[:2]))
        desk.commit(desk.part(journal=entries[2:]))
        assert desk.store.journal(STREAM, 0, 0) == entries
        assert desk.store.journal(STREAM, 0, 6) == entries[2:]
        assert desk.store.journal(STREAM, 1, 0) == []

    def test_dead_letters_go_to_the_outbox_and_leave_it_when_published(self, desk: Desk) -> None:
        letter = NewDeadLetter("payments.dlq", None, b"\xff\0{", (("reason", b"not JSON"),))
        desk.commit(desk.part(dead_letters=[letter, letter]))
        rows = desk.store.number_outbox("payments.dlq", 10, desk.relay, AT)
        assert [(row.value, row.headers, row.sequence) for row in rows] == [
            (letter.value, letter.headers, 1),
            (letter.value, letter.headers, 2),
        ]
        desk.store.mark_published("payments.dlq", 2, desk.relay, AT)
        desk.commit(desk.part(dead_letters=[letter]))
        (third,) = desk.store.number_outbox("payments.dlq", 10, desk.relay, AT)
        assert (third.outbox_id, third.sequence) == (rows[-1].outbox_id + 1, 3)

    def test_seq_rises_without_a_gap_over_all_partitions(self, store: Store) -> None:
        desk = Desk(store, partitions=2)
        desk.add(2, partition=0)
        desk.add(2, partition=1)
        with pytest.raises(Fenced):
            desk.commit(desk.part(0, epoch=99, candidates=[a_candidate(50)]))
        desk.add(1, partition=0)
        assert [row.seq for row in store.candidates_after(STREAM, 0, 10)] == [1, 2, 3, 4, 5]
        assert [row.seq for row in store.candidates_after(STREAM, 3, 1)] == [4]

    def test_becoming_warm_is_told(self, desk: Desk) -> None:
        desk.commit(desk.part(warm_up_left=3))
        before = desk.store.status(AT).position
        desk.commit(desk.part(warm_up_left=0))
        desk.commit(desk.part(warm_up_left=0))
        assert [change.kind for change in desk.store.changes_after(before, 10)] == ["status"]


class TestRescoring:
    def test_open_candidates_are_those_that_wait_for_a_verdict(self, store: Store) -> None:
        desk = Desk(store, partitions=2)
        waiting, decided, ungrouped = desk.add(2), desk.add(2), desk.add(1)
        desk.add(1, partition=1)
        desk.group(waiting, "waiting")
        desk.decide(desk.group(decided, "decided"))
        found = store.open_candidates(STREAM, 0)
        assert [one.candidate_id for one in found] == [
            candidate.candidate_id for candidate in [*waiting, *ungrouped]
        ]
        assert found[0].vector == waiting[0].vector
        assert found[0].posterior == pytest.approx(waiting[0].posterior)

    def test_a_second_opinion_still_waits(self, desk: Desk) -> None:
        desk.decide(desk.cluster(3), VerdictKind.UNSURE)
        assert len(desk.store.open_candidates(STREAM, 0)) == 3

    def test_the_cluster_follows_its_strongest_member(self, desk: Desk) -> None:
        members = desk.add(3, margin=0.0)
        cluster_id = desk.group(members)
        moved = {members[0].candidate_id: 0.9, members[1].candidate_id: 0.2}
        desk.commit(desk.part(rescored=moved))
        row = desk.row(cluster_id)
        assert row.worth == pytest.approx(9.0)
        assert (row.posterior, str(row.suggested)) == (0.9, "real")
        desk.commit(desk.part(rescored=dict.fromkeys((m.candidate_id for m in members), 0.3)))
        row = desk.row(cluster_id)
        assert (row.posterior, str(row.suggested)) == (0.3, "spurious")
        first = desk.store.members(cluster_id, 0, 1)[0]
        assert first.posterior == 0.3
        assert first.candidate.posterior == 0.5  # written once, never changed

    def test_decided_members_are_left_alone(self, desk: Desk) -> None:
        members = desk.add(2, margin=0.0)
        cluster_id = desk.group(members)
        desk.decide(cluster_id)
        desk.commit(desk.part(rescored={members[0].candidate_id: 0.99}))
        assert desk.row(cluster_id).posterior == 0.5

    def test_learning_tells_how_many_clusters_moved(self, store: Store) -> None:
        desk = Desk(store, partitions=2)
        a, b = desk.add(2, margin=0.0), desk.add(2, margin=0.0)
        c = desk.add(1, partition=1, margin=0.0)
        desk.group([*a, *c], "a")  # spans both partitions, counts once
        desk.group(b, "b")
        desk.decide(desk.cluster(1, "taught", margin=0.0))
        position = store.label_position(STREAM)
        mark = store.status(AT).position
        up = {one.candidate_id: 0.8 for one in [*a, *c]}
        down = {one.candidate_id: 0.4 for one in b}
        here = {cid: p for cid, p in (up | down).items() if cid != c[0].candidate_id}
        there = {c[0].candidate_id: 0.8}
        desk.commit(
            desk.part(0, label_position=position, rescored=here),
            desk.part(1, label_position=position, rescored=there),
        )
        verdict = store.recent_verdicts(1)[0]
        assert (verdict.learned, verdict.rose, verdict.fell) == (True, 1, 1)
        assert (verdict.model_before, verdict.model_after) == (0, position)
        (change,) = store.changes_after(mark, 10)
        assert (change.kind, change.data["verdicts"]) == ("learned", [verdict.verdict_id])
        assert (change.data["rose"], change.data["fell"]) == (1, 1)

    def test_a_verdict_is_learned_when_every_partition_has_it(self, store: Store) -> None:
        desk = Desk(store, partitions=2)
        verdict = desk.decide(desk.cluster(1))
        position = store.label_position(STREAM)
        assert not verdict.learned
        desk.commit(desk.part(0, label_position=position))
        assert not store.recent_verdicts(1)[0].learned
        desk.commit(desk.part(1, label_position=position))
        assert store.recent_verdicts(1)[0].learned

    def test_partitions_of_a_former_topic_need_not_learn(self, store: Store) -> None:
        desk = Desk(store)
        former = dataclasses.replace(
            desk.part(), partition=1, epoch=store.own(STREAM, 1, "topic-0", "v1").epoch
        )
        desk.commit(former, at=AT - 100)
        desk.decide(desk.cluster(1))
        assert not store.recent_verdicts(1)[0].learned
        desk.commit(desk.part(label_position=store.label_position(STREAM)), at=AT + 1)
        assert store.recent_verdicts(1)[0].learned

    def test_a_move_below_a_hundredth_is_no_rise(self, desk: Desk) -> None:
        members = desk.add(1, margin=0.0)
        desk.group(members)
        desk.decide(desk.cluster(1, "taught"))
        position = desk.store.label_position(STREAM)
        desk.commit(desk.part(label_position=position, rescored={members[0].candidate_id: 0.509}))
        verdict = desk.store.recent_verdicts(1)[0]
        assert (verdict.rose, verdict.fell) == (0, 0)


def test_config_and_policy_are_the_streams(desk: Desk) -> None:
    desk.store.register_config(STREAM, "v1", "text", AT, "Card payments", Policy(guideline="A"))
    desk.store.register_config(STREAM, "v2", "text 2", AT, "Cards", Policy(guideline="B"))
    cluster_id = desk.cluster(1)
    detail = desk.store.cluster(cluster_id, 1)
    assert detail is not None
    assert detail.guideline == "B"
    assert desk.store.status(AT).streams[0].title == "Cards"
    desk.store.register_config(STREAM, "v1", "text", AT, policy=Policy(guideline="A"))
    again = desk.store.cluster(cluster_id, 1)
    assert again is not None
    assert again.guideline == "A"
    assert desk.store.status(AT).streams[0].title == STREAM
