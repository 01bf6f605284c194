"""Worker and grouper on the embedded log and SQLite: crashes, labels, damaged snapshots."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from streaming.config.load import parse
from streaming.errors import Fenced, Stop, TransportUnavailable
from streaming.grouper import Grouper
from streaming.records import TopicPartition
from streaming.worker import COMMIT_EVERY_S, LAG_EVERY_S, MOVED, POLL_RECORDS
from tests.support.house import (
    ANNA,
    House,
    house_in,
    plain_message,
    replayed,
    state,
    stored_and_replayed_agree,
    twins,
)
from tests.support.streams import CONFIG, events, small_config
from triage.commands import MergeClusters, SplitCluster
from triage.handlers import Triage
from triage.lag import LagState, state_of
from triage.queries import QueueFilter

pytestmark = pytest.mark.slow


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.store.close()
    made.transport.close()


def test_events_become_clusters_on_the_queue(house: House) -> None:
    house.send(events(1500))
    worker, grouper = house.worker(), house.grouper()
    house.run(worker)
    while grouper.step():
        pass

    page = house.store.queue(QueueFilter(), 0, 50)
    assert page.total > 0
    assert sum(row.size for row in page.rows) == len(house.candidates())
    assert all(row.title and row.posterior > 0 for row in page.rows)
    (status,) = house.store.status(house.now).streams
    assert status.counters.accepted == 1500
    assert status.warm_up_left == 0


def test_how_far_behind_the_log_a_worker_is(house: House) -> None:
    def delay() -> float:
        (status,) = house.store.status(house.now).streams
        assert status.delay is not None
        return status.delay

    worker = house.worker()
    house.send(events(200))
    house.now += 40
    house.run(worker)
    assert 40 <= delay() < 50
    house.now += 1000
    house.run(worker)
    assert delay() < 50, "without new records nothing gets older"
    house.send(events(200, seed=2))
    house.run(worker)
    assert delay() < 10


def test_the_store_knows_how_many_records_wait(house: House) -> None:
    def told() -> tuple[LagState, int, float]:
        all_of = house.store.lags("tests")
        lags = [one.lag for one in all_of if one.lag is not None]
        records = sum(lag.records for lag in lags)
        return state_of(all_of, house.now), records, max(lag.seconds or 0.0 for lag in lags)

    worker = house.worker()
    house.run(worker)
    assert [one.partition for one in house.store.lags()] == [0, 1]
    assert told() == (LagState.CAUGHT_UP, 0, 0.0)

    house.send(events(POLL_RECORDS + 500))
    house.now += 40
    worker.step()
    found, waiting, seconds = told()
    assert (found, waiting) == (LagState.BEHIND, 500)
    assert seconds == pytest.approx(40, abs=1)
    house.run(worker)
    house.now += LAG_EVERY_S
    worker.step()
    assert told() == (LagState.CAUGHT_UP, 0, 0.0)
    house.now += 31
    assert told()[0] is LagState.UNKNOWN, "nobody has told for half a minute"


def scores(house: House) -> list[tuple[int, int, float]]:
    return sorted((c.partition, c.offset, c.margin) for c in house.candidates())


def test_while_nothing_comes_and_the_log_does_not_answer_each_step_says_so(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client tells of a broker that is away by silence: ready is who has an answer."""

    def away(consumer: object) -> Mapping[TopicPartition, int]:
        raise TransportUnavailable("nobody answers")

    house.send(events(200))
    worker = house.worker()
    house.run(worker)
    house.now += LAG_EVERY_S
    with monkeypatch.context() as patched:
        patched.setattr(type(worker._consumer), "lag", away)
        for _ in range(3):
            with pytest.raises(TransportUnavailable):
                worker.step()
    worker.step()


def test_a_crash_between_commits_loses_and_repeats_nothing(tmp_path: Path) -> None:
    calm, crashing = house_in(tmp_path / "calm"), house_in(tmp_path / "crashing")
    for each in (calm, crashing):
        each.send(events(1500))
    calm.run(calm.worker())
    for _ in range(4):
        killed = crashing.worker()
        for _ in range(2):  # the second step commits what the first one polled, and polls more
            crashing.now += COMMIT_EVERY_S
            killed.step()
    crashing.run(crashing.worker())

    assert scores(crashing) == scores(calm)
    assert len({c.candidate_id for c in crashing.candidates()}) == len(scores(calm))
    (status,) = crashing.store.status(crashing.now).streams
    assert status.counters.accepted == 1500


def test_a_verdict_is_felt_journaled_and_replayed(house: House) -> None:
    house.send(events(1500))
    worker, grouper = house.worker(), house.grouper()
    house.run(worker)
    grouper.step()
    first = house.store.queue(QueueFilter(), 0, 1).rows[0]
    (member, *_) = house.store.members(first.cluster_id, 0, 1)
    verdict_id = house.decide()
    house.run(worker)

    verdict = house.store.verdict(verdict_id)
    assert verdict is not None
    assert verdict.learned
    assert verdict.fell + verdict.rose > 0
    assert member.posterior > 0

    house.send(events(1500, seed=1))  # the ids are the same: all duplicates
    house.send([{**e, "id": f"n{i}"} for i, e in enumerate(events(1500, seed=1))])
    house.run(worker)
    recovered = house.worker()  # replays its own journal from the first snapshot
    recovered.close()

    stored = {c.candidate_id: c.margin for c in house.candidates()}
    for partition in range(2):
        for candidate in replayed(house, partition):
            assert stored.pop(candidate.candidate_id) == candidate.margin
    assert not stored


def test_labels_take_effect_in_one_partition_after_the_other_with_records_in_between(
    house: House,
) -> None:
    house.send(events(1500))
    worker, grouper = house.worker(), house.grouper()
    house.run(worker)
    grouper.step()
    house.decide()
    newest = house.store.label_position("tests")
    house.send([{**each, "id": f"n{i}"} for i, each in enumerate(events(200))])

    def learned() -> list[bool]:
        entries = [house.store.journal("tests", p, 0) for p in (0, 1)]
        return [each[-1].label_position == newest for each in entries]

    house.now += COMMIT_EVERY_S
    worker.step()
    assert sorted(learned()) == [False, True]
    assert worker.lag() == 0  # records were taken before the other's turn
    worker.step()  # at once: no interval passes
    assert learned() == [True, True]


def test_an_undone_verdict_leaves_no_trace_in_the_model(house: House) -> None:
    house.send(events(1500))
    worker = house.worker()
    house.run(worker)
    house.grouper().step()
    house.undo(house.decide())  # from here on all are scored by the same trees
    house.run(worker)
    before = open_posteriors(house)
    verdict_id = house.decide()
    house.run(worker)
    assert open_posteriors(house) != before
    house.undo(verdict_id)
    house.run(worker)

    after = open_posteriors(house)
    assert after.keys() == before.keys()
    assert after == pytest.approx(before, abs=MOVED)


@pytest.mark.parametrize("damaged", [1, 2, 3])
def test_damaged_snapshots_are_passed_over_for_older_ones_or_a_rebuild(
    house: House, damaged: int, caplog: pytest.LogCaptureFixture
) -> None:
    house.send(events(600))
    for _ in range(3):
        worker = house.worker()
        house.run(worker)
        worker.close()
    with closing(sqlite3.connect(house.folder / "triage.db")) as database:
        ids = database.execute("SELECT rowid FROM snapshots ORDER BY rowid DESC").fetchall()
        for (rowid,) in ids[: 2 * damaged]:
            database.execute(
                "UPDATE snapshots SET blob = zeroblob(length(blob)) WHERE rowid = ?", (rowid,)
            )
        database.commit()

    recovered = house.worker()
    house.run(recovered)
    assert "damaged" in caplog.text
    (status,) = house.store.status(house.now).streams
    assert status.counters.accepted == 600


def test_a_rebuild_from_the_first_record_takes_changes_of_the_config_where_they_were(
    house: House,
) -> None:
    house.send(events(300))
    for seed in ("7", "8"):
        house.config = small_config(seed=seed)
        worker = house.worker()
        house.run(worker)
        house.send([{**e, "id": f"{seed}{i}"} for i, e in enumerate(events(300, seed=1))])
        house.run(worker)
        worker.close()
    before = state(house)
    with closing(sqlite3.connect(house.folder / "triage.db")) as database:
        database.execute("UPDATE snapshots SET blob = zeroblob(9)")
        database.commit()
    worker = house.worker()
    house.run(worker)
    worker.close()
    assert state(house) == before


def test_a_changed_config_learns_from_the_log_and_alerts_at_once(house: House) -> None:
    house.send(events(1500))
    worker = house.worker()
    house.run(worker)
    worker.close()
    house.config = small_config(seed="8")
    changed = house.worker()
    house.run(changed)
    (status,) = house.store.status(house.now).streams
    assert status.warm_up_left == 0
    changed.close()
    house.send([{**e, "id": f"n{i}"} for i, e in enumerate(events(1500, seed=1))])
    changed = house.worker()
    house.run(changed)
    own = [c for c in house.candidates() if c.config_version == house.config.version]
    assert own
    assert stored_and_replayed_agree(house)


@pytest.mark.parametrize("crash", [0, 1, 2, 3])
def test_a_change_that_leaves_the_state_alone_goes_on_with_it(tmp_path: Path, crash: int) -> None:
    """Also where the old config was killed, and the new one again before and after its commit."""
    calm, changing = twins(tmp_path)
    batches = [
        events(900),
        [{**event, "id": f"n{i}"} for i, event in enumerate(events(900, seed=1))],
    ]
    text = CONFIG.replace("alert_budget: 4%", "alert_budget: 0.5%").replace("unit: €", "unit: $")
    changed = parse(f"{text}title: T\npolicy: {{undo_grace: 1}}\nclustering: {{gap: 2h}}\n", "t")
    for each in (calm, changing):
        each.send(batches[0])
        worker = each.worker()
        each.run(worker)
        each.grouper().step()
        each.decide()
        each.run(worker)  # the verdict is learned, and journaled
        each.send(batches[1])
        if each is changing:
            if crash == 0:
                worker.close()
            each.config = changed
            for _ in range(crash):  # killed: with what it polled, and before anything is committed
                killed = each.worker()
                for _ in range(crash - 1):
                    each.now += COMMIT_EVERY_S
                    killed.step()
            worker = each.worker()
        each.run(worker)
        worker.close()
    assert state(changing) == state(calm)
    own = [one for one in changing.candidates() if one.config_version == changed.version]
    assert {one.config_version for one in changing.candidates()} == {
        calm.config.version,
        changed.version,
    }
    expected = {(one.partition, one.offset): one.margin for one in calm.candidates()}
    places = [(one.partition, one.offset) for one in changing.candidates()]
    assert len(set(places)) == len(places)
    assert 0 < len(own) < len(places)
    assert all(expected[one.partition, one.offset] == one.margin for one in own)


def test_a_grouper_that_ends_lets_the_next_one_begin_at_once(house: House) -> None:
    house.send(events(1500))
    house.run(house.worker())
    one = house.grouper()
    assert not one.settled()
    one.step()
    assert one.settled()
    one.close()
    other = Grouper(house.config, house.store, "another", lambda: house.now)
    assert other.settled()


def test_a_worker_whose_partitions_were_taken_over_has_no_effect(house: House) -> None:
    house.send(events(300))
    old = house.worker()
    old.step()
    new = house.worker()
    house.run(new)

    with pytest.raises(Fenced):
        house.run(old)
    (status,) = house.store.status(house.now).streams
    assert status.counters.accepted == 300


def test_a_worker_that_only_the_store_has_fenced_begins_anew(house: House) -> None:
    house.send(events(1500))
    worker = house.worker()
    worker.step()
    for partition in (0, 1):  # what a worker does that the group has given them to
        house.store.own("tests", partition, house.transport.topic_id("tests"), house.config.version)
    house.run(worker)
    (status,) = house.store.status(house.now).streams
    assert status.counters.accepted == 1500
    worker.close()


def test_a_restarted_grouper_goes_on_with_the_same_clusters(house: House) -> None:
    house.send(events(1500))
    house.run(house.worker())
    one = house.grouper()
    one.step()
    clusters = {row.cluster_id for row in house.store.queue(QueueFilter(), 0, 100).rows}
    house.send([{**e, "id": f"n{i}"} for i, e in enumerate(events(1500))])
    house.run(house.worker())
    house.now += 60  # the lease of the first one is over
    two = house.grouper()
    two.step()

    rows = house.store.queue(QueueFilter(), 0, 100).rows
    assert clusters <= {row.cluster_id for row in rows}
    assert sum(row.size for row in rows) == len(house.candidates())
    assert not one.step()


def test_bad_records_go_to_the_dead_letter_topic_with_their_bytes(house: House) -> None:
    house.send([*events(100), {"id": "x"}, "text", {**events(1)[0], "id": "y", "amount": "12"}])
    house.run(house.worker())
    (topic,) = house.store.outbox_topics()
    assert topic == "tests.dlq"
    (status,) = house.store.status(house.now).streams
    assert (status.counters.accepted, status.counters.dead_lettered) == (100, 3)


def open_posteriors(house: House) -> dict[str, float]:
    return {
        candidate.candidate_id: candidate.posterior
        for partition in range(2)
        for candidate in house.store.open_candidates("tests", partition)
    }


def test_a_topic_that_can_not_be_used_stops_the_worker(tmp_path: Path) -> None:
    house = house_in(tmp_path / "house")
    house.send([{"other": i} for i in range(3000)])
    with pytest.raises(Stop, match="missing_field id") as stopped:
        house.run(house.worker())
    assert "max_bad_share: 1" in str(stopped.value)
    assert house.candidates() == []
    house.config = small_config(seed="7\nmax_bad_share: 1")  # the remedy
    house.run(house.worker())
    (status,) = house.store.status(house.now).streams
    assert status.counters.dead_lettered == 3000


def test_a_snapshot_of_another_program_stops_the_worker(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.send(events(300))
    with monkeypatch.context() as newer:
        newer.setattr("streaming.pipeline.SNAPSHOT_FORMAT", 99)
        worker = house.worker()
        house.run(worker)
        worker.close()
    for _ in range(2):
        with pytest.raises(
            Stop, match=r"snapshot at offset \d+ is not of this program .*format 99"
        ):
            house.run(house.worker())
    (status,) = house.store.status(house.now).streams
    assert status.counters.accepted == 300


def test_what_people_split_and_merge_holds_for_a_running_and_a_new_grouper(tmp_path: Path) -> None:
    ends = []
    for name, restarted in (("running", False), ("restarted", True)):
        house = house_in(tmp_path / name)
        house.send(events(1500))
        house.run(house.worker())
        grouper = house.grouper()
        while grouper.step():
            pass
        rows = house.store.queue(QueueFilter(order="largest"), 0, 50).rows
        large, small = rows[0], rows[-1]
        leaving = house.store.members(large.cluster_id, 0, 1)[0].candidate.candidate_id
        people = Triage(house.store, plain_message)
        split = SplitCluster(large.cluster_id, large.revision, (leaving,), "split")
        other = people.regroup(split, ANNA, house.now).other
        merge = MergeClusters(small.cluster_id, small.revision, other, 1, "merge")
        people.regroup(merge, ANNA, house.now)
        if restarted:
            grouper.close()
            grouper = house.grouper()
        house.send(events(1500))
        house.run(house.worker())
        while grouper.step():
            pass
        grouped = house.store.candidates_after("tests", 0, 100_000)
        clusters = [row.cluster_id for row in grouped]
        assert all(clusters)
        assert small.cluster_id not in clusters
        ends.append([clusters.index(cluster) for cluster in clusters])
        mine = [row.cluster_id for row in grouped if row.candidate.candidate_id == leaving]
        assert mine == [other]
        house.store.close()
        house.transport.close()
    assert ends[0] == ends[1]
