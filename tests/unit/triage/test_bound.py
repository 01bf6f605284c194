"""The bound of wrong closings: by simulation it holds over whole runs, and it is not wasteful."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.bound import LEVEL, WEIGHTS, Drawn, least_chance, most_hits, most_hits_told
from triage.closing import Bound, Closings, bound_of, pull_of_rest
from triage.draw import probability
from triage.model import VerdictKind
from triage.policy import Policy

RUNS = 120
STEPS = 40  # verdicts of a run; the bound is looked at after each


def ever_broken(rng: np.random.Generator, rate: float, together: bool, adaptive: bool) -> bool:
    """Return whether the true number of wrong closings is above the bound at any time of a run."""
    drawn: list[Drawn] = []
    wrong_so_far = before = 0
    for look in range(STEPS):
        unread = int(rng.integers(1, 40))
        # drifting rates, and clusters that are wrong as a whole
        now = rate * (2.0 if look > STEPS // 2 else 0.5)
        wrong = rng.random(1 if together else unread) < now
        wrong = np.broadcast_to(wrong, unread)
        p = probability(0.5, look, before, unread) if adaptive else 0.1
        if adaptive and drawn and drawn[-1].hits:
            p /= 4  # a probability may follow from all that was seen before
        audited = rng.random(unread) < p
        drawn.append(Drawn(p, unread, int((wrong & audited).sum())))
        wrong_so_far += int(wrong.sum())
        before += unread
        if wrong_so_far > most_hits(drawn):
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


@dataclass(frozen=True, slots=True)
class Telling:
    """How late truth comes: of what share of closings, and how many verdicts later on average."""

    real: float
    benign: float
    late: float


def ever_broken_by_shared_errors(
    rng: np.random.Generator, rate: float, together: bool, telling: Telling
) -> tuple[bool, bool]:
    """Return whether late truth ever bore a bound out, and ever one that was below the truth.

    Readers call everything benign. The bound is looked at after every third verdict.
    """
    policy = Policy(closing_limit=0.4)
    real = np.empty(0, dtype=bool)
    audited = np.empty(0, dtype=bool)
    when = np.empty(0)
    borne_out = False
    for look in range(STEPS):
        unread = int(rng.integers(1, 40))
        new = np.broadcast_to(rng.random(1 if together else unread) < rate, unread)
        real = np.concatenate([real, new])
        audited = np.concatenate([audited, rng.random(unread) < 0.2])
        spoken_of = rng.random(unread) < np.where(new, telling.real, telling.benign)
        come = look + rng.exponential(telling.late, unread)
        when = np.concatenate([when, np.where(spoken_of, come, np.inf)])
        if look % 3:
            continue
        told = when <= look
        found = int((audited & told & real).sum())
        seen = Closings(
            [Drawn(0.2, len(real), found, found)],
            audits=int(audited.sum()),
            waiting=0,
            closed=0,
            told=int((audited & told).sum()),
            unread_real=int((~audited & told & real).sum()),
        )
        bound = bound_of("s", seen, policy)
        borne_out |= bound.by_truth
        if bound.by_truth and real.sum() > bound.share * len(real) + 1e-9:
            return True, True
    return borne_out, False


@pytest.mark.parametrize("rate", [0.03, 0.2])
@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize(
    "telling",
    [Telling(1.0, 1.0, 0.0), Telling(0.5, 0.5, 8.0), Telling(0.8, 0.3, 8.0)],
    ids=["all at once", "half and late", "sooner of the real ones"],
)
def test_what_late_truth_bears_out_holds_though_all_readers_are_wrong_alike(
    rate: float, together: bool, telling: Telling
) -> None:
    rng = np.random.default_rng(11)
    runs = [ever_broken_by_shared_errors(rng, rate, together, telling) for _ in range(RUNS // 2)]
    assert sum(out for out, _ in runs) > len(runs) / 2  # else it says nothing
    broken = sum(wrong for _, wrong in runs)
    assert broken <= len(runs) * LEVEL + 3 * (len(runs) * LEVEL * (1 - LEVEL)) ** 0.5


def test_few_truths_bear_nothing_out() -> None:
    rng = np.random.default_rng(12)
    runs = [
        ever_broken_by_shared_errors(rng, 0.2, True, Telling(0.05, 0.05, 0.0)) for _ in range(20)
    ]
    assert not any(out for out, _ in runs)


@pytest.mark.parametrize("chance", [0.02, 0.3, 0.97])
def test_the_least_chance_is_below_the_chance_in_all_but_few_runs(chance: float) -> None:
    rng = np.random.default_rng(13)
    hits = np.cumsum(rng.random((RUNS, 200)) < chance, axis=1)
    broken = sum(
        any(least_chance(n, int(run[n - 1]), LEVEL) > chance for n in range(1, 201, 3))
        for run in hits
    )
    assert broken <= RUNS * LEVEL + 3 * (RUNS * LEVEL * (1 - LEVEL)) ** 0.5


@given(st.integers(0, 300), st.data())
def test_more_told_makes_the_chance_no_smaller(tries: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, tries))
    chance = least_chance(tries, hits, LEVEL)
    assert 0 <= chance <= (hits / tries if tries else 0.0)
    assert chance <= least_chance(tries + 1, hits + 1, LEVEL)
    assert chance >= least_chance(tries + 1, hits, LEVEL)


@given(
    st.lists(st.tuples(st.floats(0.0, 1.0), st.integers(1, 200)), min_size=1, max_size=6),
    st.integers(0, 100),
    st.integers(0, 100),
)
def test_what_truth_calls_real_never_lowers_it(
    groups: list[tuple[float, int]], told: int, real: int
) -> None:
    (p, count), *others = groups
    real = min(real, told, count)

    def bound(real: int) -> int:
        drawn = [Drawn(p, count, real, real), *(Drawn(*one) for one in others)]
        return most_hits_told(drawn, 100, told)

    assert bound(0) <= bound(real)
    assert most_hits_told([Drawn(*one) for one in groups], 100, 0) == sum(n for _, n in groups)
    # what hears of fewer is never surer than the audits themselves
    assert bound(0) >= most_hits([Drawn(*one) for one in groups])


@given(st.integers(0, 200), st.integers(0, 200), st.integers(0, 1_000), st.integers(0, 50))
def test_truth_against_closings_never_lowers_the_bound(
    told: int, real: int, unread_real: int, wrong: int
) -> None:
    real = min(real, told)

    def bound(real: int, unread_real: int) -> Bound:
        drawn = [Drawn(0.1, 2_000, min(200, wrong + real), real)]
        seen = Closings(drawn, 200, 0, 0, told=told, unread_real=unread_real)
        return bound_of("s", seen, Policy(closing_limit=0.1))

    clean, told_of = bound(0, 0), bound(real, unread_real)
    assert clean.by_truth == told_of.by_truth  # follows from how many were told, not from what
    assert clean.share <= told_of.share
    assert told_of.share >= min(1.0, (min(200, wrong + real) + unread_real) / 2_000)


def test_it_costs_little_more_than_the_rule_of_three() -> None:
    clean = most_hits([Drawn(0.05, 6_000)])
    assert 3 / 0.05 - 3 < clean < 1.3 * 3 / 0.05
    assert sum(WEIGHTS) == pytest.approx(1.0)


def test_all_read_leaves_nothing_in_doubt() -> None:
    assert most_hits([Drawn(1.0, 500)]) == 0
    assert most_hits([]) == 0
    assert most_hits([Drawn(0.0, 500)]) == 500


@given(
    st.lists(st.tuples(st.floats(0.0, 1.0), st.integers(1, 200)), min_size=1, max_size=8),
    st.integers(0, 5),
)
def test_more_found_wrong_never_lowers_it(groups: list[tuple[float, int]], wrong: int) -> None:
    size = sum(count for _, count in groups)

    def bound(found: int) -> int:
        (p, count), *others = groups
        return most_hits([Drawn(p, count, found), *(Drawn(*one) for one in others)])

    assert min(wrong, size) <= bound(wrong) <= max(size, wrong)
    assert bound(wrong) <= bound(wrong + 1)
    assert most_hits([Drawn(*one) for one in reversed(groups)]) == bound(0)


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


def test_the_rest_of_a_dismissal_sinks_with_what_was_read() -> None:
    assert pull_of_rest(VerdictKind.REAL, 5) == 0.5
    assert pull_of_rest(VerdictKind.SPURIOUS, 1) == pytest.approx(1 / 3)
    assert pull_of_rest(VerdictKind.PIPELINE_FAULT, 8) == pytest.approx(1 / 10)
