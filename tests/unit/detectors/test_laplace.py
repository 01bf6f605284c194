"""However steps are solved, they lead to the one mode."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.base import Vector
from detectors.learning import laplace
from detectors.learning.laplace import Answers, Square, find_mode, sigmoid
from detectors.learning.leaf_kernel import shared_leaves

TREES = 40


def problem(
    rows: int, kinds: int, scale: float, seed: int, bound: float = 1.0
) -> tuple[Square, Vector, Answers]:
    """Return kernel, prior and answers; rows of a kind are much alike, some equal."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, kinds, rows)
    leaves = np.where(rng.random((rows, TREES)) < 0.3, rng.integers(0, 6, (rows, TREES)), 0)
    leaves = (leaves + 6 * kind[:, np.newaxis]).astype(np.int32)
    leaves[rng.integers(0, rows, rows // 4)] = leaves[0]
    y = np.where(rng.random(rows) < 0.1, rng.random(rows), kind % 2)
    weight = rng.choice([0.05, 0.3, 1.0], rows)
    answers = Answers(y, weight, np.full(rows, bound))
    return shared_leaves(leaves, leaves), rng.normal(-2.0, scale, rows), answers


def dense(K: Square, prior: Vector, answers: Answers, kappa: float) -> Vector:
    """Return the margins at the mode by Newton's method without any shortcut."""
    y, weight = answers.y, answers.weight
    shift = np.zeros(len(y))
    for _ in range(200):
        p = sigmoid(prior + shift)
        target = weight * p * (1 - p) * shift + weight * (y - p)
        system = np.eye(len(y)) + kappa * K * (weight * p * (1 - p))
        new = np.linalg.solve(system, kappa * (K @ target))
        moved = float(np.max(np.abs(new - shift)))
        shift = shift + min(1.0, 2.0 / moved if moved else 1.0) * (new - shift)
        if moved < 1e-11:
            break
    return prior + shift


@given(
    rows=st.sampled_from([2, 30, 90]),
    kinds=st.integers(1, 9),
    scale=st.sampled_from([0.0, 1.0, 8.0]),
    kappa=st.sampled_from([0.5, 40.0, 1000.0]),
    seed=st.integers(0, 99),
)
@settings(max_examples=20, deadline=None)
def test_the_mode_is_that_of_the_dense_method(
    rows: int, kinds: int, scale: float, kappa: float, seed: int
) -> None:
    K, prior, answers = problem(rows, kinds, scale, seed)
    mode = find_mode(K, prior, answers, kappa)
    np.testing.assert_allclose(
        prior + kappa * (K @ mode.alpha),
        dense(K, prior, answers, kappa),
        atol=1e-5 if kappa < 100 else 2e-4,  # the last change is at most 1e-4, what is left less
    )


@given(
    rows=st.sampled_from([1, 30, 90]),
    scale=st.sampled_from([1.0, 8.0]),
    kappa=st.sampled_from([0.5, 40.0, 1000.0]),
    bound=st.sampled_from([0.001, 0.04, 0.3]),
    seed=st.integers(0, 99),
)
@settings(max_examples=20, deadline=None)
def test_at_a_mode_with_bounds_each_coefficient_is_the_pull_of_its_label(
    rows: int, scale: float, kappa: float, bound: float, seed: int
) -> None:
    """The log posterior is concave, so where its slope is 0 there is the one mode.

    The kernel blows up what is left of the slope, so it is told as the step that it would cause.
    """
    K, prior, answers = problem(rows, 4, scale, seed, bound)
    alpha = find_mode(K, prior, answers, kappa).alpha
    shift = kappa * (K @ alpha)
    p = sigmoid(prior + shift)
    pull = answers.pull(p)
    system = np.eye(rows) + kappa * K * answers.curvature(p)
    left = np.linalg.solve(system, kappa * (K @ pull) - shift)
    np.testing.assert_allclose(left, 0.0, atol=1e-4)
    assert (pull >= -answers.weight * bound).all()


def test_the_slope_is_that_of_the_log_likelihood_and_the_curvature_that_of_the_slope() -> None:
    y = np.array([0.0, 0.0, 0.0, 1.0, 0.3])
    answers = Answers(y, np.array([1.0, 0.1, 1.0, 1.0, 1.0]), np.array([0.04, 0.2, 1.0, 0.04, 0.1]))
    step = 1e-5
    for margin in (-6.0, -2.0, 0.5, 9.0):
        for place in range(len(y)):
            below, here, above = (np.full(len(y), margin) for _ in range(3))
            below[place], above[place] = margin - step, margin + step
            rise = answers.log_likelihood(above) - answers.log_likelihood(below)
            assert rise / (2 * step) == pytest.approx(answers.pull(sigmoid(here))[place], abs=1e-6)
            turn = answers.pull(sigmoid(below)) - answers.pull(sigmoid(above))
            curvature = answers.curvature(sigmoid(here))[place]
            assert turn[place] / (2 * step) == pytest.approx(curvature, abs=1e-6)


def test_the_same_call_gives_the_same_bits_and_any_start_the_same_mode() -> None:
    K, prior, answers = problem(300, 5, 2.0, 1, bound=0.05)
    one, other = (find_mode(K, prior, answers, 40.0) for _ in range(2))
    assert one.alpha.tobytes() == other.alpha.tobytes()
    start = np.random.default_rng(0).normal(size=300)
    again = find_mode(K, prior, answers, 40.0, start)
    np.testing.assert_allclose(K @ again.alpha, K @ one.alpha, atol=1e-6)


def test_where_conjugate_gradients_take_too_long_a_factor_steps_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    K, prior, answers = problem(260, 5, 2.0, 2)
    usual = find_mode(K, prior, answers, 40.0)
    monkeypatch.setattr(laplace, "_MAX_PRODUCTS", 2)
    exact = find_mode(K, prior, answers, 40.0)
    np.testing.assert_allclose(K @ exact.alpha, K @ usual.alpha, atol=1e-6)
    assert exact.alpha.tobytes() != usual.alpha.tobytes()
