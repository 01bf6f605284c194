"""What a partition's pipeline drives: a detector, its scale, the labels and the threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.base import Attribution, Detector, Matrix, Snapshot, SnapshotError, Vector
from detectors.explain.methods import explainer
from detectors.learning.cells import Cells
from detectors.learning.label_age import LabelAge
from detectors.learning.label_model import Influence, LabelModel, Labels
from detectors.learning_settings import LearningSettings
from detectors.online.isolation_forest import IsolationForest
from detectors.pace import Pace
from detectors.scale import ScoreScale, shrinkage
from detectors.state import nest, unnest
from detectors.threshold import AlertBudget
from detectors.trees import Trees
from detectors.usual import usual_range

PRIOR_SHIFT = 3.5
"""Standard deviations above the usual at which an event is as likely an anomaly as not.

So that probabilities are nearer to the truth: with 2.5 what was said to be 0.48 was real in 0.25 of
the cases, with 3.5 in 0.35 (the first 20,000 events of each stream of ``make bench-learning``). The
rarer anomalies are taken to be, the less a verdict of "spurious" pushes and the more one of "real"
lifts.
"""

TAIL = 3.0
"""Standard deviations from which on a score says little more of the odds, but of a forest alone.

Few scores of a forest go beyond. Those of an ensemble go on to 8; a verdict of "spurious" on such a
row took that much off all that share leaves with it (decision 25).
"""

PRIOR = "prior"
"""Part of a snapshot whose margins have the tail; 0.1.0 had none, and refuses what has it."""

USUAL_EVERY = 8  # blocks; what is usual changes slowly, and quantiles cost more than scoring
_CHEAP_ROWS = 150  # fitted anew in a millisecond
_SCALE_ROWS = 256  # of a block are enough to know its mean and deviation
_SCALE_HALF_LIFE = 20.0 * _SCALE_ROWS  # rows, so 20 blocks of 256 events or more


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores of rows, before anything is learned from them.

    Attributes:
        z: unsupervised score in standard deviations above the usual.
        margin: log-odds that the row is a real anomaly, labels taken in.
        alert: the margin reaches the threshold and the warm-up is over.
        threshold: the margin needed, per row; infinite before the first block.
    """

    z: Vector
    margin: Vector
    alert: npt.NDArray[np.bool_]
    threshold: Vector


class StreamModel:
    """Scores rows, learns blocks of them, and takes labels in.

    Only ``learn``, ``set_labels`` and ``admit`` change the state, which is a pure function of those
    calls and the constructor's arguments. ``margin = z - 3.5 + shift``, the shift learned from
    labels on the cells of the detector's trees; but of a forest alone, what ``z`` has beyond 3
    counts by its logarithm. A detector without trees gets a companion isolation forest that learns
    the same blocks and only says which rows share leaves.
    """

    def __init__(self, detector: Detector, settings: LearningSettings, seed: int) -> None:
        self._detector = detector
        self._settings = settings
        self._scale = ScoreScale(_SCALE_HALF_LIFE)
        self._budget = AlertBudget(
            len(detector.feature_names), settings.alert_budget, settings.threshold_window
        )
        self._pace = Pace(settings.alert_limit) if settings.alert_limit else None
        self._age = LabelAge(settings.label_half_life)
        self._companion: IsolationForest | None = None
        if detector.trees is None:
            self._companion = IsolationForest(detector.feature_names, seed=seed + 1)
        self._attach(self._kernel_trees())
        self._rows = 0
        self._since_fit = 0  # blocks
        self._version = 0
        self._relabelled = False  # since the last block, so that its margins may be of old labels
        nothing = np.full(len(detector.feature_names), np.nan)
        self._usual: tuple[Vector, Vector] = (nothing, nothing)

    @property
    def warm_up_left(self) -> int:
        """Rows yet to be learned until alerts start."""
        return max(0, self._settings.warm_up - self._rows)

    @property
    def model_version(self) -> int:
        """Label position in force."""
        return self._version

    @property
    def threshold(self) -> float:
        """Margin at which alerts begin; infinite before the first block."""
        return self._budget.threshold

    @property
    def detector(self) -> Detector:
        """The detector that it drives."""
        return self._detector

    @property
    def settings(self) -> LearningSettings:
        """How it learns."""
        return self._settings

    @property
    def trees(self) -> Trees:
        """The forest that says which rows share leaves: the detector's or the companion's."""
        return self._trees

    @property
    def cells(self) -> Cells:
        """What rows that labels take for alike have in common."""
        return self._cells

    @property
    def budget(self) -> AlertBudget:
        """What the threshold follows from."""
        return self._budget

    def prior(self, X: Matrix) -> Vector:
        """Return the margins of rows before any label."""
        return self._prior_of(self._standardised(X))

    def _prior_of(self, z: Vector) -> Vector:
        if not self._detector.scores_are_leaf_sums:
            z = np.minimum(z, TAIL) + np.log1p(np.maximum(z - TAIL, 0.0))
        return z - PRIOR_SHIFT

    def presumed_normal(self) -> Matrix:
        """Return the rows that are presumed normal: some of the window, at even distances."""
        window, wanted = self._window(), self._settings.presumed_normal
        if not wanted or not len(window):
            return window[:0]
        return window[:: -(-len(window) // wanted)]

    def score(self, X: Matrix) -> Scored:
        """Score rows, in any number at a time."""
        if self._one_walk and len(self._labels):
            scores, shift = self._trees.sums_of(X, self._tables)
            z = self._scale.standardise(scores)
        else:
            z = self._standardised(X)
            shift = self._labels.shift(X, self._prior_of(z))
        margin = self._prior_of(z) + shift
        alert = (margin >= self.threshold) & (self.warm_up_left == 0)
        return Scored(z, margin, alert, np.full(len(X), self.threshold))

    def admit(self, scored: Scored, times: Vector) -> Scored:
        """Return the same scores with no more alerts than the limit lets through at these times.

        Each event has to come here exactly once, in order.
        """
        self._age.note(times)
        rows = np.flatnonzero(scored.alert)
        if self._pace is None or not len(rows):
            return scored
        alert, threshold = scored.alert.copy(), scored.threshold.copy()
        alert[rows], threshold[rows] = self._pace.admit(
            times[rows], scored.margin[rows], self._budget.stricter
        )
        return Scored(scored.z, scored.margin, alert, threshold)

    def learn(self, X: Matrix, z: Vector, margins: Vector) -> None:
        """Learn exactly one block, whose ``z`` and margins were those of ``score``."""
        if self._relabelled:
            prior = self._prior_of(z)
            margins = prior + self._labels.shift(X, prior)
            self._relabelled = False
        self._detector.learn_many(X)
        if self._companion:
            self._companion.learn_many(X)
        self._age.end_block()
        self._scale.learn(self._detector.score_many(X[:: max(1, len(X) // _SCALE_ROWS)]))
        # Before the first block all rows scored alike, which says nothing about a threshold.
        first = not self._rows
        prior = self.prior(X) if first else self._prior_of(z)
        self._budget.learn(X, prior, prior if first else margins)
        if self._rows // self._settings.block % USUAL_EVERY == 0:
            self._usual = usual_range(self._window())
        self._rows += len(X)
        self._follow(first)
        if first:
            self._budget.rebase(self._labels.shift)

    def set_labels(self, labels: Labels, position: int) -> bool:
        """Put exactly these labels in force; their order matters only where there are too many.

        The threshold follows at once: it is taken of what the last rows' margins would have been.
        Labels that are in force already change the position only. Returns whether more changed.
        """
        self._version = position
        strongest = labels.strongest(self._settings.max_labels)
        if self._labels.are(strongest):
            return False
        self._labels.set_labels(strongest, self.prior, self.presumed_normal(), self._age.aged)
        self._budget.rebase(self._labels.shift)
        self._relabelled = True
        self._since_fit = 0
        self._stack()
        return True

    def margins(self, X: Matrix) -> Vector:
        """Return the margins of rows under the model as it is now."""
        return self.score(X).margin

    def aged(self, labels: Labels) -> Labels:
        """Return labels with the weights that their age leaves them by now."""
        return self._age.aged(labels)

    def variance(self, X: Matrix) -> Vector:
        """Return how uncertain the labels leave the margins of rows."""
        return self._labels.variance(X, self.prior(X))

    def explain(self, X: Matrix) -> Attribution:
        """Attribute the margins of rows to the features."""
        gain = self._scale.gain
        if self._one_walk:
            values = gain * self._trees.values
            if len(self._labels):
                values += self._labels.table
            why = self._explainer.explain(X, values)
            base = why.base - gain * self._scale.mean - PRIOR_SHIFT
            return Attribution(why.values, base, why.method, why.additive, why.notes)
        why = self._detector.explain_many(X)
        z, start = self._standardised(X), self._scale.standardise(why.base)
        base, prior = self._prior_of(start), self._prior_of(z)
        shrink = shrinkage(z - start, prior - base)
        values = why.values * gain * shrink[:, np.newaxis]
        if len(self._labels):
            # A row's strangeness is taken as given: its features say which leaf it is in.
            for rows, table in self._cells.per_grade(prior, self._labels.table):
                learned = self._explainer.explain(X[rows], table)
                values[rows] += learned.values
                base[rows] += learned.base
        return Attribution(values, base, why.method, why.additive, why.notes)

    def influences(self, X: Matrix, most: int) -> Sequence[Sequence[Influence]]:
        """Return for each row the labels that moved its margin most, strongest first."""
        return self._labels.influences(X, self.prior(X), most)

    def usual_range(self) -> tuple[Vector, Vector]:
        """Return the 5 % and 95 % quantile of each feature lately; NaN where none is known.

        They are worked out at every eighth block, at fixed ones, so that a replay shows the same.
        """
        return self._usual

    def snapshot(self) -> Snapshot:
        """Return the whole state."""
        parts = {
            "counts": Snapshot(
                {
                    "rows": self._rows,
                    "since_fit": self._since_fit,
                    "version": self._version,
                    "relabelled": self._relabelled,
                    "settings": self._settings.of_state(),
                    "pace": self._pace.state() if self._pace else None,
                },
                {},
            ),
            "detector": self._detector.snapshot(),
            "scale": self._scale.snapshot(),
            "budget": self._budget.snapshot(),
            "labels": self._labels.snapshot(),
            "usual": Snapshot({}, dict(zip(("low", "high"), self._usual, strict=True))),
        }
        if self._settings.label_half_life:
            parts["age"] = self._age.snapshot()
        if self._companion:
            parts["companion"] = self._companion.snapshot()
        if not self._detector.scores_are_leaf_sums:
            parts[PRIOR] = Snapshot({"tail": TAIL}, {})
        return nest(parts)

    def restore(self, snapshot: Snapshot) -> None:
        """Replace the state. Raises ``SnapshotError`` if it is of another model."""
        parts = unnest(snapshot)
        wanted = {"counts", "detector", "scale", "budget", "labels", "usual"}
        wanted |= {"companion"} if self._companion else set()
        wanted |= {"age"} if self._settings.label_half_life else set()
        if set(parts) - {PRIOR} != wanted:
            raise SnapshotError(f"the snapshot of a model has parts {sorted(parts)}")
        counts = parts["counts"].meta
        if counts.get("settings") != self._settings.of_state():
            raise SnapshotError("the snapshot is of a model with other settings")
        self._detector.restore(parts["detector"])
        if self._companion:
            self._companion.restore(parts["companion"])
        self._scale.restore(parts["scale"])
        self._budget.restore(parts["budget"])
        if "age" in parts:
            self._age.restore(parts["age"])
        self._attach(self._kernel_trees())
        labels, of_010 = parts["labels"], self._cells.graded and PRIOR not in parts
        if of_010:  # margins are of another scale and no label's is kept: all is fitted anew below
            none = np.zeros(len(labels.arrays.get("alpha", ())))
            labels = Snapshot(labels.meta, {**labels.arrays, "priors": none})
        self._labels.restore(labels)
        self._rows, self._since_fit = int(counts["rows"]), int(counts["since_fit"])
        self._version, self._relabelled = int(counts["version"]), bool(counts["relabelled"])
        if self._pace and counts.get("pace") is not None:  # else there was no limit until now
            self._pace.load(counts["pace"])
        usual = parts["usual"].arrays
        self._usual = (usual["low"], usual["high"])
        if of_010:
            self._soften()
        self._stack()

    def _soften(self) -> None:
        """Bring what 0.1.0 kept to today's margins: there, far scores counted in full."""
        self._budget.remap(lambda priors: self._prior_of(priors + PRIOR_SHIFT))
        self._labels.refit(self.prior, self.presumed_normal(), self._age.aged)
        self._budget.rebase(self._labels.shift)
        self._relabelled = True

    @property
    def _one_walk(self) -> bool:
        """Whether one walk down the trees gives score and shift together."""
        return self._detector.scores_are_leaf_sums and self._rows > 0

    def _attach(self, trees: Trees) -> None:
        """Learn from labels on these trees from now on."""
        self._trees = trees
        self._cells = Cells(trees, graded=not self._detector.scores_are_leaf_sums)
        self._labels = LabelModel(self._cells, self._settings.kappa)
        self._explainer = explainer(self._settings.explanations, trees)
        self._stack()

    def _stack(self) -> None:
        """Put the two tables of a walk side by side; both may have changed."""
        if len(self._labels) and not self._cells.graded:
            self._tables = np.stack([self._trees.values, self._labels.table])

    def _follow(self, first: bool) -> None:
        """Bring the labels to the trees as they are after a block.

        A fit costs the square of the number of rows: it is put off in that measure, but not after
        the first block. Until then all rows were alike, which says nothing about labels.
        """
        self._since_fit += 1
        due = min(self._settings.refit_every, max(1.0, (self._labels.rows / _CHEAP_ROWS) ** 2))
        if first or self._since_fit >= due:
            self._labels.refit(self.prior, self.presumed_normal(), self._age.aged)
            self._since_fit = 0
        else:
            self._labels.follow()
        self._stack()

    def _window(self) -> Matrix:
        window = self._detector.window
        return self._companion.window if self._companion and not len(window) else window

    def _kernel_trees(self) -> Trees:
        trees = self._companion.trees if self._companion else self._detector.trees
        if trees is None:
            raise ValueError(f"detector {self._detector.kind} has no trees")
        return trees

    def _standardised(self, X: Matrix) -> Vector:
        return self._scale.standardise(self._detector.score_many(X))
