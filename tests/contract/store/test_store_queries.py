"""What the board reads."""

from __future__ import annotations

import pytest

from tests.support.cases import ANNA, AT, BEN, STREAM, Desk, a_reason
from tests.support.seed import seed_store
from triage.case_queries import FoundCohort
from triage.commands import MergeClusters, SplitCluster
from triage.model import ClusterStatus, Counters, Influence, VerdictKind
from triage.queries import QueueFilter
from triage.store.base import Store


def ids(desk: Desk, where: QueueFilter, offset: int = 0, limit: int = 50) -> list[str]:
    page = desk.store.queue(where, offset, limit)
    if offset == 0 and limit == 50:
        assert page.total == len(page.rows)
    return [row.cluster_id for row in page.rows]


class TestQueue:
    def test_orders(self, desk: Desk) -> None:
        weak = desk.cluster(3, "weak", margin=-1.0, event_time=AT)
        strong = desk.cluster(1, "strong", margin=2.0, event_time=AT - 50)
        middle = desk.cluster(2, "middle", margin=1.0, event_time=AT - 90)
        assert ids(desk, QueueFilter()) == [strong, middle, weak]
        assert ids(desk, QueueFilter(order="newest")) == [weak, strong, middle]
        assert ids(desk, QueueFilter(order="largest")) == [weak, middle, strong]

    def test_pages_hold_each_row_once_even_where_all_are_alike(self, desk: Desk) -> None:
        made = {desk.cluster(1, f"c{i}", margin=0.5) for i in range(7)}
        pages = [row for start in (0, 3, 6) for row in ids(desk, QueueFilter(), start, 3)]
        assert len(pages) == 7
        assert set(pages) == made
        assert desk.store.queue(QueueFilter(), 3, 3).total == 7
        assert ids(desk, QueueFilter(), 7, 3) == []

    def test_pages_far_down_go_on_where_those_before_end(self, store: Store) -> None:
        """Uncertain ones stand in the head though their worth has them far down."""
        seed_store(store, clusters=300)
        first = store.queue(QueueFilter(), 0, 300)
        whole = [row.cluster_id for row in first.rows]
        assert len(set(whole)) == first.total > 200
        for step in (25, 110):
            pages = [store.queue(QueueFilter(), start, step) for start in range(0, 300, step)]
            assert [row.cluster_id for page in pages for row in page.rows] == whole
        assert list(store.queue(QueueFilter(), 300, 25).rows) == []

    def test_pages_far_down_lose_none_of_many_that_are_worth_the_same(self, desk: Desk) -> None:
        desk.policy(random_share=0.2)
        for part in range(4):
            desk.group_each(desk.add(60, margin=float(part % 2)), f"part {part}")
        first = desk.store.queue(QueueFilter(), 0, 300)
        whole = [row.cluster_id for row in first.rows]
        assert len(set(whole)) == first.total == 240
        assert len({row.worth for row in first.rows}) == 2
        pages = [desk.store.queue(QueueFilter(), start, 25) for start in range(0, 250, 25)]
        assert [row.cluster_id for page in pages for row in page.rows] == whole

    def test_filters(self, desk: Desk) -> None:
        other = Desk(desk.store, "network")
        here = desk.cluster(1, "here", entity="c7", entities={"customer": "c7", "ip": "10.0.0.1"})
        there = other.cluster(1, "there", entity="Web1")
        assert ids(desk, QueueFilter(stream="network")) == [there]
        assert ids(desk, QueueFilter(entity="c7")) == [here]
        assert ids(desk, QueueFilter(entity="10.0.0.1")) == [here]
        assert ids(desk, QueueFilter(entity="c")) == []
        assert ids(desk, QueueFilter(stream="network", entity="c7")) == []

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("terminal", True),
            ("TERMINAL 881", True),
            ("payments cust", True),
            ("zebra", False),
            ("terminal zebra", False),
            ("10.0.0.1", True),  # an entity that isn't in the title
            ("100%", False),
            ("_", False),
            ("'; --", False),
            ("   ", True),
        ],
    )
    def test_text(self, desk: Desk, text: str, found: bool) -> None:
        desk.cluster(1, entities={"ip": "10.0.0.1"})
        assert len(ids(desk, QueueFilter(text=text))) == found
        assert len(ids(desk, QueueFilter(text=text, status=None, viewer="anna"))) == found

    def test_a_leading_reason(self, desk: Desk) -> None:
        names = ['amount "net"', "Größe_1", "100 %", "hour", "beyond the third"]
        reasons = tuple(a_reason(name, 5.0 - at) for at, name in enumerate(names))
        led = desk.cluster(1, "led", reasons=reasons)
        other = desk.cluster(1, "other")
        assert ids(desk, QueueFilter(feature="amount")) == [other]
        for name in names[:3]:
            assert ids(desk, QueueFilter(feature=name)) == [led]
            assert ids(desk, QueueFilter(feature=name, status=None, viewer="anna")) == [led]
        for name in (*names[3:], "amount %", "Gr_", "%", "", "amount net", 'net"'):
            assert led not in ids(desk, QueueFilter(feature=name))

    def test_a_cohort(self, desk: Desk) -> None:
        spain = desk.cluster(2, "spain", cohorts={"country": "ES", "role": "a:b"})
        both = desk.group(desk.add(1, cohorts={"country": "ES"}), "both")
        desk.group(desk.add(1, cohorts={"country": "FR"}), "both")
        nowhere = desk.cluster(1, "nowhere", entities={"country": "ES"})
        assert set(ids(desk, QueueFilter(cohort=("country", "ES")))) == {spain, both}
        france = QueueFilter(cohort=("country", "FR"), status=None, viewer="anna")
        assert ids(desk, france) == [both]
        assert ids(desk, QueueFilter(cohort=("role", "a:b"))) == [spain]
        for pair in (("role", "ES"), ("country", "E"), ("", "ES"), ("country", "")):
            assert ids(desk, QueueFilter(cohort=pair)) == []
        assert nowhere not in ids(desk, QueueFilter(cohort=("country", "ES")))
        assert desk.store.cohorts_like("E", 9) == [FoundCohort("country", "ES", 2)]
        assert {one.value for one in desk.store.cohorts_like("", 9)} == {"ES", "FR", "a:b"}
        (member, _) = desk.store.members(spain, 0, 9)
        assert member.candidate.cohorts == {"country": "ES", "role": "a:b"}

    def test_a_cohort_goes_where_its_members_go(self, desk: Desk) -> None:
        french, spanish = (desk.add(1, cohorts={"country": name})[0] for name in ("FR", "ES"))
        cluster = desk.group([french, spanish])
        leaving = SplitCluster(cluster, desk.row(cluster).revision, (french.candidate_id,), "s")
        done = desk.triage.regroup(leaving, ANNA, AT)
        assert ids(desk, QueueFilter(cohort=("country", "FR"))) == [done.other]
        assert ids(desk, QueueFilter(cohort=("country", "ES"))) == [cluster]
        rows = {one: desk.row(one).revision for one in (done.other, cluster)}
        back = MergeClusters(done.other, rows[done.other], cluster, rows[cluster], "m")
        desk.triage.regroup(back, ANNA, AT)
        assert ids(desk, QueueFilter(cohort=("country", "FR"))) == [cluster]

    def test_a_cohort_stays_with_what_nobody_read(self, desk: Desk) -> None:
        french, spanish = (desk.add(1, cohorts={"country": name})[0] for name in ("FR", "ES"))
        cluster = desk.group([french, spanish])
        verdict = desk.decide(cluster, VerdictKind.REAL, read=(french.candidate_id,))
        everything = QueueFilter(cohort=("country", "ES"), status=None)
        assert verdict.rest is not None
        assert ids(desk, everything) == [verdict.rest]
        desk.undo(verdict.verdict_id)
        assert ids(desk, everything) == [cluster]

    def test_statuses(self, desk: Desk) -> None:
        waiting = desk.cluster(1, "waiting", margin=0.1)
        second = desk.cluster(1, "second", margin=0.2)
        decided = desk.cluster(1, "decided", margin=0.3)
        desk.decide(second, VerdictKind.UNSURE, ANNA)
        desk.decide(decided, VerdictKind.REAL, ANNA)
        listed = {
            status: ids(desk, QueueFilter(status=status)) for status in [None, *ClusterStatus]
        }
        assert listed == {
            None: [decided, second, waiting],
            ClusterStatus.OPEN: [waiting],
            ClusterStatus.SECOND_OPINION: [second],
            ClusterStatus.DECIDED: [decided],
            ClusterStatus.SUPPRESSED: [],
            ClusterStatus.MERGED: [],
        }
        assert ids(desk, QueueFilter(viewer="anna")) == [waiting]
        assert ids(desk, QueueFilter(viewer="ben")) == [second, waiting]
        assert ids(desk, QueueFilter(viewer="anna", status=ClusterStatus.SECOND_OPINION)) == []
        assert ids(desk, QueueFilter(viewer="ben", status=ClusterStatus.SECOND_OPINION)) == [second]
        assert ids(desk, QueueFilter(viewer="ben", text="terminal")) == [second, waiting]

    def test_the_position_is_of_the_newest_change_in_it(self, desk: Desk) -> None:
        desk.cluster(1)
        page = desk.store.queue(QueueFilter(), 0, 5)
        assert page.position == desk.store.status(AT).position
        assert desk.store.changes_after(page.position, 5) == []


class TestCluster:
    def test_unknown(self, desk: Desk) -> None:
        assert desk.store.cluster("nowhere", 3) is None
        assert desk.store.members("nowhere", 0, 3) == []
        assert desk.store.entity_events("nowhere", 3) == []
        assert desk.store.verdict("nowhere") is None

    def test_members_strongest_first(self, desk: Desk) -> None:
        weak, strong, middle = (desk.add(1, margin=margin)[0] for margin in (-1.0, 1.0, 0.0))
        cluster_id = desk.group([weak, strong, middle])
        detail = desk.store.cluster(cluster_id, 2)
        assert detail is not None
        assert [member.candidate for member in detail.members] == [strong, middle]
        assert detail.members_total == 3
        assert [m.candidate for m in desk.store.members(cluster_id, 2, 5)] == [weak]
        assert (detail.method, detail.threshold, detail.config_version) == ("TreeSHAP", -1.0, "v1")

    def test_similar_past_cases(self, desk: Desk) -> None:
        alike = (a_reason("amount", 2.0), a_reason("hour", -0.5))
        other = (a_reason("distance", 2.0),)
        for name, kind, reasons in (
            ("a", VerdictKind.REAL, alike),
            ("b", VerdictKind.SPURIOUS, alike),
            ("c", VerdictKind.REAL, alike),
            ("d", VerdictKind.REAL, other),
        ):
            desk.decide(desk.group(desk.add(1, reasons=reasons), name), kind)
        desk.cluster(1, "undecided", reasons=alike)
        detail = desk.store.cluster(desk.cluster(1, "new", reasons=alike), 1)
        assert detail is not None
        assert detail.similar == {"real": 2, "spurious": 1}

    def test_the_same_key_is_similar_too_but_counts_once(self, desk: Desk) -> None:
        reasons = (a_reason("amount", 2.0),)
        desk.decide(desk.group(desk.add(1, reasons=reasons), "a", key="k"), VerdictKind.EXPECTED)
        other = (a_reason("hour", 2.0),)
        for name, why, count in (("b", reasons, 1), ("c", other, 1)):
            detail = desk.store.cluster(desk.group(desk.add(1, reasons=why), name, key="k"), 1)
            assert detail is not None
            assert detail.similar == {"expected": count}

    def test_what_was_taken_back_no_longer_counts(self, desk: Desk) -> None:
        reasons = (a_reason("amount", 2.0),)
        given = desk.decide(desk.group(desk.add(1, reasons=reasons), "a"), VerdictKind.REAL)
        new = desk.group(desk.add(1, reasons=reasons), "b")
        desk.undo(given.verdict_id)
        detail = desk.store.cluster(new, 1)
        assert detail is not None
        assert detail.similar == {}


class TestEntityEvents:
    def test_one_axis_without_repeats(self, desk: Desk) -> None:
        usual = [{"time": AT - 100 + i, "fields": {"amount": i}} for i in range(4)]
        first = desk.add(1, event_time=AT - 90, record={"amount": 99}, context=tuple(usual[:3]))
        seen = {"time": AT - 90, "fields": {"amount": 99}}  # the first one, now as context
        second = desk.add(1, event_time=AT - 80, record={"amount": 98}, context=(*usual[1:], seen))
        elsewhere = desk.add(1, event_time=AT - 70, record={"amount": 97}, context=())
        stranger = desk.add(1, event_time=AT - 60, entity="c2", record={"amount": 1}, context=())
        cluster_id = desk.group([*first, *second, *stranger], "a")
        other_id = desk.group(elsewhere, "b")
        events = desk.store.entity_events(cluster_id, 50)
        assert [(event.time - AT, event.fields["amount"]) for event in events] == [
            (-100, 0), (-99, 1), (-98, 2), (-97, 3), (-90, 99), (-80, 98), (-70, 97),
        ]  # fmt: skip
        assert [event.candidate_id for event in events[-3:]] == [
            member.candidate_id for member in [*first, *second, *elsewhere]
        ]
        assert [event.cluster_id for event in events[-4:]] == [
            None, cluster_id, cluster_id, other_id,
        ]  # fmt: skip
        assert desk.store.entity_events(cluster_id, 2) == events[-2:]
        assert desk.store.entity_events(cluster_id, 3) == events[-3:]
        assert desk.store.entity_events(other_id, 50) == events  # the same customer

    def test_it_ends_with_the_clusters_last_event(self, desk: Desk) -> None:
        first = desk.cluster(1, "a", event_time=AT, context=(), record={"amount": 1})
        desk.cluster(1, "b", event_time=AT + 9, context=(), record={"amount": 2})
        assert [event.fields["amount"] for event in desk.store.entity_events(first, 9)] == [1]


class TestStatus:
    def test_streams(self, store: Store) -> None:
        desk = Desk(store, partitions=2)
        desk.policy()
        desk.commit(
            desk.part(
                0, counters=Counters(accepted=5), warm_up_left=7, last_event_time=AT - 9, delay=2.5
            ),
            desk.part(1, counters=Counters(accepted=6, late=1), last_event_time=AT - 4),
            at=AT + 1,
        )
        (stream,) = store.status(AT).streams
        assert (stream.stream, stream.title, stream.partitions) == (STREAM, "Payments", 2)
        assert stream.counters == Counters(accepted=11, late=1)
        assert (stream.warm_up_left, stream.open_clusters, stream.model_version) == (7, 0, 0)
        assert (stream.last_event_time, stream.last_commit_at) == (AT - 4, AT + 1)
        assert stream.delay == 2.5
        desk.cluster(1)
        assert store.status(AT).streams[0].open_clusters == 1

    def test_what_was_decided_today(self, desk: Desk) -> None:
        midnight = AT - AT % 86_400
        desk.decide(desk.cluster(1, "a"), at=midnight - 1)
        desk.decide(desk.cluster(1, "b"), at=midnight)
        verdict = desk.decide(desk.cluster(1, "c"), at=midnight + 5)
        desk.undo(verdict.verdict_id, at=midnight + 6)
        status = desk.store.status(midnight + 10)
        assert (status.decided_today, status.open_clusters) == (1, 1)

    def test_a_second_opinion_is_open_work(self, desk: Desk) -> None:
        desk.decide(desk.cluster(1), VerdictKind.UNSURE)
        assert desk.store.status(AT).open_clusters == 1


def test_recent_verdicts_newest_first(desk: Desk) -> None:
    made = [desk.decide(desk.cluster(1, name), actor=BEN).verdict_id for name in "abc"]
    assert [row.verdict_id for row in desk.store.recent_verdicts(2)] == [made[2], made[1]]


def test_changes_come_in_order_and_in_parts(desk: Desk) -> None:
    for name in "abc":
        desk.cluster(1, name)
    first, second = desk.store.changes_after(0, 2)
    assert [first.change_id, second.change_id] == [1, 2]
    assert [change.change_id for change in desk.store.changes_after(2, 50)] == [3]


def test_a_seeded_store_has_a_bit_of_everything(store: Store) -> None:
    made = seed_store(store, clusters=60)
    assert len(set(made)) == 60
    assert {row.stream for row in store.queue(QueueFilter(), 0, 60).rows} == {
        "payments", "network", "cloudtrail",
    }  # fmt: skip
    tested_elsewhere = {ClusterStatus.SUPPRESSED, ClusterStatus.MERGED}
    for status in set(ClusterStatus) - tested_elsewhere:
        assert store.queue(QueueFilter(status=status), 0, 5).total > 0


class TestEntity:
    def test_unknown(self, desk: Desk) -> None:
        desk.cluster(1, entities={"customer": "c7"})
        assert desk.store.entity("customer", "nobody", 5) is None
        assert desk.store.entity("terminal", "c7", 5) is None

    def test_its_clusters_its_verdicts_and_its_events(self, desk: Desk) -> None:
        mine = {"customer": "c7", "terminal": "881"}
        context = (
            {"time": AT - 900, "fields": {"customer": "c7", "amount": 30.0}},
            {"time": AT - 800, "fields": {"customer": "c8", "amount": 31.0}},
        )
        old = desk.cluster(2, "old", entities=mine, event_time=AT - 500, context=context)
        new = desk.cluster(1, "new", entities=mine, event_time=AT - 100, context=context)
        other = desk.cluster(4, "other", entities={"customer": "c8", "terminal": "881"})
        desk.decide(old, VerdictKind.SPURIOUS)
        found = desk.store.entity("customer", "c7", 50, "anna")
        assert found is not None
        assert [row.cluster_id for row in found.clusters] == [new, old]
        assert found.members == {new: 1, old: 2}
        assert (found.clusters_total, found.members_total) == (2, 3)
        assert found.verdicts == {"spurious": 1}
        kinds = [(event.time, event.cluster_id) for event in found.events]
        assert kinds == [(AT - 900, None), (AT - 500, old), (AT - 100, new)]
        terminal = desk.store.entity("terminal", "881", 1)
        assert terminal is not None
        assert terminal.members_total == 7
        assert len(terminal.clusters) == 1
        assert terminal.clusters[0].cluster_id in {new, other}

    def test_the_events_of_the_streams_key_leave_it_out(self, desk: Desk) -> None:
        context = ({"time": AT - 900, "fields": {"amount": 30.0}},)
        mine = {"customer": "c7", "terminal": "881"}
        desk.cluster(1, entity="c7", entities=mine, event_time=AT - 100, context=context)
        customer = desk.store.entity("customer", "c7", 5)
        terminal = desk.store.entity("terminal", "881", 5)
        assert customer is not None
        assert terminal is not None
        assert [event.time for event in customer.events] == [AT - 900, AT - 100]
        assert [event.time for event in terminal.events] == [AT - 100]

    def test_a_second_opinion_stays_blind(self, desk: Desk) -> None:
        waiting = desk.cluster(1, entities={"customer": "c7"})
        desk.decide(waiting, VerdictKind.UNSURE, ANNA)
        seen = desk.store.entity("customer", "c7", 5, "ben")
        assert seen is not None
        assert (seen.clusters[0].status, seen.clusters[0].verdict) == (ClusterStatus.OPEN, None)
        assert seen.verdicts == {}


def test_a_cluster_tells_which_verdicts_had_moved_it(desk: Desk) -> None:
    real, benign = desk.cluster(2, "real"), desk.cluster(1, "benign")
    asked = [row.candidate for row in desk.store.members(real, 0, 2)]
    other = desk.store.members(benign, 0, 1)[0].candidate
    influences = (
        Influence(asked[0].candidate_id, 1.0, 0.75),
        Influence(other.candidate_id, 0.0, -1.0),
        Influence(asked[1].candidate_id, 0.9, 0.5),
        Influence("forgotten", 1.0, 3.0),
    )
    moved = desk.cluster(1, "moved", influences=influences)
    assert desk.store.members(moved, 0, 1)[0].candidate.influences == influences

    def told(viewer: str | None = None) -> list[tuple[str, bool, float]]:
        detail = desk.store.cluster(moved, 1, viewer)
        assert detail is not None
        return [(row.cluster_id, row.real, row.shift) for row in detail.influences]

    assert told() == [(real, True, 1.25), (benign, False, -1.0)]
    desk.decide(benign, VerdictKind.UNSURE, ANNA)  # a first opinion stays hidden
    assert told("ben") == [(real, True, 1.25)]
    assert told("anna") == [(real, True, 1.25), (benign, False, -1.0)]
    plain = desk.store.cluster(real, 1)
    assert plain is not None
    assert plain.influences == []
