"""Recall by random looks: by simulation the bound holds over whole runs, and it is of use."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.bound import LEVEL, Drawn
from triage.draw import probability
from triage.recall import Arrivals, Recall, recall_of

RUNS = 100
DAYS = 25  # the bound is looked at after each
LOOKS = 20  # a day


def run(rng: np.random.Generator, rate: float, skill: float, share: float) -> Sequence[Recall]:
    """Return the recall after each day; raise if it is ever better than the truth.

    Clusters come in bursts. Of the real ones the queue finds those it has the skill for; the drawn
    ones are read as well.
    """
    drawn: list[Drawn] = []
    told: list[Recall] = []
    real_in_all = found = read = 0
    for day in range(DAYS):
        new = int(rng.integers(1, 200))
        now = rate * (2.0 if day > DAYS // 2 else 0.5)  # it drifts
        real = rng.random(new) < now
        chance = probability(share, LOOKS * day, sum(one.count for one in drawn), new)
        chosen = rng.random(new) < chance
        hits = int((real & chosen).sum())
        drawn.append(Drawn(chance, new, hits))
        real_in_all += int(real.sum())
        found += int((real & (chosen | (rng.random(new) < skill))).sum())
        read += int(chosen.sum())
        told.append(recall_of("s", Arrivals(drawn, read, found, 0)))
        if told[-1].most < real_in_all:
            raise ArithmeticError
    return told


@pytest.mark.parametrize("rate", [0.01, 0.1])
@pytest.mark.parametrize("skill", [0.1, 0.9])
def test_the_truth_is_above_the_bound_in_at_most_one_run_of_twenty(
    rate: float, skill: float
) -> None:
    rng = np.random.default_rng(11)
    broken = 0
    for _ in range(RUNS):
        try:
            run(rng, rate, skill, 0.2)
        except ArithmeticError:
            broken += 1
    # three standard deviations above the nominal level would still be chance
    assert broken <= RUNS * LEVEL + 3 * (RUNS * LEVEL * (1 - LEVEL)) ** 0.5


def test_who_misses_little_learns_so_and_who_misses_much_too() -> None:
    rng = np.random.default_rng(3)
    good, bad = (run(rng, 0.1, skill, 0.5)[-1] for skill in (0.95, 0.2))
    assert good.at_least > 0.4
    assert bad.at_least < 0.2
    assert good.guess == pytest.approx(good.found, rel=0.25)
    assert bad.guess is not None
    assert bad.guess > 2 * bad.found


def test_nothing_drawn_tells_nothing() -> None:
    recall = recall_of("s", Arrivals([], read=0, found=0, waiting=2))
    assert (recall.at_least, recall.most, recall.guess, recall.clusters) == (0.0, 0, None, 0)
    unread = recall_of("s", Arrivals([Drawn(1e-6, 1_000)], read=0, found=30, waiting=0))
    assert (unread.at_least, unread.most) == (0.03, 1_000)


@given(
    st.lists(st.tuples(st.floats(0.001, 1.0), st.integers(1, 500), st.floats(0, 1)), max_size=5),
    st.integers(0, 100),
)
def test_what_was_found_is_never_more_than_all(
    groups: list[tuple[float, int, float]], found: int
) -> None:
    drawn = [Drawn(chance, count, int(count * part)) for chance, count, part in groups]
    hits = sum(one.hits for one in drawn)
    recall = recall_of("s", Arrivals(drawn, read=hits, found=max(found, hits), waiting=0))
    assert 0.0 <= recall.at_least <= 1.0
    assert recall.most >= recall.found >= recall.read_real
    assert recall.guess is None or recall.guess >= recall.found
