"""What the pages of detectors and metrics read."""

from __future__ import annotations

from tests.support.cases import ANNA, AT, BEN, STREAM, VIEWER, Desk
from triage.commands import AssignCluster, MergeClusters, SplitCluster
from triage.looks import (
    discovery,
    intervened,
    interventions,
    overrides,
    precision,
    time_to_first_touch,
    time_to_verdict,
)
from triage.model import VerdictKind


def test_looks_are_standing_verdicts_in_the_order_given(desk: Desk) -> None:
    names = ("real", "spurious", "unsure", "undone", "fault")
    clusters = {name: desk.cluster(1, name) for name in names}
    desk.decide(clusters["spurious"], VerdictKind.SPURIOUS, at=AT + 10)
    desk.decide(clusters["real"], VerdictKind.REAL, at=AT + 30)
    desk.decide(clusters["unsure"], VerdictKind.UNSURE, at=AT + 40)
    desk.undo(desk.decide(clusters["undone"], VerdictKind.REAL, at=AT + 50).verdict_id, at=AT + 51)
    desk.decide(clusters["fault"], VerdictKind.PIPELINE_FAULT, at=AT + 60)
    found = desk.store.looks(STREAM, 50)
    assert [look.cluster_id for look in found] == [
        clusters[name] for name in ("spurious", "real", "fault")
    ]
    assert [(look.at - look.since) for look in found] == [10, 30, 60]
    assert desk.store.looks(None, 50) == found
    assert desk.store.looks(None, 1) == found[-1:]
    assert desk.store.looks("other", 50) == []
    assert discovery(found) == [0, 1, 1]
    assert (precision(found).hits, precision(found).n) == (1, 2)
    waited = time_to_verdict(found)
    assert waited is not None
    assert (waited.n, waited.value) == (3, 30.0)


def test_a_look_knows_what_the_board_suggested_then(desk: Desk) -> None:
    likely, unlikely, even = (
        desk.cluster(1, str(margin), margin=margin) for margin in (4.0, -4.0, 0.0)
    )
    desk.decide(likely, VerdictKind.EXPECTED)
    desk.decide(unlikely, VerdictKind.SPURIOUS)
    desk.decide(even, VerdictKind.REAL)
    member = desk.first(unlikely)[0]
    desk.commit(desk.part(rescored={member: 0.99}))  # what it says later changes nothing
    looks = desk.store.looks(STREAM, 50)
    real, spurious, unsure = VerdictKind.REAL, VerdictKind.SPURIOUS, VerdictKind.UNSURE
    assert [look.suggested for look in looks] == [real, spurious, unsure]
    found = overrides(looks)
    assert (found.hits, found.n) == (1, 2)


def test_a_look_knows_who_had_the_cluster_in_hand_first(desk: Desk) -> None:
    names = ("seen", "taken", "decided")
    seen, taken, decided = (desk.cluster(1, name) for name in names)
    desk.triage.look_at(seen, VIEWER, AT + 2)  # who may not decide does not touch
    desk.triage.look_at(seen, ANNA, AT + 5)
    desk.triage.look_at(seen, BEN, AT + 6)
    desk.triage.look_at("nowhere", ANNA, AT + 7)
    desk.triage.look_at(None, ANNA, AT + 8)
    desk.triage.assign(AssignCluster(taken, "anna"), ANNA, AT + 10)
    desk.triage.look_at(taken, ANNA, AT + 11)
    for cluster, at in ((seen, AT + 20), (taken, AT + 30), (decided, AT + 40)):
        desk.decide(cluster, VerdictKind.REAL, at=at)
    assert [look.touched for look in desk.store.looks(STREAM, 9)] == [AT + 5, AT + 10, AT + 40]
    waited = time_to_first_touch(desk.store.looks(STREAM, 9))
    assert waited is not None
    assert (waited.n, waited.value) == (3, 10.0)


def test_a_look_knows_what_was_changed_by_hand(desk: Desk) -> None:
    real, spurious = VerdictKind.REAL, VerdictKind.SPURIOUS
    names = ("as suggested", "otherwise", "undone", "split", "into", "merged")
    as_suggested, otherwise, undone, split, into, merged = (
        desk.cluster(2, name, margin=4.0) for name in names
    )
    leaving = SplitCluster(split, desk.row(split).revision, desk.first(split), "s")
    desk.triage.regroup(leaving, ANNA, AT)
    merge = MergeClusters(merged, desk.row(merged).revision, into, desk.row(into).revision, "m")
    desk.triage.regroup(merge, ANNA, AT)
    desk.undo(desk.decide(undone, spurious).verdict_id)
    desk.decide(otherwise, spurious)
    for cluster in (as_suggested, undone, split, into):
        desk.decide(cluster, real)
    looks = desk.store.looks(STREAM, 9)
    assert {look.cluster_id: (look.regrouped, look.retaken) for look in looks} == {
        as_suggested: (False, False),
        otherwise: (False, False),
        undone: (False, True),
        split: (True, False),
        into: (True, False),
    }
    assert [look.cluster_id for look in looks if not intervened(look)] == [as_suggested]
    found = interventions(looks)
    assert (found.hits, found.n) == (4, 5)


def test_a_look_knows_the_score_before_any_label(desk: Desk) -> None:
    cluster = desk.cluster(3, margin=1.0)
    desk.commit(desk.part(rescored={desk.first(cluster)[0]: 0.01}))
    desk.decide(cluster)
    (look,) = desk.store.looks(STREAM, 9)
    assert look.score == 3.5


def test_configs_newest_first(desk: Desk) -> None:
    for number in range(2, 4):
        desk.store.register_config(STREAM, f"v{number}", f"text {number}", AT + number)
    found = desk.store.configs(STREAM)
    assert [(one.version, one.text) for one in found][:2] == [("v3", "text 3"), ("v2", "text 2")]
    assert desk.store.configs("other") == []


def test_lessons_say_what_moved_and_who_taught_it(desk: Desk) -> None:
    assert desk.store.lessons(STREAM, 5) == []
    taught, moved = desk.cluster(2, "taught", margin=1.0), desk.cluster(1, "moved", margin=0.0)
    given = desk.decide(taught, VerdictKind.REAL)
    member = desk.store.members(moved, 0, 1)[0].candidate.candidate_id
    position = desk.store.label_position(STREAM)
    desk.commit(desk.part(label_position=position, rescored={member: 0.9}), at=AT + 5)
    (lesson,) = desk.store.lessons(STREAM, 5)
    assert (lesson.model_before, lesson.model_after, lesson.at) == (0, position, AT + 5)
    assert (lesson.rose, lesson.fell) == (1, 0)
    assert [(one.cluster_id, one.kind, one.standing) for one in lesson.by] == [
        (taught, VerdictKind.REAL, True)
    ]
    desk.undo(given.verdict_id)
    assert [one.standing for lesson in desk.store.lessons(STREAM, 5) for one in lesson.by] != [True]
