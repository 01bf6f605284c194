"""Members that nobody read: rests, blind audits, and closing while the bound allows it."""

from __future__ import annotations

import pytest

from tests.support.cases import ANNA, AT, BEN, LEAD, STREAM, Desk
from triage.closer import EVERY_S, Closer
from triage.commands import SplitCluster
from triage.errors import Conflict
from triage.model import ClusterStatus, KeepOut, VerdictKind
from triage.queries import QueueFilter, VerdictRow
from triage.truth import TruthReport

REAL, SPURIOUS, EXPECTED = VerdictKind.REAL, VerdictKind.SPURIOUS, VerdictKind.EXPECTED
ALL_AUDITED = {"audit_share": 0.5}  # of few members each is drawn


class Clock:
    now = AT

    def __call__(self) -> float:
        self.now += EVERY_S
        return self.now


def queue(desk: Desk, viewer: str | None = None) -> list[str]:
    where = QueueFilter(viewer=viewer)
    return [row.cluster_id for row in desk.store.queue(where, 0, 100).rows]


def dismiss(desk: Desk, name: str, size: int = 3, kind: VerdictKind = SPURIOUS) -> VerdictRow:
    cluster_id = desk.cluster(size, name)
    return desk.decide(cluster_id, kind, read=desk.first(cluster_id))


def audits_for(desk: Desk, viewer: str) -> list[str]:
    """Return the clusters of one member that the viewer is shown."""
    rows = desk.store.queue(QueueFilter(viewer=viewer), 0, 100).rows
    return [row.cluster_id for row in rows if row.size == 1]


def met(desk: Desk, limit: float = 0.3) -> None:
    """Let the bound be met: of three closings each is read, and nothing is wrong."""
    desk.policy(audit_share=0.5, closing_limit=limit)
    desk.decide(desk.cluster(1, "bens"), SPURIOUS, BEN)
    dismiss(desk, "first", 4)
    for cluster_id in audits_for(desk, "ben"):
        desk.decide(cluster_id, SPURIOUS, BEN)
    (bound,) = desk.store.bounds()
    assert (bound.met, bound.audits, bound.wrong) == (True, 3, 0)


class TestRest:
    @pytest.mark.parametrize("kind", [REAL, SPURIOUS, VerdictKind.PIPELINE_FAULT])
    def test_what_nobody_read_waits_in_a_cluster_that_follows(
        self, desk: Desk, kind: VerdictKind
    ) -> None:
        desk.policy(audit_share=0.0)
        cluster_id = desk.cluster(3)
        read = desk.first(cluster_id)
        verdict = desk.decide(cluster_id, kind, read=read)
        assert (verdict.propagated, verdict.audited, verdict.closed) == (2, 0, 0)
        assert verdict.rest is not None
        rest = desk.row(verdict.rest)
        assert (rest.status, rest.size, rest.predecessor) == (ClusterStatus.OPEN, 2, cluster_id)
        assert rest.title == "Rest of 3 payments, terminal 881"
        assert desk.members(cluster_id) == {read[0]: "read"}
        assert desk.row(cluster_id).score > rest.weakest == desk.row(cluster_id).weakest
        assert (desk.row(cluster_id).size, desk.row(cluster_id).title) == (
            *(1, "3 payments, terminal 881"),
        )
        entity = desk.store.entity("terminal", "881", 10)
        assert entity is not None
        assert entity.members_total == 3

    def test_a_look_at_the_rest_of_a_dismissal_is_worth_less(self, desk: Desk) -> None:
        desk.policy(audit_share=0.0)
        dismissed, confirmed = dismiss(desk, "a"), dismiss(desk, "b", kind=REAL)
        assert dismissed.rest is not None
        assert confirmed.rest is not None
        row = desk.row(dismissed.rest)
        assert row.worth == pytest.approx(10 * row.posterior / 3)
        other = desk.row(confirmed.rest)
        assert other.worth == pytest.approx(10 * other.posterior / 2)
        desk.commit(desk.part(rescored=dict.fromkeys(desk.members(dismissed.rest), 0.3)))
        assert desk.row(dismissed.rest).worth == pytest.approx(1.0)

    def test_nothing_joins_a_rest(self, desk: Desk) -> None:
        desk.policy(audit_share=0.0)
        rest = dismiss(desk, "a").rest
        assert rest is not None
        assert desk.store.decided([rest]) == {rest}
        with pytest.raises(Conflict, match="successors"):
            desk.store.save_groups(
                STREAM, [desk.update(rest, desk.add(1))], desk.made, desk.lease, AT
            )

    def test_unsure_leaves_all_where_it_is(self, desk: Desk) -> None:
        cluster_id = desk.cluster(3)
        verdict = desk.decide(cluster_id, VerdictKind.UNSURE, read=desk.first(cluster_id))
        assert (verdict.rest, verdict.propagated) == (None, 0)
        second = desk.decide(cluster_id, REAL, BEN, read=desk.first(cluster_id))
        assert second.rest is not None

    def test_undo_brings_everything_back(self, desk: Desk) -> None:
        desk.policy(**ALL_AUDITED)
        cluster_id = desk.cluster(8)
        before = (desk.row(cluster_id), desk.members(cluster_id))
        verdict = desk.decide(cluster_id, SPURIOUS, read=desk.first(cluster_id))
        assert verdict.audited > 0
        undone = desk.undo(verdict.verdict_id)
        assert (undone.rest, undone.audited) == (None, 0)
        after = desk.row(cluster_id)
        assert after.revision == 3
        assert (after.size, after.worth, after.status) == (8, before[0].worth, ClusterStatus.OPEN)
        assert (after.score, after.weakest) == (before[0].score, before[0].weakest)
        assert desk.members(cluster_id) == before[1]
        assert queue(desk) == [cluster_id]
        assert desk.store.bounds() == []
        again = desk.decide(cluster_id, SPURIOUS, read=desk.first(cluster_id))
        assert again.propagated == 7

    def test_undo_counts_the_scores_of_what_is_there_by_then(self, desk: Desk) -> None:
        desk.policy(audit_share=0.0)
        members = [desk.add(1, margin=margin)[0] for margin in (0.5, 1.0, 3.0)]
        cluster_id = desk.group(members)
        read = [member.candidate_id for member in members[:2]]
        verdict = desk.decide(cluster_id, SPURIOUS, read=read)
        desk.triage.regroup(
            SplitCluster(
                cluster_id,
                members=(read[1],),
                revision=desk.row(cluster_id).revision,
                idempotency_key="apart",
            ),
            ANNA,
            AT,
        )
        assert desk.row(cluster_id).score == 3.0
        desk.undo(verdict.verdict_id)
        assert (desk.row(cluster_id).score, desk.row(cluster_id).weakest) == (5.5, 3.0)

    def test_undo_leaves_a_rest_that_somebody_decided(self, desk: Desk) -> None:
        desk.policy(audit_share=0.0)
        cluster_id = desk.cluster(3)
        verdict = desk.decide(cluster_id, SPURIOUS, read=desk.first(cluster_id))
        assert verdict.rest is not None
        desk.decide(verdict.rest, SPURIOUS, BEN)
        desk.undo(verdict.verdict_id)
        assert desk.row(verdict.rest).status == ClusterStatus.DECIDED
        assert desk.row(cluster_id).size == 1

    def test_what_an_expected_verdict_covers_is_kept_out(self, desk: Desk) -> None:
        desk.policy(audit_share=0.0)
        cluster_id = desk.cluster(3)
        verdict = desk.decide(
            cluster_id, EXPECTED, read=desk.first(cluster_id), keep_out=KeepOut.ENTITY
        )
        assert verdict.rest is not None
        assert desk.row(verdict.rest).status == ClusterStatus.SUPPRESSED
        desk.undo(verdict.verdict_id)
        assert queue(desk) == [cluster_id]
        again = desk.decide(
            cluster_id, EXPECTED, read=desk.first(cluster_id), keep_out=KeepOut.ENTITY
        )
        assert again.rest is not None
        assert desk.row(again.rest).status == ClusterStatus.SUPPRESSED

    def test_a_contrary_verdict_on_the_rest_takes_the_propagation_back(self, desk: Desk) -> None:
        desk.policy(audit_share=0.0)
        cluster_id = desk.cluster(4)
        read = desk.first(cluster_id)
        verdict = desk.decide(cluster_id, SPURIOUS, read=read)
        assert len(desk.labels()) == 4
        assert verdict.rest is not None
        found = desk.first(verdict.rest)
        desk.decide(verdict.rest, REAL, BEN, read=found)
        labels = desk.labels()
        assert labels[read[0]] == (0.0, 1.0)
        assert labels[found[0]] == (1.0, 1.0)
        assert sorted(weight for _, weight in labels.values()) == [0.1, 0.1, 1.0, 1.0]
        assert {y for y, weight in labels.values() if weight == 0.1} == {1.0}


class TestAudits:
    def test_they_are_blind(self, desk: Desk) -> None:
        desk.policy(**ALL_AUDITED)
        desk.decide(desk.cluster(1, "bens"), SPURIOUS, BEN)
        verdict = dismiss(desk, "a", 2)
        assert (verdict.audited, verdict.rest) == (1, None)
        (audit,) = audits_for(desk, "ben")
        detail = desk.store.cluster(audit, 5, "ben")
        assert detail is not None
        row = detail.row
        assert (row.status, row.predecessor, row.verdict) == (ClusterStatus.OPEN, None, None)
        assert (detail.similar, detail.verdicts, detail.bound) == ({}, [], None)
        assert row.title.startswith("1 event, ")
        desk.commit(desk.part(rescored=dict.fromkeys(desk.members(audit), 0.01)))
        assert desk.row(audit).posterior == row.posterior
        assert row.worth == pytest.approx(10 * row.posterior)

    def test_nothing_that_is_told_later_gives_the_answer_away(self, desk: Desk) -> None:
        desk.policy(**ALL_AUDITED)
        desk.decide(desk.cluster(1, "bens"), SPURIOUS, BEN)
        dismiss(desk, "a", 2)
        (audit,) = audits_for(desk, "ben")
        (member,) = desk.members(audit)
        desk.tell(TruthReport(id="cb-1", candidate_id=member, real=True))

        def shown(viewer: str) -> tuple[int, int, int]:
            detail = desk.store.cluster(audit, 5, viewer)
            assert detail is not None
            return len(detail.truths), len(detail.verdicts), len(detail.disputes)

        assert shown("ben") == (0, 0, 0)
        asked = desk.store.asked(audit)
        assert asked is not None
        assert asked.blind
        first = desk.decide(audit, REAL, BEN)
        assert shown("anna") == (0, 0, 0)
        second = desk.decide(audit, SPURIOUS, LEAD)
        assert shown("anna") == (1, 2, 0)
        assert not desk.store.asked(audit).blind  # type: ignore[union-attr]
        desk.undo(second.verdict_id, LEAD)
        desk.undo(first.verdict_id, BEN)
        assert desk.row(audit).status == ClusterStatus.OPEN
        assert shown("anna") == (0, 0, 0)
        told = [row.cluster_id for row in desk.store.recent_verdicts(10, "anna")]
        assert audit not in told

    def test_nobody_audits_a_verdict_of_his_own(self, desk: Desk) -> None:
        desk.policy(**ALL_AUDITED)
        desk.decide(desk.cluster(1, "bens"), SPURIOUS, BEN)
        dismiss(desk, "a", 2)
        assert audits_for(desk, "anna") == []
        (audit,) = audits_for(desk, "ben")
        with pytest.raises(Conflict, match="someone else"):
            desk.decide(audit, SPURIOUS, ANNA)

    def test_a_read_that_agrees_counts_at_once(self, desk: Desk) -> None:
        desk.policy(**ALL_AUDITED)
        desk.decide(desk.cluster(1, "bens"), SPURIOUS, BEN)
        dismiss(desk, "a", 2)
        (before,) = desk.store.bounds()
        assert (before.closings, before.audits, before.waiting, before.share) == (0, 0, 1, 1.0)
        (audit,) = audits_for(desk, "ben")
        desk.decide(audit, SPURIOUS, BEN)
        (bound,) = desk.store.bounds()
        assert (bound.closings, bound.audits, bound.wrong, bound.waiting) == (1, 1, 0, 0)
        (row,) = desk.store.audits(STREAM, 10)
        assert (row.wrong, row.kind, row.probability, row.actor) == (False, SPURIOUS, 1.0, "anna")

    def test_a_read_that_contradicts_waits_for_a_second_one(self, desk: Desk) -> None:
        desk.policy(**ALL_AUDITED)
        desk.decide(desk.cluster(1, "bens"), SPURIOUS, BEN)
        verdict = dismiss(desk, "a", 2)
        (audit,) = audits_for(desk, "ben")
        first = desk.decide(audit, REAL, BEN)
        assert desk.row(audit).status == ClusterStatus.SECOND_OPINION
        assert (first.learned, desk.publish(AT + 100)) == (True, [])
        assert audits_for(desk, "ben") == []
        with pytest.raises(Conflict, match="second opinion"):
            desk.decide(audit, REAL, BEN)
        assert desk.store.bounds()[0].waiting == 1
        assert audits_for(desk, "anna") == [audit]
        second = desk.decide(audit, REAL, ANNA)
        bound = desk.store.bounds()[0]
        assert (bound.audits, bound.wrong, bound.waiting, bound.share) == (1, 1, 0, 1.0)
        assert len(desk.publish(AT + 100)) == 1
        looks = desk.store.looks(STREAM, 10)
        assert [look.verdict_id for look in looks][1:] == [verdict.verdict_id, second.verdict_id]

    def test_a_contradiction_that_the_second_read_denies_is_none(self, desk: Desk) -> None:
        desk.policy(**ALL_AUDITED)
        desk.decide(desk.cluster(1, "bens"), SPURIOUS, BEN)
        dismiss(desk, "a", 2)
        (audit,) = audits_for(desk, "ben")
        desk.decide(audit, REAL, BEN)
        denied = desk.decide(audit, SPURIOUS, LEAD)
        assert desk.store.bounds()[0].wrong == 0
        desk.undo(denied.verdict_id, LEAD)
        assert desk.store.bounds()[0].waiting == 1
        assert desk.row(audit).status == ClusterStatus.SECOND_OPINION

    def test_who_works_alone_reads_twice(self, desk: Desk) -> None:
        desk.policy(**ALL_AUDITED)
        dismiss(desk, "a", 2)
        (audit,) = audits_for(desk, "anna")
        desk.decide(audit, REAL, ANNA)
        detail = desk.store.cluster(audit, 1, "anna")
        assert detail is not None
        assert detail.again
        assert audits_for(desk, "anna") == [audit]
        desk.decide(audit, REAL, ANNA)
        assert desk.store.bounds()[0].wrong == 1

    def test_members_of_a_rest_are_counted_once(self, desk: Desk) -> None:
        desk.policy(audit_share=0.02)
        verdict = dismiss(desk, "a", 30)
        assert verdict.rest is not None
        second = desk.decide(verdict.rest, SPURIOUS, BEN, read=desk.first(verdict.rest, 2))
        assert second.rest is not None
        desk.decide(second.rest, SPURIOUS, BEN, read=desk.first(second.rest))
        for audit in audits_for(desk, "ben"):
            desk.decide(audit, SPURIOUS, BEN)
        assert desk.store.bounds()[0].closings == 29

    def test_an_undone_verdict_stays_counted_once_an_audit_was_read(self, desk: Desk) -> None:
        desk.policy(**ALL_AUDITED)
        desk.decide(desk.cluster(1, "bens"), SPURIOUS, BEN)
        verdict = dismiss(desk, "a", 4)
        audits = audits_for(desk, "ben")
        desk.decide(audits[0], REAL, BEN)
        desk.decide(audits[0], REAL, LEAD)
        desk.undo(verdict.verdict_id)
        for audit in audits[1:]:
            desk.decide(audit, SPURIOUS, LEAD)
        (bound,) = desk.store.bounds()
        assert (bound.closings, bound.audits, bound.wrong) == (3, 3, 1)


class TestClosing:
    def test_it_starts_when_the_bound_is_met(self, desk: Desk) -> None:
        met(desk)
        desk.policy(audit_share=1e-6, closing_limit=0.3)
        cluster_id = desk.cluster(5, "k")
        verdict = desk.decide(cluster_id, SPURIOUS, read=desk.first(cluster_id, 2))
        assert (verdict.rest, verdict.closed, verdict.propagated) == (None, 3, 3)
        assert sorted(desk.members(cluster_id).values()) == ["closed"] * 3 + ["read"] * 2
        assert desk.store.open_candidates(STREAM, 0) == []
        detail = desk.store.cluster(cluster_id, 1)
        assert detail is not None
        assert detail.bound is not None
        assert detail.bound.closed == 3

    def test_real_ones_are_never_closed_unread(self, desk: Desk) -> None:
        met(desk)
        verdict = dismiss(desk, "k", kind=REAL)
        assert verdict.rest is not None
        assert verdict.closed == 0

    def test_rests_are_closed_in_bulk(self, desk: Desk) -> None:
        desk.policy(audit_share=0.0)
        unaudited = dismiss(desk, "never audited").rest
        desk.policy(audit_share=1e-6)
        rests = [dismiss(desk, name).rest for name in "abc"]
        kept = dismiss(desk, "real", kind=REAL).rest
        met(desk, limit=0.9)  # six of nine had hardly a chance to be audited
        closer = Closer(desk.store, STREAM, Clock())
        assert closer.step()
        assert not closer.step()
        assert desk.store.bounds()[0].closed == 6
        assert all(rest is not None and desk.store.cluster(rest, 1) is None for rest in rests)
        assert set(queue(desk)) == {kept, unaudited}

    def test_a_broken_bound_opens_everything_again(self, desk: Desk) -> None:
        met(desk)
        desk.policy(audit_share=1e-6, closing_limit=0.3)
        verdicts = [dismiss(desk, name, 4) for name in "ab"]
        assert [verdict.closed for verdict in verdicts] == [3, 3]
        desk.policy(audit_share=0.5, closing_limit=0.3)
        dismiss(desk, "bad", 2)
        (audit,) = audits_for(desk, "ben")
        desk.decide(audit, REAL, BEN)
        desk.decide(audit, REAL, LEAD)
        (bound,) = desk.store.bounds()
        assert (bound.met, bound.wrong) == (False, 1)
        closer = Closer(desk.store, STREAM, Clock())
        assert closer.step()
        assert not closer.step()
        assert desk.store.bounds()[0].closed == 0
        rests = [desk.store.verdict(verdict.verdict_id) for verdict in verdicts]
        assert all(row is not None and row.rest in queue(desk) for row in rests)

    def test_undo_opens_what_was_closed(self, desk: Desk) -> None:
        met(desk)
        desk.policy(audit_share=1e-6, closing_limit=0.3)
        verdict = dismiss(desk, "k", 5)
        assert verdict.closed == 4
        desk.undo(verdict.verdict_id)
        assert set(desk.members(verdict.cluster_id).values()) == {"open"}
        assert queue(desk) == [verdict.cluster_id]

    def test_off_means_off(self, desk: Desk) -> None:
        met(desk)
        assert desk.store.bounds()[0].share == 0.0
        desk.policy(audit_share=0.5, closing_limit=0.0)
        Closer(desk.store, STREAM, Clock()).step()
        assert dismiss(desk, "k", 9).closed == 0

    def test_a_stream_without_closings_has_no_bound(self, desk: Desk) -> None:
        dismiss(desk, "k", 1)
        assert desk.store.bounds() == []
