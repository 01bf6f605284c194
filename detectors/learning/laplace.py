"""Logistic regression with a Gaussian prior, in its kernel form: Newton's method to the mode.

Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), algorithm 3.1, with a prior
mean, a weight per label and a bound on how hard one pulls down: where its loss would be steeper it
goes on as a straight line (Huber, Robust Estimation of a Location Parameter, 1964), which keeps it
convex. Steps are solved by conjugate gradients, which need some ten products with the kernel: the
cost grows with the square of the number of labels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import threadpoolctl

from detectors.base import Vector
from detectors.jit import kernel

Square = npt.NDArray[np.float64]

_MAX_STEPS = 50  # Newton steps; eight are usual
_MAX_HALVINGS = 30  # of one step
_CLOSE = 1e-4  # last change of a label's margin; much less is left, for any kappa not more

_EXACT = 1e-3  # what conjugate gradients leave of a step; less costs more and saves no steps
_MAX_PRODUCTS = 200  # of one step; fifteen are usual, a factor costs as much as some fifty
_MAX_CHORDS = 15  # steps with a kept factorisation; four to eight are usual
_CLOSE_CHORD = 3e-4  # their last change; what is left is of that size, not its square

# One thread: the same bits whatever the number of cores, and on a busy machine far faster.
_BLAS = threadpoolctl.ThreadpoolController()


@dataclass(frozen=True, slots=True)
class Answers:
    """What was said of the rows of a fit; all are parallel.

    Attributes:
        y: 1 anomaly, 0 not, or between.
        weight: how much each counts, not below 0.
        bound: how hard each pulls its margin down at most, above 0; 1 or more is no bound.
    """

    y: Vector
    weight: Vector
    bound: Vector

    def log_likelihood(self, margins: Vector) -> float:
        """Return how likely the answers are, up to a constant."""
        near = np.minimum(margins, _logit(self.y + self.bound))
        straight = self.bound * (margins - near)
        return float(np.sum(self.weight * (self.y * near - np.logaddexp(0.0, near) - straight)))

    def pull(self, p: Vector) -> Vector:
        """Return its slope at these probabilities."""
        pull: Vector = self.weight * np.maximum(self.y - p, -self.bound)
        return pull

    def curvature(self, p: Vector) -> Vector:
        """Return how fast the slope falls."""
        return np.where(p - self.y < self.bound, self.weight * p * (1.0 - p), 0.0)


def _logit(p: Vector) -> Vector:
    """Return the margins of probabilities, infinite from 1 on."""
    with np.errstate(divide="ignore"):
        inner = np.minimum(p, 1.0)
        margins: Vector = np.log(inner) - np.log1p(-inner)
    return margins


@dataclass(frozen=True, slots=True)
class Mode:
    """The most probable shift of the margins.

    Attributes:
        alpha: one coefficient per label: the shift at a row x is
            ``kappa * sum of K(x, label) * alpha``. At the mode it is the pull of the label,
            ``weight * max(y - p, -bound)``; worked out so, what the last step left of ``p`` would
            be blown up by the kernel.
        curvature: ``weight * p * (1 - p)`` per label, 0 where the bound holds.
    """

    alpha: Vector
    curvature: Vector


@_BLAS.wrap(limits=1, user_api="blas")
def find_mode(
    K: Square, prior: Vector, answers: Answers, kappa: float, start: Vector | None = None
) -> Mode:
    """Return the mode of the posterior.

    Args:
        K: labels x labels, symmetric and positive semi-definite.
        prior: margins of the rows before any label.
        answers: what was said of them.
        kappa: prior variance of a shift.
        start: coefficients to start from; only the way there depends on them.
    """
    alpha = np.zeros(len(prior)) if start is None else start
    shift = kappa * (K @ alpha)
    best = _objective(alpha, shift, prior, answers)
    for _ in range(_MAX_STEPS):
        p = sigmoid(prior + shift)
        step = _newton_step(K, answers.curvature(p), kappa, answers.pull(p) - alpha)
        moves = kappa * (K @ step)
        if np.max(np.abs(moves), initial=0.0) < _CLOSE:
            alpha, shift = alpha + step, shift + moves
            break
        size = 1.0
        for _ in range(_MAX_HALVINGS):
            tried, tried_shift = alpha + size * step, shift + size * moves
            value = _objective(tried, tried_shift, prior, answers)
            if value >= best:
                break
            size /= 2.0
        else:
            break  # no way up: this is the mode, as far as numbers go
        alpha, shift, best = tried, tried_shift, value
    p = sigmoid(prior + shift)
    return Mode(alpha, answers.curvature(p))


def _newton_step(K: Square, curvature: Vector, kappa: float, missing: Vector) -> Vector:
    """Return how far the coefficients go; ``missing``: the gradient in terms of them."""
    root = np.sqrt(curvature)
    right = root * (kappa * (K @ missing))
    found = _conjugate_gradients(K, root, kappa, right)
    if found is None:
        found = solve(factor(K, curvature, kappa), right)
    return missing - root * found


def _conjugate_gradients(K: Square, root: Vector, kappa: float, right: Vector) -> Vector | None:
    """Return x with ``(I + root kappa K root) x = right`` nearly; None if that takes too long."""
    inverse = 1.0 / (1.0 + kappa * np.diagonal(K) * root * root)  # of the diagonal
    x, left = np.zeros_like(right), right.copy()
    near = inverse * left
    direction, size = near, left @ near
    enough = _EXACT**2 * (right @ right)
    for _ in range(_MAX_PRODUCTS):
        if left @ left <= enough:
            return x
        product = direction + kappa * (root * (K @ (root * direction)))
        length = size / (direction @ product)
        x = x + length * direction
        left = left - length * product
        near = inverse * left
        before, size = size, left @ near
        direction = near + (size / before) * direction
    return None


@dataclass(frozen=True, slots=True)
class Frozen:
    """A mode with its factorisation, kept to take further rows in.

    Attributes:
        K, kappa: what it was found with.
        lower: Cholesky factor of I + sqrt(W) kappa K sqrt(W) at the mode.
    """

    K: Square
    kappa: float
    mode: Mode
    lower: Square

    @classmethod
    def of(cls, K: Square, mode: Mode, kappa: float) -> Frozen:
        """Factorise once."""
        return cls(K, kappa, mode, factor(K, mode.curvature, kappa))


@_BLAS.wrap(limits=1, user_api="blas")
def find_mode_with_more(
    frozen: Frozen, across: Square, among: Square, prior: Vector, answers: Answers
) -> Vector:
    """Return the coefficients of the mode with further rows, the old ones first.

    Newton's method with the old rows' curvature as it was factorised and the new rows' own: a step
    costs the square of the number of rows. Where it is not there after some steps, the whole is
    factorised anew, from where it is.

    Args:
        frozen: the mode without the new rows.
        across: old rows x new rows of K. ``among``: new rows x new rows.
        prior, answers: of all rows, see ``find_mode``.
    """
    old, kappa = len(frozen.mode.alpha), frozen.kappa
    K = np.block([[frozen.K, across], [across.T, among]])
    root = np.sqrt(frozen.mode.curvature)
    whitened = np.stack([whiten(frozen.lower, kappa * root * column) for column in across.T])
    lower = np.zeros_like(K)
    lower[:old, :old] = frozen.lower
    new = np.zeros(len(prior) - old)
    alpha = np.concatenate([frozen.mode.alpha, new])
    shift = kappa * (K @ alpha)
    best = _objective(alpha, shift, prior, answers)
    curvature = np.concatenate([frozen.mode.curvature, new])
    for _ in range(_MAX_CHORDS):
        p = sigmoid(prior + shift)
        curvature[old:] = answers.curvature(p)[old:]
        root = np.sqrt(curvature)
        side = root[old:, np.newaxis] * whitened
        corner = kappa * (root[old:, np.newaxis] * among * root[old:]) - side @ side.T
        corner[np.diag_indices_from(corner)] += 1.0
        lower[old:, :old], lower[old:, old:] = side, np.linalg.cholesky(corner)
        target = curvature * shift + answers.pull(p)
        step = target - root * solve(lower, root * (kappa * (K @ target))) - alpha
        moved_step = kappa * (K @ step)
        size = 1.0
        for _ in range(_MAX_HALVINGS):
            value = _objective(alpha + size * step, shift + size * moved_step, prior, answers)
            if value >= best:
                break
            size /= 2.0
        else:
            break  # no way up: this is the mode, as far as numbers go
        alpha, shift, best = alpha + size * step, shift + size * moved_step, value
        if size * float(np.max(np.abs(moved_step))) < _CLOSE_CHORD:
            break
    else:
        alpha = find_mode(K, prior, answers, kappa, start=alpha).alpha
    return np.asarray(alpha, np.float64)


def factor(K: Square, curvature: Vector, kappa: float) -> Square:
    """Return the lower Cholesky factor of I + sqrt(W) kappa K sqrt(W)."""
    root = np.sqrt(curvature)
    B = kappa * (root[:, np.newaxis] * K * root)
    B[np.diag_indices_from(B)] += 1.0
    with _BLAS.limit(limits=1, user_api="blas"):
        return np.asarray(np.linalg.cholesky(B), np.float64)


def solve(lower: Square, right: Vector) -> Vector:
    """Return x with ``lower @ lower.T @ x = right``."""
    out = right.copy()
    _forward(lower, out)
    _backward(lower, out)
    return out


def whiten(lower: Square, right: Vector) -> Vector:
    """Return x with ``lower @ x = right``."""
    out = right.copy()
    _forward(lower, out)
    return out


def sigmoid(margin: Vector) -> Vector:
    """Return 1 / (1 + exp(-margin)), without overflow."""
    half: Vector = 0.5 * (1.0 + np.tanh(0.5 * margin))
    return half


def _objective(alpha: Vector, shift: Vector, prior: Vector, answers: Answers) -> float:
    """Return the log posterior, up to a constant."""
    return answers.log_likelihood(prior + shift) - 0.5 * float(np.sum(alpha * shift))


@kernel
def _forward(lower: Square, out: Vector) -> None:
    for i in range(len(out)):
        total = out[i]
        for j in range(i):
            total -= lower[i, j] * out[j]
        out[i] = total / lower[i, i]


@kernel
def _backward(lower: Square, out: Vector) -> None:
    for i in range(len(out) - 1, -1, -1):
        out[i] /= lower[i, i]
        for j in range(i):
            out[j] -= lower[i, j] * out[i]
