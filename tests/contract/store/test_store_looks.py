"""What the pages of detectors and metrics read."""

from __future__ import annotations

from tests.support.cases import AT, STREAM, Desk
from triage.looks import discovery, overrides, precision, time_to_verdict
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
