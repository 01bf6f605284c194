"""What verdicts change: a shift of the margin per cell, learned from all labels in force."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from detectors.base import Matrix, Snapshot, SnapshotError, Vector
from detectors.features.keys import pack_texts, unpack_texts
from detectors.learning.cells import Cells, Table
from detectors.learning.laplace import Answers, Mode, factor, find_mode, whiten
from detectors.learning.leaf_kernel import Gram, Leaves, shared_leaves

TELLING = 0.05
"""Shift of a margin below which a label is not worth telling of: a percent of probability."""

Prior = Callable[[Matrix], Vector]
"""Rows -> margins before any label."""

Aging = Callable[["Labels"], "Labels"]
"""Labels -> the same with the weights that they have by now."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels in force, newest last where the caller knows an order; rows are parallel.

    Attributes:
        ids: what each label is about; several rows of one id are combined (``canonical``).
        X: feature vectors.
        y: 1 anomaly, 0 not, or a probability between.
        weight: 1 for a label that a person gave to what was read, less for weaker evidence.
        times: when that happened which each is about, seconds since 1970; None: not known.
    """

    ids: Sequence[str]
    X: Matrix
    y: Vector
    weight: Vector
    times: Vector | None = None

    def __post_init__(self) -> None:
        rows = len(self.ids)
        if self.X.ndim != 2 or not rows == len(self.X) == len(self.y) == len(self.weight):
            raise ValueError("ids, X, y and weight of labels must have equal lengths")
        if self.times is not None and len(self.times) != rows:
            raise ValueError("times of labels must have their length")
        if not ((self.y >= 0) & (self.y <= 1)).all():
            raise ValueError("y of a label lies between 0 and 1")
        if not (np.isfinite(self.weight) & (self.weight >= 0)).all():
            raise ValueError("weight of a label is finite and not negative")

    @classmethod
    def none(cls, features: int) -> Labels:
        """Return no labels."""
        return cls((), np.empty((0, features), np.float32), np.empty(0), np.empty(0))

    def __len__(self) -> int:
        return len(self.ids)

    def canonical(self) -> Labels:
        """Return one row per id, ordered by id: the same for any order of the same rows.

        Rows of one id say the same thing about the same row twice: the strongest counts once, for
        the mean of what they say by weight. Rows of weight 0 say nothing.
        """
        rows: dict[str, list[tuple[float, float, bytes]]] = {}
        for i in np.flatnonzero(self.weight > 0).tolist():
            row = (float(self.weight[i]), float(self.y[i]), self.X[i].tobytes())
            rows.setdefault(self.ids[i], []).append(row)
        ids = sorted(rows)
        groups = [sorted(rows[name]) for name in ids]
        totals = [sum(w for w, _, _ in group) for group in groups]
        times = None
        if self.times is not None:
            when = dict(zip(self.ids, self.times.tolist(), strict=True))
            times = np.array([when[name] for name in ids], np.float64)
        return Labels(
            ids=ids,
            X=np.frombuffer(b"".join(group[-1][2] for group in groups), self.X.dtype).reshape(
                len(ids), self.X.shape[1]
            ),
            y=np.array(
                [sum(w * y for w, y, _ in g) / t for g, t in zip(groups, totals, strict=True)]
            ).clip(0.0, 1.0),
            weight=np.array([group[-1][0] for group in groups], np.float64),
            times=times,
        )

    def strongest(self, most: int) -> Labels:
        """Return at most ``most`` rows: those of more weight first, of equal ones the newest.

        What a person read outlives what was only inferred from it.
        """
        if len(self) <= most:
            return self
        newest_last = np.lexsort((np.arange(len(self)), self.weight))
        kept = np.sort(newest_last[len(self) - most :])
        ids = [self.ids[i] for i in kept.tolist()]
        times = None if self.times is None else self.times[kept]
        return Labels(ids, self.X[kept], self.y[kept], self.weight[kept], times)


PRESUMED_WEIGHT = 0.3
"""Weight of a row that is presumed normal: most are, and a label nearby outweighs it."""

CERTAIN = 3.0
"""Log odds, 95 %: a single "spurious" is no better evidence than that, nor is a score."""


def bounds(y: Vector, weight: Vector, prior: Vector, K: Gram, kappa: float) -> Vector:
    """Return how hard each label may pull its row down; a twin shifts by ``kappa`` times that.

    A wrong "real" draws looks, whose answers put it right; a wrong "spurious" ends them, and what
    is like it is never seen. So one takes ``CERTAIN`` off the log odds of its like, or what makes
    them even. The bound of n about the very like is the n-th root of that: soon none. (Rows that
    share nine leaves of ten count .43 for each other, those that share half .004.)
    """
    alone = np.minimum(1.0, np.maximum(CERTAIN, prior) / kappa)
    very_like = K * K
    very_like *= very_like
    very_like *= very_like
    # no BLAS: the same bits whatever the number of cores
    alike = np.maximum(1.0, np.einsum("ij,j->i", very_like, weight * (1.0 - y)))
    bound: Vector = alone ** (1.0 / alike)
    return bound


def answers(labels: Labels, prior: Vector, K: Gram, kappa: float) -> Answers:
    """Return what a fit takes from labels and the rows before them, which are presumed normal.

    Those are nobody's answers and have no bound. ``prior``, ``K``: of all rows.
    """
    first = len(prior) - len(labels)
    presumed = np.zeros(first)
    bound = bounds(labels.y, labels.weight, prior[first:], K[first:, first:], kappa)
    return Answers(
        y=np.concatenate([presumed, labels.y]),
        weight=np.concatenate([presumed + PRESUMED_WEIGHT, labels.weight]),
        bound=np.concatenate([presumed + 1.0, bound]),
    )


@dataclass(frozen=True, slots=True)
class Influence:
    """What one label adds to the margin of a row; ``label_id`` and ``y`` are the label's."""

    label_id: str
    y: float
    shift: float


class LabelModel:
    """Logistic regression on the cells of a forest, the unsupervised margin as prior mean.

    Rows that share cells with a labelled row move with it. Fitted as a whole from the labels, the
    trees, the prior and the background: the order of labels doesn't matter, and a label that is
    taken back leaves no trace. The cost of ``set_labels`` grows with the square of the number of
    rows (2 ms at 200, 70 ms at 1,100), the cost of using ``table`` doesn't depend on it.

    Labels are of the strangest rows, so they alone say nothing of usual ones: many verdicts of
    "spurious" push what is strange below what is usual, and one of "real" lifts usual rows that
    happen to share its leaves. The background holds against both: a sample of recent rows, presumed
    normal with little weight. It also follows a drift that old labels know nothing of.

    Args:
        cells: of a forest, whose owner may replace trees in between.
        kappa: prior variance of the shift of one row.
    """

    def __init__(self, cells: Cells, kappa: float) -> None:
        if not kappa > 0:
            raise ValueError(f"kappa must be positive, not {kappa}")
        self._cells = cells
        self._kappa = kappa
        self._labels = Labels.none(cells.features)
        self._background: Matrix = self._labels.X
        self._priors = np.empty(0)  # of the rows of the last fit
        self._mode = Mode(np.empty(0), np.empty(0))
        self._table: Table = np.zeros(cells.shape)

    def __len__(self) -> int:
        return len(self._labels)

    @property
    def rows(self) -> int:
        """How many rows a fit takes in, labels and background; 0 without labels."""
        return len(self._mode.alpha)

    @property
    def table(self) -> Table:
        """The shift per cell: a row's margin is its prior plus the sum over its cells."""
        return self._table

    @property
    def labels(self) -> Labels:
        """The labels that it was fitted to, in canonical order."""
        return self._labels

    def are(self, labels: Labels) -> bool:
        """Return whether these are the labels that it was fitted to, in any order."""
        new, old = labels.canonical(), self._labels
        return list(new.ids) == list(old.ids) and all(
            a.tobytes() == b.tobytes()
            for a, b in ((new.X, old.X), (new.y, old.y), (new.weight, old.weight))
        )

    def set_labels(
        self,
        labels: Labels,
        prior: Prior,
        background: Matrix | None = None,
        aging: Aging | None = None,
    ) -> None:
        """Fit to exactly these labels.

        Args:
            labels: those in force.
            prior: margins before any label.
            background: rows presumed normal; none if left out.
            aging: what their age takes off their weights in this fit; nothing if left out.
        """
        self._labels = labels.canonical()
        self._fit(prior, background, aging, start=np.zeros(len(self)))

    def refit(
        self, prior: Prior, background: Matrix | None = None, aging: Aging | None = None
    ) -> None:
        """Fit anew to the same labels: trees, prior, background or their age have changed."""
        if len(self):
            self._fit(prior, background, aging, start=self._mode.alpha[len(self._background) :])

    def follow(self) -> None:
        """Carry the last fit over to trees that were replaced since.

        Much cheaper than ``refit`` and close to it, as long as most trees are those of the fit.
        """
        if len(self):
            self._set_table(self._fitted_cells())

    def shift(self, X: Matrix, priors: Vector) -> Vector:
        """Return what the labels add to the margins ``priors``."""
        return self._cells.sums(X, priors, self._table) if len(self) else np.zeros(len(X))

    def influences(self, X: Matrix, priors: Vector, most: int) -> Sequence[Sequence[Influence]]:
        """Return for each row the labels that shift it most, strongest first.

        All labels' and the background's add up to ``shift``.
        """
        if not len(self):
            return [()] * len(X)
        labels = self._labels
        first = len(self._background)
        near = shared_leaves(
            self._cells.of(X, priors), self._cells.of(labels.X, self._priors[first:])
        )
        shifts = self._kappa * near * self._mode.alpha[first:]
        return [
            [
                Influence(labels.ids[i], float(labels.y[i]), float(row[i]))
                for i in np.argsort(-np.abs(row), kind="stable")[:most].tolist()
                if abs(row[i]) >= TELLING
            ]
            for row in shifts
        ]

    def variance(self, X: Matrix, priors: Vector) -> Vector:
        """Return the posterior variance of the margins: ``kappa`` far from any label, less near.

        A label that its bound holds back tells nothing here.
        """
        if not len(self):
            return np.full(len(X), self._kappa)
        fitted = self._fitted_cells()
        lower = factor(shared_leaves(fitted, fitted), self._mode.curvature, self._kappa)
        root = np.sqrt(self._mode.curvature)
        near = shared_leaves(self._cells.of(X, priors), fitted) * root
        known = np.array([np.square(whiten(lower, row)).sum() for row in near])
        variance: Vector = self._kappa - self._kappa**2 * known
        return np.maximum(variance, 0.0)

    def snapshot(self) -> Snapshot:
        """Return the whole state; the trees are their owner's."""
        arrays: dict[str, npt.NDArray[Any]] = pack_texts("ids", self._labels.ids)
        arrays |= {
            "X": self._labels.X.copy(),
            "background": self._background.copy(),
            "y": self._labels.y.copy(),
            "weight": self._labels.weight.copy(),
            "alpha": self._mode.alpha.copy(),
            "curvature": self._mode.curvature.copy(),
        }
        if self._labels.times is not None:
            arrays["times"] = self._labels.times.copy()
        if self._cells.graded:
            arrays["priors"] = self._priors.copy()
        return Snapshot({"kappa": self._kappa}, arrays)

    def restore(self, snapshot: Snapshot) -> None:
        """Replace the state; the trees must be restored already."""
        if snapshot.meta.get("kappa") != self._kappa:
            raise SnapshotError(
                f"the snapshot has kappa {snapshot.meta.get('kappa')}, this model {self._kappa}"
            )
        arrays = snapshot.arrays
        try:
            labels = Labels(
                ids=unpack_texts("ids", arrays),
                X=arrays["X"],
                y=arrays["y"],
                weight=arrays["weight"],
                times=arrays.get("times"),
            )
            mode, background = Mode(arrays["alpha"], arrays["curvature"]), arrays["background"]
            priors = arrays["priors"] if self._cells.graded else np.zeros(len(mode.alpha))
        except (KeyError, ValueError) as error:
            raise SnapshotError(f"the snapshot's labels are damaged: {error}") from error
        widths = {labels.X.shape[1], *background.shape[1:]}
        rows = {len(background) + len(labels), len(mode.alpha), len(mode.curvature), len(priors)}
        if widths != {self._cells.features} or len(rows) != 1:
            raise SnapshotError("the snapshot's labels do not fit this model")
        self._labels, self._background, self._mode = labels, background, mode
        self._priors = priors
        self._set_table(self._fitted_cells())

    def _fitted_cells(self) -> Leaves:
        return self._cells.of(self._fitted_rows(), self._priors)

    def _fitted_rows(self) -> Matrix:
        return np.concatenate([self._background, self._labels.X])

    def _fit(
        self, prior: Prior, background: Matrix | None, aging: Aging | None, start: Vector
    ) -> None:
        labels = aging(self._labels) if aging else self._labels
        nothing = background is None or not len(self)
        self._background = labels.X[:0] if nothing else np.array(background, labels.X.dtype)
        rows = self._fitted_rows()
        self._priors = prior(rows) if len(self) else np.empty(0)
        cells = self._fitted_cells()
        if len(self):
            K: Gram = shared_leaves(cells, cells)
            self._mode = find_mode(
                K,
                self._priors,
                answers(labels, self._priors, K, self._kappa),
                self._kappa,
                np.concatenate([np.zeros(len(self._background)), start]),
            )
        else:
            self._mode = Mode(np.empty(0), np.empty(0))
        self._set_table(cells)

    def _set_table(self, cells: Leaves) -> None:
        self._table = cell_table(cells, self._mode.alpha, self._kappa, self._cells.shape)


def cell_table(cells: Leaves, alpha: Vector, kappa: float, shape: tuple[int, int]) -> Table:
    """Return the shift per cell, trees x cells, from the coefficients of labels in these cells."""
    trees, width = shape
    places = (cells + width * np.arange(trees)).ravel()
    shares = np.repeat(alpha * (kappa / trees), trees)
    table = np.bincount(places, weights=shares, minlength=trees * width)
    return np.asarray(table, np.float64).reshape(shape)
