"""The bound of wrong closings: by simulation it holds over whole runs, and it is not wasteful."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.bound import LEVEL, WEIGHTS, Drawn, most_wrong
from triage.closing import Closings, bound_of, is_drawn, probability, pull_of_rest
from triage.model import VerdictKind
from triage.policy import Policy

RUNS = 120
STEPS = 40  # verdicts of a run; the bound is looked at after each


def ever_broken(rng: np.random.Generator, rate: float, together: bool, adaptive: bool) -> bool:
    """Return whether the true number of wrong closings is above the bound at any time of a run."""
    drawn: list[Drawn] = []
    wrong_so_far = before = 0
    policy = Policy(audit_share=0.5)
    for look in range(STEPS):
        unread = int(rng.integers(1, 40))
        # drifting rates, and clusters that are wrong as a whole
        now = rate * (2.0 if look > STEPS // 2 else 0.5)
        wrong = rng.random(1 if together else unread) < now
        wrong = np.broadcast_to(wrong, unread)
        p = probability(policy, look, before, unread) if adaptive else 0.1
        if adaptive and drawn and drawn[-1].wrong:
            p /= 4  # a probability may follow from all that was seen before
        audited = rng.random(unread) < p
        drawn.append(Drawn(p, unread, int((wrong & audited).sum())))
        wrong_so_far += int(wrong.sum())
        before += unread
        if wrong_so_far > most_wrong(drawn):
            return True
    return False


@pytest.mark.parametrize("rate", [0.01, 0.08, 0.4])
@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("adaptive", [False, True])
def test_the_truth_is_above_the_bound_in_at_most_one_run_of_twenty(
    rate: float, together: bool, adaptive: bool
) -> None:
    rng = np.random.default_rng(7)
    broken = sum(ever_broken(rng, rate, together, adaptive) for _ in range(RUNS))
    # three standard deviations above the nominal level would still be chance
    assert broken <= RUNS * LEVEL + 3 * (RUNS * LEVEL * (1 - LEVEL)) ** 0.5


def test_it_costs_little_more_than_the_rule_of_three() -> None:
    clean = most_wrong([Drawn(0.05, 6_000)])
    assert 3 / 0.05 - 3 < clean < 1.3 * 3 / 0.05
    assert sum(WEIGHTS) == pytest.approx(1.0)


def test_all_read_leaves_nothing_in_doubt() -> None:
    assert most_wrong([Drawn(1.0, 500)]) == 0
    assert most_wrong([]) == 0
    assert most_wrong([Drawn(0.0, 500)]) == 500


@given(
    st.lists(st.tuples(st.floats(0.0, 1.0), st.integers(1, 200)), min_size=1, max_size=8),
    st.integers(0, 5),
)
def test_more_found_wrong_never_lowers_it(groups: list[tuple[float, int]], wrong: int) -> None:
    size = sum(count for _, count in groups)

    def bound(found: int) -> int:
        (p, count), *others = groups
        return most_wrong([Drawn(p, count, found), *(Drawn(*one) for one in others)])

    assert min(wrong, size) <= bound(wrong) <= max(size, wrong)
    assert bound(wrong) <= bound(wrong + 1)
    assert most_wrong([Drawn(*one) for one in reversed(groups)]) == bound(0)


def test_closing_needs_a_bound_at_or_below_the_limit() -> None:
    seen = Closings([Drawn(0.1, 1_000)], audits=96, waiting=2, closed=12)
    bound = bound_of("s", seen, Policy(closing_limit=0.05))
    assert (bound.closings, bound.audits, bound.wrong, bound.waiting, bound.closed) == (
        *(1_000, 96, 0, 2, 12),
    )
    assert 0.03 < bound.share <= 0.05
    assert bound.met
    assert not bound_of("s", seen, Policy(closing_limit=0.02)).met
    assert not bound_of("s", seen, Policy(closing_limit=0.0)).met


def test_nothing_known_closes_nothing() -> None:
    bound = bound_of("s", Closings([], 0, 0, 0), Policy(closing_limit=0.9))
    assert (bound.share, bound.met) == (1.0, False)


def test_audits_are_the_policys_share_of_the_looks() -> None:
    policy = Policy(audit_share=0.1, audit_seed=3)
    rng = np.random.default_rng(0)
    before = drawn = 0
    for look in range(400):
        unread = int(rng.pareto(1.2) * 5) + 1  # few large clusters, many small ones
        share = probability(policy, look, before, unread)
        drawn += sum(is_drawn(policy, f"c{look}", f"m{i}", share) for i in range(unread))
        before += unread
    assert 25 <= drawn <= 75


def test_few_different_probabilities_occur() -> None:
    policy = Policy()
    shares = {probability(policy, look, 20 * look, 1 + look % 50) for look in range(3_000)}
    assert len(shares) < 60
    assert probability(Policy(audit_share=0.0), 5, 5, 5) == 0.0
    assert probability(policy, 1_000, 0, 1) == 1.0


def test_who_is_drawn_follows_from_ids_and_seed() -> None:
    def drawn(seed: int, cluster: str) -> list[int]:
        policy = Policy(audit_seed=seed)
        return [i for i in range(2_000) if is_drawn(policy, cluster, f"m{i}", 0.1)]

    assert drawn(0, "c") == drawn(0, "c")
    assert drawn(0, "c") != drawn(1, "c")
    assert drawn(0, "c") != drawn(0, "d")
    assert 140 < len(drawn(0, "c")) < 260
    assert not any(is_drawn(Policy(), "c", f"m{i}", 0.0) for i in range(100))
    assert all(is_drawn(Policy(), "c", f"m{i}", 1.0) for i in range(100))


def test_the_rest_of_a_dismissal_sinks_with_what_was_read() -> None:
    assert pull_of_rest(VerdictKind.REAL, 5) == 0.5
    assert pull_of_rest(VerdictKind.SPURIOUS, 1) == pytest.approx(1 / 3)
    assert pull_of_rest(VerdictKind.PIPELINE_FAULT, 8) == pytest.approx(1 / 10)
