"""When a guard takes a tried version back."""

from __future__ import annotations

import pytest

from triage.trial import Limits, Trial, broken

LIMITS = Limits(after=1000, max_cost=2.0, max_volume=2.0, max_errors=0.01, max_lost=0)
FINE = Trial(events=5000, both=40, only_live=5, only_new=10, seconds_live=1.0, seconds_new=1.2)


@pytest.mark.parametrize(
    ("trial", "lost", "because"),
    [
        (FINE, 0, ""),
        (FINE, 1, "misses 1 verified findings"),
        (Trial(failed="KeyError: x"), 0, "it failed: KeyError: x"),
        (Trial(events=5000, both=10, only_new=60), 0, "70 candidates where there were 10"),
        (Trial(events=5000, both=10, only_new=15), 0, ""),  # could be chance
        (Trial(events=500, both=10, only_new=90), 0, ""),  # too early to say
        (Trial(events=5000, seconds_live=1.0, seconds_new=2.5), 0, "2.5 times as long"),
        (Trial(events=5000, dead_letters_new=300), 0, "5.7% of the events are dead letters"),
        (Trial(events=5000, dead_letters_live=300, dead_letters_new=300), 0, ""),
        (Trial(events=0, dead_letters_new=3000), 0, "100.0% of the events are dead letters"),
    ],
)
def test_a_guard_says_which_limit_is_broken(trial: Trial, lost: int, because: str) -> None:
    said = broken(trial, lost, LIMITS)
    assert because in said
    assert bool(said) == bool(because)
