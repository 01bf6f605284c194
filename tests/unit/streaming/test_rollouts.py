"""Configs that change while workers run: on all partitions, idle ones too, and over crashes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from streaming.config.load import parse
from streaming.config.model import StreamConfig
from streaming.errors import Stop
from streaming.rollouts import apply, go_back, retire, start_with
from streaming.stage_guard import StageGuard
from streaming.worker import COMMIT_EVERY_S, Worker
from tests.support.house import House, house_in, state, stored_and_replayed_agree, twins
from tests.support.streams import events, small_config
from triage.errors import Conflict, Invalid, NotFound, Refused
from triage.model import VerdictKind
from triage.queries import QueueFilter
from triage.rollout import Request, RolloutKind, Stage, Superseded

pytestmark = pytest.mark.slow

OLD, OTHER, SMALLER = small_config(), small_config(seed="8"), small_config(alert_budget="1%")
ASKED = Request("eve", "because", 1_800_000_000.0)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = house_in(tmp_path / "house")
    yield made
    made.store.close()
    made.transport.close()


def more(name: str, count: int = 900) -> list[dict[str, object]]:
    return [{**event, "id": f"{name}{i}"} for i, event in enumerate(events(count, seed=1))]


def begun(house: House) -> Worker:
    house.send(events(1500))
    worker = house.worker()
    house.run(worker)
    return worker


UNWATCHED = [
    parse(each.text + "\nrollout: {watch_hours: 0}\n", "new.yaml") for each in (OTHER, SMALLER)
]


@pytest.mark.parametrize("new", UNWATCHED, ids=["another state", "the same state"])
def test_a_running_worker_turns_to_what_is_applied(house: House, new: StreamConfig) -> None:
    worker = begun(house)
    entry = apply(house.store, new, ASKED)
    house.run(worker)  # nothing has come in: the partitions are idle
    assert house.store.turned("tests") == [entry.number, entry.number]
    house.send(more("a"))
    house.run(worker)
    offsets = {p: house.store.journal("tests", p, 0)[-1].offset for p in (0, 1)}
    for candidate in house.candidates():
        late = candidate.offset >= offsets[candidate.partition]
        assert (candidate.config_version == new.version) == late
    (status,) = house.store.status(house.now).streams
    assert (status.counters.accepted, status.warm_up_left) == (2400, 0)
    assert stored_and_replayed_agree(house)


@pytest.mark.parametrize("crash", [1, 2, 3, 4])
def test_crashes_around_roll_outs_change_nothing(tmp_path: Path, crash: int) -> None:
    """A worker that is killed after so many steps, again and again, while configs come and go."""
    house = house_in(tmp_path / "house")
    worker = begun(house)
    for round_, new in enumerate([OTHER, None, SMALLER, OTHER, None]):
        house.send(more(f"r{round_}", 300))
        if new is None:
            go_back(house.store, "tests", ASKED)
        else:
            apply(house.store, new, ASKED, again=True)
        for _ in range(crash):
            house.now += COMMIT_EVERY_S
            worker.step()
        worker = Worker(OLD, house.transport, house.store, lambda: house.now)  # the other one dies
    house.run(worker)
    (status,) = house.store.status(house.now).streams
    assert status.counters.accepted == 3000
    assert house.store.turned("tests") == [6, 6]
    assert stored_and_replayed_agree(house)
    house.store.close()


def test_apply_then_back_leaves_the_worker_as_if_nothing_had_been(tmp_path: Path) -> None:
    calm, changing = twins(tmp_path)
    for house in (calm, changing):
        worker = begun(house)
        house.grouper().step()
        house.decide()
        house.run(worker)
        if house is changing:
            apply(house.store, OTHER, ASKED)
            house.run(worker)
        house.send(more("a"))
        house.run(worker)
        if house is changing:
            go_back(house.store, "tests", ASKED)
            house.run(worker)
        house.send(more("b"))
        house.run(worker)
        worker.close()
    assert state(calm) == state(changing)
    places = {(c.partition, c.offset) for c in changing.candidates()}
    assert len(places) == len(changing.candidates())  # nothing twice
    assert {(c.partition, c.offset) for c in calm.candidates()} <= places  # nothing missed


def test_a_worker_that_takes_over_goes_on_where_the_partition_stands(house: House) -> None:
    """Under its old config up to there, then under the one in force."""
    begun(house)
    apply(house.store, OTHER, ASKED)
    house.send(more("a"))
    worker = Worker(OLD, house.transport, house.store, lambda: house.now)
    house.run(worker)
    assert house.store.turned("tests") == [2, 2]
    assert stored_and_replayed_agree(house)


def test_a_grouper_follows(house: House) -> None:
    worker, grouper = begun(house), house.grouper()
    while grouper.step():
        pass
    text = OLD.text.replace("noun: {one: payment, many: payments}", "noun: {one: x, many: xs}")
    apply(house.store, parse(text, "new"), ASKED)
    house.send(more("a"))
    house.run(worker)
    house.now += 3.0
    while grouper.step():
        pass
    rows = house.store.queue(QueueFilter(), 0, 100).rows
    assert any(" xs" in row.title for row in rows)


def test_an_old_file_does_not_roll_a_newer_version_back(house: House) -> None:
    start_with(house.store, OLD, ASKED)
    start_with(house.store, OLD, ASKED)  # it is in force: nothing to do
    start_with(house.store, OTHER, ASKED)
    with pytest.raises(
        Superseded, match=r"replaced at a start by eve .*--stream tests.*apply --back tests"
    ):
        start_with(house.store, OLD, ASKED)
    with pytest.raises(Superseded, match="--again"):
        apply(house.store, OLD, ASKED)
    assert apply(house.store, OLD, ASKED, again=True).number == 3
    with pytest.raises(Conflict, match="in force already"):
        apply(house.store, OLD, ASKED)
    assert [one.kind for one in house.store.rollouts("tests")] == [
        RolloutKind.START,
        RolloutKind.START,
        RolloutKind.APPLY,
    ]


def test_going_back_goes_from_change_to_change_and_ends_at_the_first(house: House) -> None:
    for config in (OLD, OTHER, SMALLER):
        start_with(house.store, config, ASKED)
    assert go_back(house.store, "tests", ASKED).version == OTHER.version
    assert go_back(house.store, "tests", ASKED).version == OLD.version
    live = house.store.live_config("tests")
    assert live is not None
    assert live.version == OLD.version
    with pytest.raises(NotFound, match="the first"):
        go_back(house.store, "tests", ASKED)
    with pytest.raises(Superseded, match=r"taken back by eve .*apply FILE --again"):
        start_with(house.store, SMALLER, ASKED)


def test_what_is_tried_is_taken_back_first_and_may_go_live(house: House) -> None:
    start_with(house.store, OLD, ASKED)
    apply(house.store, OTHER, ASKED, Stage.SHADOW)
    with pytest.raises(Conflict, match="in shadow already"):
        apply(house.store, OTHER, ASKED, Stage.SHADOW)
    entry = apply(house.store, OTHER, ASKED, Stage.CANARY)
    assert (entry.version, entry.beside, entry.stage) == (OLD.version, OTHER.version, "canary")
    live = house.store.live_config("tests")
    assert live is not None
    assert live.version == OLD.version
    assert go_back(house.store, "tests", ASKED).beside == ""
    apply(house.store, OTHER, ASKED, Stage.SHADOW, again=True)
    assert apply(house.store, OTHER, ASKED).version == OTHER.version
    assert go_back(house.store, "tests", ASKED).version == OLD.version


def test_a_running_stream_keeps_its_topic_and_key(house: House) -> None:
    start_with(house.store, OLD, ASKED)
    for other in (small_config(source="{topic: tests, partitions: 3}"), small_config(key="shop")):
        with pytest.raises(Invalid, match="give the stream a new name"):
            apply(house.store, other, ASKED)


def tried(house: House, new: StreamConfig, stage: Stage = Stage.SHADOW) -> Worker:
    worker = begun(house)
    apply(house.store, new, ASKED, stage)
    house.run(worker)
    house.send(more("a"))
    house.run(worker)
    return worker


def test_a_shadow_shows_nothing_and_is_compared(house: House) -> None:
    worker = tried(house, SMALLER)
    trial = house.store.trial("tests", 2)
    assert trial.events == 900
    assert 0 < trial.new < trial.live
    assert trial.only_new == 0
    assert {c.config_version for c in house.candidates()} == {OLD.version}
    assert stored_and_replayed_agree(house)
    worker.close()
    worker = Worker(OLD, house.transport, house.store, lambda: house.now)  # goes on after a restart
    house.send(more("b"))
    house.run(worker)
    assert house.store.trial("tests", 2).events == 1800
    apply(house.store, SMALLER, ASKED)
    house.run(worker)
    house.send(more("c"))
    house.run(worker)
    assert stored_and_replayed_agree(house)


def test_a_guard_stops_what_misses_verified_findings(house: House) -> None:
    blind = small_config(alert_budget="0.01%")
    worker = tried(house, blind)
    guard = StageGuard(house.store, "tests", lambda: house.now)
    assert not guard.step()
    grouper = house.grouper()
    while grouper.step():
        pass
    began = [house.store.journal("tests", p, 0)[-1].offset for p in (0, 1)]
    new = {c.candidate_id for c in house.candidates() if c.offset >= began[c.partition]}
    rows = house.store.queue(QueueFilter(), 0, 100).rows
    rank = next(
        i
        for i, row in enumerate(rows)
        if new & {m.candidate.candidate_id for m in house.store.members(row.cluster_id, 0, 3)}
    )
    verdict = house.decide(VerdictKind.REAL, rank)
    assert house.store.lost("tests", 2) == [verdict]
    house.now += 10
    assert guard.step()
    entry = house.store.in_force("tests")
    assert entry is not None
    assert (entry.kind, entry.author, entry.version, entry.beside) == (
        RolloutKind.STOP,
        "guard",
        OLD.version,
        "",
    )
    assert entry.reason == "it misses 1 verified findings (max_lost 0)"
    house.run(worker)
    assert house.store.turned("tests") == [3, 3]
    assert not guard.step()
    house.undo(verdict)
    assert house.store.lost("tests", 2) == []
    with pytest.raises(Superseded, match="stopped by guard"):
        apply(house.store, blind, ASKED, Stage.SHADOW)


def test_the_worker_of_a_retired_stream_ends_and_goes_on_where_it_was(house: House) -> None:
    worker = begun(house)
    apply(house.store, OTHER, ASKED, Stage.SHADOW)
    house.send(more("a"))
    worker.step()
    retire(house.store, "tests", ASKED)
    with pytest.raises(Stop, match=r"tests was retired by eve .because.*--back tests"):
        house.run(worker)
    with pytest.raises(Superseded, match="was retired by eve"):
        start_with(house.store, OLD, ASKED)
    entry = go_back(house.store, "tests", ASKED)
    assert (entry.version, entry.beside) == (OLD.version, "")
    start_with(house.store, OLD, ASKED)
    worker = house.worker()
    house.run(worker)
    (status,) = house.store.status(house.now).streams
    assert status.counters.accepted == 2400
    assert stored_and_replayed_agree(house)


def test_a_canary_is_compared_and_replayed(house: House) -> None:
    settings = "\nrollout: {canary: 0.5}\n"
    more_alerts = parse(OLD.text.replace("alert_budget: 4%", "alert_budget: 8%") + settings, "new")
    tried(house, more_alerts, Stage.CANARY)
    trial = house.store.trial("tests", 2)
    assert trial.only_new > 0
    assert {c.config_version for c in house.candidates()} == {OLD.version, more_alerts.version}
    assert stored_and_replayed_agree(house)


def test_thirty_roll_outs_and_thirty_crashes_change_nothing(tmp_path: Path) -> None:
    """Apply, try, go live and go back in any order, with verdicts, on two partitions."""
    house, rng = house_in(tmp_path / "house"), random.Random(5)
    worker, grouper = begun(house), house.grouper()
    columns = parse(OLD.text.replace("over: 1h", "over: 2h"), "columns")
    done = sent = 0
    while done < 30:
        sent += 60
        house.send(more(f"r{sent}-", 60))
        stage = rng.choice([Stage.LIVE, Stage.LIVE, Stage.SHADOW, Stage.CANARY, None])
        try:
            if stage is None:
                go_back(house.store, "tests", ASKED)
            else:
                new = rng.choice([OLD, OTHER, SMALLER, columns])
                apply(house.store, new, ASKED, stage, again=True)
            done += 1
        except Refused:
            continue
        for _ in range(rng.randrange(4)):
            house.now += COMMIT_EVERY_S
            worker.step()
        if rng.random() < 0.3:
            grouper.step()
            with suppress(Refused, IndexError):
                house.decide(rng.choice([VerdictKind.REAL, VerdictKind.SPURIOUS]))
        worker = Worker(OLD, house.transport, house.store, lambda: house.now)  # the other one dies
    house.run(worker, steps=60)
    (status,) = house.store.status(house.now).streams
    assert status.counters.accepted == 1500 + sent
    assert house.store.turned("tests") == [31, 31]
    assert stored_and_replayed_agree(house)


def test_a_replay_weighs_labels_as_the_config_did_that_took_them_in(house: House) -> None:
    """A later policy does not reach back."""
    worker, grouper = begun(house), house.grouper()
    while grouper.step():
        pass
    for kind in (VerdictKind.REAL, VerdictKind.SPURIOUS):
        house.decide(kind)
    house.run(worker)
    house.send(more("a"))
    house.run(worker)
    light = parse(OLD.text + "\npolicy: {analyst_day_weight: 0.01}\n", "light")
    apply(house.store, light, ASKED)
    house.run(worker)
    house.decide(VerdictKind.SPURIOUS)
    house.run(worker)
    house.send(more("b"))
    house.run(worker)
    assert stored_and_replayed_agree(house)
