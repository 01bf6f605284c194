"""The label log against a model of it: any history of verdicts, undos, workers and relays."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.support.cases import ANNA, AT, Desk
from triage.model import VerdictKind, VerdictState
from triage.store.base import Store

TEACHES = {VerdictKind.REAL: 1.0, VerdictKind.SPURIOUS: 0.0, VerdictKind.EXPECTED: 0.0}
Fold = Mapping[str, tuple[float, float]]


class LabelLog(RuleBasedStateMachine):
    """Each run has a stream of its own in the same store."""

    clusters = Bundle("clusters")
    verdicts = Bundle("verdicts")

    store: ClassVar[Store]

    def __init__(self) -> None:
        super().__init__()
        self.stream = f"s-{uuid.uuid4().hex[:12]}"
        self.desk = Desk(self.store, self.stream)
        self.desk.policy(audit_share=0.0)  # what is drawn gets no label
        self.now = AT
        self.force: dict[str, Fold] = {}  # verdict id -> its labels, while in force
        self.history: dict[int, Fold] = {0: {}}  # label position -> labels in force there
        self.taught_at: dict[str, int] = {}  # verdict id -> its newest label position
        self.position = 0
        self.learned = 0

    @rule(target=clusters, size=st.integers(1, 4))
    def arrive(self, size: int) -> str:
        return self.desk.cluster(size, f"{self.stream}-{self.desk.made}")

    @rule(
        target=verdicts,
        cluster=consumes(clusters),
        kind=st.sampled_from(sorted(set(VerdictKind) - {VerdictKind.UNSURE})),
        read=st.integers(1, 4),
    )
    def decide(self, cluster: str, kind: VerdictKind, read: int) -> tuple[str, str]:
        members = [m.candidate.candidate_id for m in self.desk.store.members(cluster, 0, 10)]
        verdict = self.desk.decide(cluster, kind, ANNA, self.now, read=tuple(members[:read]))
        if kind in TEACHES:
            self.position += len(members)
            self.taught_at[verdict.verdict_id] = self.position
            self.force[verdict.verdict_id] = {
                member: (TEACHES[kind], 1.0 if place < read else 0.1)
                for place, member in enumerate(members)
            }
        self.note()
        return verdict.verdict_id, cluster

    @rule(target=clusters, verdict=consumes(verdicts))
    def undo(self, verdict: tuple[str, str]) -> str:
        verdict_id, cluster = verdict
        self.desk.undo(verdict_id, ANNA, self.now)
        if self.force.pop(verdict_id, None) is not None:
            self.position += 1
        self.note()
        return cluster

    @rule(seconds=st.sampled_from([1.0, 5.0, 30.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def learn(self) -> None:
        self.learned = self.position
        self.desk.commit(self.desk.part(label_position=self.position), at=self.now)

    @rule()
    def publish(self) -> None:
        self.desk.publish(self.now)

    def note(self) -> None:
        self.history[self.position] = {
            member: label for labels in self.force.values() for member, label in labels.items()
        }

    @invariant()
    def the_newest_position_is_known(self) -> None:
        assert self.desk.store.label_position(self.stream) == self.position

    @invariant()
    def the_fold_is_what_is_in_force(self) -> None:
        assert self.desk.labels() == self.history[self.position]

    @invariant()
    def the_past_stays(self) -> None:
        for position in sorted(self.history)[-4:]:
            assert self.desk.labels(position) == self.history[position]

    @invariant()
    def verdicts_are_learned_up_to_the_workers_position(self) -> None:
        for row in self.desk.store.recent_verdicts(5):
            if row.verdict_id in self.force:
                assert row.learned == (self.taught_at[row.verdict_id] <= self.learned)
                assert row.state not in (VerdictState.UNDONE, VerdictState.RETRACTED)


def test_any_history_folds_to_what_is_in_force(store: Store) -> None:
    LabelLog.store = store
    run_state_machine_as_test(
        LabelLog, settings=settings(max_examples=6, stateful_step_count=12, deadline=None)
    )
