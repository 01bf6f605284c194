"""A version that came into force is watched against the one before it, for a while."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from streaming.config.load import parse
from streaming.config.model import StreamConfig
from streaming.pipeline import Outcome, PartitionPipeline
from streaming.records import Record
from streaming.rollouts import apply, go_back
from streaming.stage_guard import StageGuard
from streaming.worker import Worker
from tests.support.house import House, house_in, stored_and_replayed_agree
from tests.support.streams import events, small_config
from triage.errors import Conflict
from triage.model import Candidate, VerdictKind
from triage.queries import QueueFilter
from triage.rollout import Request, Rollout, RolloutKind, Stage, Superseded

pytestmark = pytest.mark.slow

OLD = small_config()
SETTINGS = "\nrollout: {canary: 1, after: 100, max_volume: 1}\n"


def version(old: str, new: str) -> StreamConfig:
    return parse(OLD.text.replace(old, new) + SETTINGS, "new.yaml")


OTHER = version("seed: 7", "seed: 8")
BLIND = version("alert_budget: 4%", "alert_budget: 0.01%")
LOUD = version("alert_budget: 4%", "alert_budget: 10%")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = house_in(tmp_path / "house")
    yield made
    made.store.close()
    made.transport.close()


def more(house: House, worker: Worker, name: str, count: int = 900) -> None:
    house.send([{**event, "id": f"{name}{i}"} for i, event in enumerate(events(count, seed=1))])
    house.run(worker, steps=60)


def watched(house: House, new: StreamConfig) -> tuple[Worker, StageGuard]:
    """Return what runs once ``new`` is in force and both versions have seen some events."""
    worker = house.worker()
    more(house, worker, "before", 1500)
    asked = Request("eve", "because", house.now)
    entry = apply(house.store, new, asked)
    assert (entry.version, entry.beside) == (new.version, OLD.version)
    assert (entry.stage, entry.tried) == (Stage.WATCHED, "")
    house.run(worker)
    more(house, worker, "after")
    return worker, StageGuard(house.store, "tests", lambda: house.now)


def fails(
    monkeypatch: pytest.MonkeyPatch, config: StreamConfig, words: str, on: bytes = b""
) -> None:
    """Let a version's program fail on records that hold ``on``."""
    whole = PartitionPipeline.process

    def process(self: PartitionPipeline, records: Sequence[Record]) -> Outcome:
        if self.config.version == config.version and any(on in one.value for one in records):
            raise ZeroDivisionError(words)
        return whole(self, records)

    monkeypatch.setattr(PartitionPipeline, "process", process)


def newest(house: House) -> Rollout:
    entry = house.store.in_force("tests")
    assert entry is not None
    return entry


def since_the_turn(house: House) -> list[Candidate]:
    offsets = {p: house.store.journal("tests", p, 0)[-1].offset for p in (0, 1)}
    return [c for c in house.candidates() if c.offset >= offsets[c.partition]]


def test_one_that_breaks_no_limit_is_kept(house: House) -> None:
    worker, guard = watched(house, OTHER)
    trial = house.store.trial("tests", 2)
    assert trial.events == 900
    assert trial.live > 0
    shown = since_the_turn(house)
    assert len(shown) == trial.both + trial.only_live + trial.only_new
    assert {c.config_version for c in shown} == {OTHER.version, OLD.version}
    assert not guard.step()
    house.now += 3600
    assert guard.step()
    assert not guard.step()
    kept = newest(house)
    assert (kept.kind, kept.version, kept.beside) == (RolloutKind.KEEP, OTHER.version, "")
    assert kept.reason == "watched for 1.0 h over 900 events, no limit broken"
    house.run(worker)
    more(house, worker, "alone")
    assert {c.config_version for c in since_the_turn(house)} == {OTHER.version}
    assert go_back(house.store, "tests", Request("eve", "", house.now)).version == OLD.version
    house.run(worker)
    assert stored_and_replayed_agree(house)


def test_of_a_quiet_stream_it_is_watched_longer_but_not_for_ever(house: House) -> None:
    house.worker()
    apply(house.store, OTHER, Request("eve", "because", house.now))
    guard = StageGuard(house.store, "tests", lambda: house.now)
    house.now += 2 * 3600
    assert not guard.step()
    house.now += 22 * 3600
    assert guard.step()
    assert newest(house).reason == "watched for 24.0 h over 0 events, no limit broken"


def test_one_that_floods_the_queue_is_taken_back(house: House) -> None:
    worker, guard = watched(house, LOUD)
    assert guard.step()
    entry = newest(house)
    assert (entry.kind, entry.author) == (RolloutKind.STOP, "guard")
    assert (entry.version, entry.beside) == (OLD.version, "")
    assert "candidates where there were" in entry.reason
    live = house.store.live_config("tests")
    assert live is not None
    assert live.version == OLD.version
    house.run(worker)
    more(house, worker, "again")
    assert {c.config_version for c in since_the_turn(house)} == {OLD.version}
    assert stored_and_replayed_agree(house)
    with pytest.raises(Superseded, match="stopped by guard"):
        apply(house.store, LOUD, Request("eve", "", house.now))


def test_one_that_loses_what_an_analyst_finds_real_is_taken_back(house: House) -> None:
    worker, guard = watched(house, BLIND)
    assert not guard.step()
    grouper = house.grouper()
    while grouper.step():
        pass
    lost = {c.candidate_id for c in since_the_turn(house) if c.config_version == OLD.version}
    assert lost
    rows = house.store.queue(QueueFilter(), 0, 100).rows
    rank = next(
        rank
        for rank, row in enumerate(rows)
        if all(
            member.candidate.candidate_id in lost
            for member in house.store.members(row.cluster_id, 0, 3)
        )
    )
    verdict = house.decide(VerdictKind.REAL, rank)
    assert list(house.store.lost("tests", 2)) == [verdict]
    house.now += 10
    assert guard.step()
    assert newest(house).reason == "it misses 1 verified findings (max_lost 0)"
    house.run(worker)
    assert stored_and_replayed_agree(house)


def test_one_whose_program_fails_is_taken_back_and_nothing_is_lost(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, _ = watched(house, OTHER)
    fails(monkeypatch, OTHER, "of the new version", b"bad")
    more(house, worker, "bad", 300)
    entry = newest(house)
    assert (entry.kind, entry.version) == (RolloutKind.STOP, OLD.version)
    assert entry.reason == "it failed: ZeroDivisionError: of the new version"
    (status,) = house.store.status(house.now).streams
    assert status.counters.accepted == 1500 + 900 + 300
    assert stored_and_replayed_agree(house)


@pytest.mark.parametrize("restart", [False, True])
def test_one_that_fails_on_what_it_has_to_learn_never_comes_into_force(
    house: House, monkeypatch: pytest.MonkeyPatch, restart: bool
) -> None:
    worker = house.worker()
    more(house, worker, "before", 1500)
    fails(monkeypatch, OTHER, "of the new version")
    apply(house.store, OTHER, Request("eve", "because", house.now))
    if restart:
        worker = Worker(OLD, house.transport, house.store, lambda: house.now)
    house.run(worker)
    entry = newest(house)
    assert (entry.kind, entry.version) == (RolloutKind.STOP, OLD.version)
    assert entry.reason == "it failed: ZeroDivisionError: of the new version"
    more(house, worker, "after")
    (status,) = house.store.status(house.now).streams
    assert status.counters.accepted == 2400
    assert stored_and_replayed_agree(house)


def test_a_tried_one_that_fails_on_what_it_has_to_learn_is_stopped(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = house.worker()
    more(house, worker, "before", 1500)
    fails(monkeypatch, OTHER, "of the tried version")
    apply(house.store, OTHER, Request("eve", "because", house.now), Stage.SHADOW)
    house.run(worker)
    assert StageGuard(house.store, "tests", lambda: house.now).step()
    assert newest(house).reason == "it failed: ZeroDivisionError: of the tried version"
    more(house, worker, "after")
    assert stored_and_replayed_agree(house)


def test_the_old_version_may_fail_beside_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    worker, guard = watched(house, OTHER)
    fails(monkeypatch, OLD, "of the old version")
    more(house, worker, "bad", 300)
    assert not guard.step()
    assert newest(house).stage is Stage.WATCHED


def test_what_makes_the_same_candidates_is_not_watched(house: House) -> None:
    house.worker()
    words = parse(OLD.text + "\ntitle: Cards\n", "words.yaml")
    asked = Request("eve", "", house.now)
    assert apply(house.store, words, asked).stage is Stage.LIVE
    off = parse(OTHER.text.replace("after: 100", "watch_hours: 0"), "off.yaml")
    assert apply(house.store, off, asked).stage is Stage.LIVE


def test_while_watched_it_is_in_force_and_the_old_file_is_old(house: House) -> None:
    house.worker()
    asked = Request("eve", "because", house.now)
    apply(house.store, OTHER, asked)
    with pytest.raises(Conflict, match="in force already"):
        apply(house.store, OTHER, asked)
    with pytest.raises(Superseded, match="replaced by eve"):
        apply(house.store, OLD, asked)
    tried = apply(house.store, BLIND, asked, Stage.SHADOW)
    assert (tried.version, tried.tried) == (OTHER.version, BLIND.version)
    assert go_back(house.store, "tests", asked).version == OTHER.version
    assert go_back(house.store, "tests", asked).version == OLD.version
