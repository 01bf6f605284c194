"""What the advisor says beside what then happens."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from streaming.advisor.answers import Answers
from streaming.pipeline import vectors
from tests.support.house import ANNA, House
from tests.support.streams import events
from tests.unit.streaming.advisor.conftest import many_clusters, of_one_detector_and_of_two, settle
from triage.advisor import Advice, DraftRule, IfDecided, WhatIf
from triage.errors import Invalid, NotAvailable, NotFound
from triage.model import ClusterStatus, VerdictKind
from triage.queries import QueueFilter, QueueRow

pytestmark = pytest.mark.slow


def refreshed(house: House) -> Answers:
    answers = Answers(house.store)
    answers.refresh()
    return answers


def first(house: House, rank: int = 0) -> QueueRow:
    return house.store.queue(QueueFilter(), 0, 50).rows[rank]


def rows(house: House) -> list[QueueRow]:
    return list(house.store.queue(QueueFilter(), 0, 500).rows)


def read_of(house: House, cluster_id: str, count: int = 3) -> tuple[str, ...]:
    rows = house.store.members(cluster_id, 0, count)
    return tuple(row.candidate.candidate_id for row in rows)


def asked(house: House, row: QueueRow, kind: VerdictKind = VerdictKind.SPURIOUS) -> IfDecided:
    return IfDecided(row.cluster_id, kind, read_of(house, row.cluster_id), ANNA.name)


def above(house: House, without: str) -> set[str]:
    """The open clusters above the alert line, by the models that a worker would go on with."""
    answers = refreshed(house)
    view = answers._view("tests")
    found: set[str] = set()
    for part in view.partitions.values():
        margins = part.model.margins(part.waiting.X)
        for name, margin in zip(part.waiting.clusters, margins, strict=True):
            if margin >= part.model.line and name != without:
                found.add(name)
    return found


@of_one_detector_and_of_two
@pytest.mark.parametrize("kind", [VerdictKind.SPURIOUS, VerdictKind.REAL])
def test_it_foretells_what_the_verdict_then_does(house: House, kind: VerdictKind) -> None:
    row = first(house)
    before = above(house, row.cluster_id)
    told = refreshed(house).advise(asked(house, row, kind))
    assert told.above == len(before)
    assert told.open == house.store.queue(QueueFilter(), 0, 1).total - 1

    listed = {one.cluster_id for one in rows(house)}
    house.decide(kind)
    after = above(house, row.cluster_id) & listed  # what nobody read is a cluster of its own now
    assert (told.fall, told.rise) == (len(before - after), len(after - before))
    assert told.lowered + told.raised > 0
    assert told.teaches


def test_it_foretells_what_the_board_then_tells(house: House) -> None:
    """Once learned, as many clusters have risen and fallen in the store as was said."""
    told = refreshed(house).advise(asked(house, first(house)))
    house.decide(VerdictKind.SPURIOUS)
    settle(house)
    verdict = house.store.recent_verdicts(1)[0]
    assert verdict.learned
    assert (verdict.rose, verdict.fell) == (told.raised, told.lowered)


@of_one_detector_and_of_two
def test_it_speaks_of_the_model_that_the_worker_has(house: House) -> None:
    """Once the worker has learned the labels, its margins are those of the advisor."""
    house.decide(VerdictKind.SPURIOUS)
    view = refreshed(house)._view("tests")
    settle(house)
    for partition, part in view.partitions.items():
        blobs = house.store.vectors(part.waiting.ids)
        X = vectors([blobs[name].vector for name in part.waiting.ids], part.waiting.X.shape[1])
        worker = refreshed(house)._view("tests").partitions[partition].model.model
        np.testing.assert_allclose(part.model.margins(X), worker.margins(X), atol=1e-6)
        assert part.model.line == pytest.approx(worker.threshold, abs=1e-6)


def test_it_names_what_resembles_and_how_that_was_decided(house: House) -> None:
    house.decide(VerdictKind.REAL)
    row = first(house)
    told = refreshed(house).advise(asked(house, row))
    assert told.same == 0
    assert told.other in (0, 1)
    assert told.alike_total >= len(told.alike)
    assert row.cluster_id not in {one.cluster_id for one in told.alike}
    likeness = [one.likeness for one in told.alike]
    assert likeness == sorted(likeness, reverse=True)


def test_what_falls_though_it_resembles_a_confirmed_anomaly_is_named(house: House) -> None:
    """Call the likest neighbour of a confirmed anomaly spurious: their like falls with it."""
    real = first(house)
    alike = {one.cluster_id for one in refreshed(house).advise(asked(house, real)).alike}
    listed = {one.cluster_id for one in rows(house)}
    house.decide(VerdictKind.REAL)
    answers = refreshed(house)
    told = [answers.advise(asked(house, row)) for row in rows(house) if row.cluster_id in alike]
    assert any(one.other for one in told)
    assert any(one.against for one in told)
    for one in told:
        assert len(one.against) == one.against_total <= one.lowered
        assert {each.cluster_id for each in one.against} & listed <= alike


@pytest.mark.parametrize("kind", [VerdictKind.UNSURE, VerdictKind.PIPELINE_FAULT])
def test_what_teaches_nothing_changes_nothing(house: House, kind: VerdictKind) -> None:
    told = refreshed(house).advise(asked(house, first(house), kind))
    assert (told.fall, told.rise, told.teaches) == (0, 0, False)


def test_asking_changes_nothing(house: House) -> None:
    before = house.store.label_position("tests")
    answers = refreshed(house)
    told: list[Advice] = [answers.advise(asked(house, first(house))) for _ in range(2)]
    assert told[0] == told[1]
    assert house.store.label_position("tests") == before
    assert first(house).status is ClusterStatus.OPEN


def test_members_of_another_cluster_are_refused(house: House) -> None:
    stranger = read_of(house, first(house, 1).cluster_id, 1)
    question = IfDecided(first(house).cluster_id, VerdictKind.REAL, stranger, ANNA.name)
    with pytest.raises(Invalid, match="not in this cluster"):
        refreshed(house).advise(question)
    with pytest.raises(NotFound):
        refreshed(house).advise(IfDecided("none", VerdictKind.REAL, (), ANNA.name))


def test_before_the_first_look_it_says_that_it_is_loading(house: House) -> None:
    with pytest.raises(NotAvailable, match="being loaded"):
        Answers(house.store).advise(asked(house, first(house)))


def test_without_a_snapshot_it_says_so(house: House) -> None:
    row = first(house)
    drop_snapshots(house)
    with pytest.raises(NotAvailable, match="no snapshot yet"):
        refreshed(house).advise(asked(house, row))


def test_a_damaged_snapshot_is_not_used(house: House) -> None:
    row = first(house)
    run_sql(house, "UPDATE snapshots SET blob = zeroblob(100)")
    with pytest.raises(NotAvailable, match="damaged"):
        refreshed(house).advise(asked(house, row))


def test_a_changed_config_waits_for_its_own_snapshot(house: House) -> None:
    row, answers = first(house), refreshed(house)
    answers.advise(asked(house, row))
    house.config = many_clusters(seed=8)
    changed = house.worker()
    answers.refresh()
    with pytest.raises(NotAvailable, match="another config"):
        answers.advise(asked(house, row))
    house.run(changed)
    house.send(events(1000, seed=1))
    house.run(changed)
    changed.close()
    answers.refresh()
    answers.advise(asked(house, row))


def test_an_old_snapshot_is_used_and_its_age_is_said(house: House) -> None:
    answers = refreshed(house)
    assert answers.advise(asked(house, first(house))).behind == 0
    house.send(events(300, seed=2))
    worker = house.worker()
    house.run(worker)
    answers.refresh()
    assert answers.advise(asked(house, first(house))).behind > 0


def test_another_config_that_keeps_the_state_goes_on(house: House) -> None:
    row, answers = first(house), refreshed(house)
    house.config = many_clusters("9%")
    house.worker()
    answers.refresh()
    answers.advise(asked(house, row))


@of_one_detector_and_of_two
def test_what_if_scores_as_the_model_does(house: House) -> None:
    answers = refreshed(house)
    row = first(house)
    told = answers.what_if(WhatIf(row.cluster_id))
    assert told.now.margin >= told.line
    assert told.levers
    for lever in told.levers:
        assert lever.contribution > 0
        values = [stop.value for stop in lever.stops]
        assert values == sorted(values)
        assert all(stop.text for stop in lever.stops)
    lever = told.levers[0]
    moved = answers.what_if(
        WhatIf(row.cluster_id, told.candidate_id, {lever.feature: lever.stops[0].value})
    )
    assert moved.now == told.now
    assert moved.then is not None
    assert moved.then.margin != told.now.margin
    same = answers.what_if(
        WhatIf(row.cluster_id, told.candidate_id, {lever.feature: lever.stops[lever.at].value})
    )
    assert same.then == told.now


def test_the_smallest_change_makes_it_normal(house: House) -> None:
    answers = refreshed(house)
    told = answers.what_if(WhatIf(first(house).cluster_id))
    assert told.smallest
    assert told.left is not None
    assert not told.left.alert
    assert len(told.smallest) <= 3
    changes = {one.feature: one.value for one in told.smallest}
    checked = answers.what_if(WhatIf(first(house).cluster_id, told.candidate_id, changes))
    assert checked.then == told.left


def test_an_audit_is_answered_as_before_any_label(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = first(house)
    unlabelled, said = refreshed(house).what_if(WhatIf(row.cluster_id)), WhatIf(row.cluster_id)
    rule = refreshed(house).draft_rule(DraftRule(row.cluster_id))
    for _ in range(5):
        house.decide(VerdictKind.SPURIOUS)
    answers = refreshed(house)
    assert answers.what_if(said).now != unlabelled.now
    asked_of = house.store.asked(row.cluster_id)
    assert asked_of is not None
    monkeypatch.setattr(house.store, "asked", lambda _: dataclasses.replace(asked_of, blind=True))
    blind = answers.what_if(said)
    assert (blind.now, blind.line, blind.smallest) == (
        unlabelled.now,
        unlabelled.line,
        unlabelled.smallest,
    )
    told = answers.draft_rule(DraftRule(row.cluster_id)).draft
    assert told is not None
    assert rule.draft is not None
    assert (told.words, told.confirmed, told.dismissed) == (rule.draft.words, 0, 0)


def test_unknown_features_and_members_are_refused(house: House) -> None:
    answers = refreshed(house)
    row = first(house)
    with pytest.raises(Invalid, match="no feature 'nothing'"):
        answers.what_if(WhatIf(row.cluster_id, None, {"nothing": 1.0}))
    with pytest.raises(Invalid, match="finite"):
        answers.what_if(WhatIf(row.cluster_id, None, {"log_amount": float("inf")}))
    with pytest.raises(NotFound):
        answers.what_if(WhatIf(row.cluster_id, "nobody"))


def run_sql(house: House, statement: str) -> None:
    with house.store._db.write() as connection:  # type: ignore[attr-defined]
        connection.exec_driver_sql(statement)


def drop_snapshots(house: House) -> None:
    run_sql(house, "DELETE FROM snapshots")
