"""How sure a mean over a few seeds is said to be."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.intervals import half_interval, interval


def test_few_seeds_are_surer_of_nothing_than_many() -> None:
    assert interval([1.0]) == (1.0, 0.0)
    assert interval([1.0, 3.0]) == (2.0, 12.7062)  # Student's, one degree of freedom
    assert interval([1.0, 2.0, 3.0]) == (2.0, 2.4841)  # 4.303 / sqrt(3)
    assert half_interval([[1.0], [3.0]]) == pytest.approx([12.7062], abs=1e-4)
    assert np.isnan(half_interval([[1.0]]))


def test_an_interval_holds_the_true_mean_in_nineteen_cases_of_twenty() -> None:
    values = np.random.default_rng(5).normal(size=(3, 4_000))
    held = np.abs(values.mean(axis=0)) <= half_interval(values)
    assert held.mean() == pytest.approx(0.95, abs=0.01)
